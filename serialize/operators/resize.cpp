// SPDX-License-Identifier: MIT

// Resizing. What interpolate does is left to it; for all other rules of where a pixel of the result lies in the input
// each dimension is taken as a sum of a few of its entries, each times a number.

#include <algorithm>
#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

struct Resizing {
  std::string mode, places, rounding;
  double cubic = -0.75;
  bool excludes_outside = false, is_smooth = false;
  std::vector<double> scales;  // by dimension
  Numbers sizes;               // of the result
  bool is_scaled = false;      // told by scales
};

double place_of(const Resizing& r, std::int64_t i, std::int64_t in, std::int64_t out, double scale) {
  const auto x = static_cast<double>(i);
  if (r.places == "half_pixel") return (x + 0.5) / scale - 0.5;
  if (r.places == "pytorch_half_pixel") return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
  if (r.places == "asymmetric") return x / scale;
  if (r.places == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  if (r.places == "half_pixel_symmetric") {
    const double length = scale * static_cast<double>(in), middle = static_cast<double>(in) / 2;
    return middle * (1 - static_cast<double>(out) / length) + (x + 0.5) / scale - 0.5;
  }
  if (r.places == "align_corners") {
    const double length = r.is_scaled ? scale * static_cast<double>(in) : static_cast<double>(out);
    return length == 1 ? 0 : x * static_cast<double>(in - 1) / (length - 1);
  }
  throw UnsupportedError("expected places of pixels that Teff knows, got " + r.places);
}

std::int64_t nearest(const Resizing& r, double place) {
  if (r.rounding == "floor") return static_cast<std::int64_t>(std::floor(place));
  if (r.rounding == "ceil") return static_cast<std::int64_t>(std::ceil(place));
  const double down = std::floor(place);
  const bool is_half = place == down + 0.5;
  if (is_half) return static_cast<std::int64_t>(r.rounding == "round_prefer_ceil" ? down + 1 : down);
  return static_cast<std::int64_t>(std::round(place));
}

double weight_of(const Resizing& r, double distance) {
  const double d = std::abs(distance), a = r.cubic;
  if (r.mode == "linear") return std::max(0.0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// The entries that one of the result is made of, with their weights; all have as many.
struct Taps {
  std::vector<Numbers> entries;              // by tap, by place of the result
  std::vector<std::vector<double>> weights;  // the same
};

Taps taps_of(const Resizing& r, std::int64_t in, std::int64_t out, double scale) {
  const double reach = (r.mode == "linear" ? 1 : 2), wider = r.is_smooth && scale < 1 ? scale : 1;
  const double width = reach / wider;
  const auto count = static_cast<std::size_t>(2 * std::ceil(width));
  expect_supported(count <= 64 && out <= kMaxConstant, "expected less to be made smaller at once, got more");
  Taps taps{std::vector(count, Numbers()), std::vector(count, std::vector<double>())};
  for (std::int64_t i = 0; i < out; ++i) {
    const double place = place_of(r, i, in, out, scale);
    const auto first = static_cast<std::int64_t>(std::floor(place)) - static_cast<std::int64_t>(count / 2) + 1;
    double total = 0;
    for (std::size_t t = 0; t < count; ++t) {
      const std::int64_t entry = first + static_cast<std::int64_t>(t);
      double weight = weight_of(r, (static_cast<double>(entry) - place) * wider);
      if (r.excludes_outside && (entry < 0 || entry >= in)) weight = 0;
      taps.entries[t].push_back(std::clamp(entry, std::int64_t{0}, in - 1));
      taps.weights[t].push_back(weight);
      total += weight;
    }
    for (std::size_t t = 0; t < count; ++t) taps.weights[t].back() /= total;
  }
  return taps;
}

Tensor mixed(const Tensor& x, std::int64_t axis, const Resizing& r) {
  const auto dim = static_cast<std::size_t>(axis);
  const Taps taps = taps_of(r, x.size(axis), r.sizes[dim], r.scales[dim]);
  Shape shape;
  for (std::int64_t i = axis; i < x.dim(); ++i) shape.push_back(i == axis ? r.sizes[dim] : 1);
  Tensor sum;
  for (std::size_t t = 0; t < taps.entries.size(); ++t) {
    const Tensor weights = teff::tensor(taps.weights[t]).to(x.dtype()).view(shape);
    const Tensor part = index_select(x, axis, teff::tensor(taps.entries[t])) * weights;
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

Tensor repeated(const Tensor& x, std::int64_t axis, const Resizing& r) {
  const auto dim = static_cast<std::size_t>(axis);
  const std::int64_t in = x.size(axis);
  Numbers entries;
  expect_supported(r.sizes[dim] <= kMaxConstant, "expected at most 65536 entries of a dimension, got more");
  for (std::int64_t i = 0; i < r.sizes[dim]; ++i) {
    const double place = place_of(r, i, in, r.sizes[dim], r.scales[dim]);
    entries.push_back(std::clamp(nearest(r, place), std::int64_t{0}, in - 1));
  }
  return index_select(x, axis, teff::tensor(entries));
}

Resizing read(const Call& c) {
  const bool upsample = c.opset() < 10 || (c.opset() == 10 && c.input_count() == 2);
  Resizing r;
  r.mode = c.text("mode", "nearest");
  r.places = c.text("coordinate_transformation_mode", upsample ? "asymmetric" : "half_pixel");
  r.rounding = c.text("nearest_mode", upsample ? "floor" : "round_prefer_floor");
  r.cubic = c.number("cubic_coeff_a", -0.75);
  r.excludes_outside = c.flag("exclude_outside", false);
  r.is_smooth = c.flag("antialias", false);
  c.ignore("extrapolation_value");
  if (r.mode == "bilinear") r.mode = "linear";
  expect_supported(r.mode == "nearest" || r.mode == "linear" || r.mode == "cubic",
                   "expected nearest, linear or cubic resizing, got " + r.mode);
  return r;
}

/// Scales and sizes of all dimensions, of what the inputs say of some.
void read_sizes(const Call& c, Resizing& r) {
  const Tensor x = c.tensor(0);
  const auto rank = static_cast<std::size_t>(x.dim());
  const std::size_t scales_at = c.input_count() == 2 ? 1 : 2;
  Numbers axes = c.integers("axes"), sizes;
  std::vector<double> scales;
  if (c.has(3)) sizes = c.known_integers(3);
  if (sizes.empty() && c.opset() < 9) scales = c.numbers("scales");
  if (sizes.empty() && scales.empty() && c.has(scales_at)) scales = numbers_of(c.known(scales_at));
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  if (axes.empty()) {
    for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if ((sizes.empty() ? scales.size() : sizes.size()) != axes.size()) {
    throw FormatError("expected a size or scale for each dimension, got others");
  }
  r.is_scaled = sizes.empty();
  r.scales.assign(rank, 1);
  r.sizes.assign(x.shape().begin(), x.shape().end());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto dim = static_cast<std::size_t>(c.axis(axes[i], x.dim()));
    const auto in = static_cast<double>(x.size(dim));
    r.scales[dim] = r.is_scaled ? scales[i] : in == 0 ? 1 : static_cast<double>(sizes[i]) / in;
    const bool fits = r.scales[dim] > 1e-6 && r.scales[dim] <= 1 << 20 && in * r.scales[dim] < 0x1p40;
    if (!fits) throw FormatError("expected scales from 10^-6 to 2^20, got others");
    r.sizes[dim] = r.is_scaled ? static_cast<std::int64_t>(std::floor(in * scales[i])) : sizes[i];
  }
  if (r.is_scaled || policy == "stretch") return;
  double common = r.scales[static_cast<std::size_t>(c.axis(axes[0], x.dim()))];
  for (const std::int64_t axis : axes) {
    const double scale = r.scales[static_cast<std::size_t>(c.axis(axis, x.dim()))];
    common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
  }
  for (const std::int64_t axis : axes) {
    const auto dim = static_cast<std::size_t>(c.axis(axis, x.dim()));
    r.scales[dim] = common;
    r.sizes[dim] = static_cast<std::int64_t>(std::round(common * static_cast<double>(x.size(dim))));
  }
}

bool is_whole(double number) { return std::trunc(number) == number; }

/// The options of interpolate, if it does the same.
std::optional<InterpolateOptions> interpolation(const Tensor& x, const Resizing& r) {
  if (x.dim() != 4 || !is_computable(x.dtype()) || r.is_smooth || r.sizes[0] != x.size(0) || r.sizes[1] != x.size(1)) {
    return {};
  }
  InterpolateOptions options;
  if (r.is_scaled) {
    options.scale_factor = ScaleFactor(r.scales[2], r.scales[3]);
  } else {
    options.size = Pair(r.sizes[2], r.sizes[3]);
  }
  if (r.mode == "nearest") {
    // Where each pixel is repeated, half pixels and corners give the same.
    const bool repeats = r.is_scaled && is_whole(r.scales[2]) && is_whole(r.scales[3]) && r.places == "half_pixel";
    const bool same = r.places == "asymmetric" && r.rounding == "floor";
    return same || repeats ? std::optional(options) : std::nullopt;
  }
  if (r.mode != "linear") return {};
  options.mode = InterpolateMode::bilinear;
  options.align_corners = r.places == "align_corners";
  const bool to_one = r.sizes[2] == 1 || r.sizes[3] == 1;
  if (options.align_corners) {
    const bool exact = !r.is_scaled || (is_whole(r.scales[2] * static_cast<double>(x.size(2))) &&
                                        is_whole(r.scales[3] * static_cast<double>(x.size(3))));
    return exact ? std::optional(options) : std::nullopt;
  }
  return r.places == "half_pixel" || (r.places == "pytorch_half_pixel" && !to_one) ? std::optional(options)
                                                                                   : std::nullopt;
}

Tensor resized(const Call& c) {
  Tensor x = c.tensor(0);
  Resizing r = read(c);
  read_sizes(c, r);
  if (const auto options = interpolation(x, r)) return interpolate(x, *options);
  expect_supported(r.mode == "nearest" || is_computable(x.dtype()), "expected float32 or float64 to mix, got others");
  for (std::int64_t axis = 0; axis < x.dim(); ++axis) {
    const auto dim = static_cast<std::size_t>(axis);
    if (r.sizes[dim] < 0) throw FormatError("expected sizes from 0 on, got " + std::to_string(r.sizes[dim]));
    if (r.scales[dim] == 1 && r.sizes[dim] == x.size(axis)) continue;
    if (x.size(axis) == 0) throw FormatError("expected pixels to make others of, got none");
    x = r.mode == "nearest" ? repeated(x, axis, r) : mixed(x, axis, r);
  }
  return x;
}

constexpr OperatorRow kResizeRows[] = {
    {"Resize", resized},
    {"Upsample", resized},
};

}  // namespace

const std::span<const OperatorRow> operators::resizing = kResizeRows;

}  // namespace teff::serialize
