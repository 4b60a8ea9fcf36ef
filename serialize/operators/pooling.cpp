// SPDX-License-Identifier: MIT

// Pooling and resizing.

#include <cmath>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/window.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

/// A window on images of one row, where they have one dimension.
struct Pooling {
  Tensor x;
  Pair kernel, stride, dilation, padding;
  bool is_row;

  Pooling(const Tensor& image, const OnnxWindow& w) : x(w.rank() == 1 ? add_row(image) : image), is_row(w.rank() == 1) {
    const auto pair = [&](const Numbers& values, std::int64_t row) {
      return is_row ? Pair(row, values[0]) : w.pair(values);
    };
    kernel = pair(w.kernel, 1);
    stride = pair(w.stride, 1);
    dilation = pair(w.dilation, 1);
    padding = pair(w.pads, 0);
  }
  Tensor result(const Tensor& y) const { return is_row ? drop_row(y) : y; }
};

bool fits_pool(const OnnxWindow& w) {
  for (std::size_t i = 0; i < w.rank(); ++i) {
    if (2 * w.pads[i] > w.kernel[i]) return false;
  }
  return w.is_symmetric();
}

void check_rank(const OnnxWindow& w) {
  expect_supported(w.rank() <= 3,
                   "expected images of one, two or three dimensions, got one of " + std::to_string(w.rank()));
}

Tensor maxima(const Tensor& x, const OnnxWindow& w, bool rounds_up) {
  if (w.rank() == 3) {
    return max_pool3d(x, w.triple(w.kernel),
                      {.stride = w.triple(w.stride),
                       .padding = w.triple(w.pads),
                       .dilation = w.triple(w.dilation),
                       .ceil_mode = rounds_up});
  }
  const Pooling p(x, w);
  return p.result(max_pool2d(
      p.x, p.kernel, {.stride = p.stride, .padding = p.padding, .dilation = p.dilation, .ceil_mode = rounds_up}));
}

Tensor means(const Tensor& x, const OnnxWindow& w, bool rounds_up, bool counts_pads = true) {
  if (w.rank() == 3) {
    return avg_pool3d(x, w.triple(w.kernel),
                      {.stride = w.triple(w.stride),
                       .padding = w.triple(w.pads),
                       .ceil_mode = rounds_up,
                       .count_include_pad = counts_pads});
  }
  const Pooling p(x, w);
  return p.result(
      avg_pool2d(p.x, p.kernel,
                 {.stride = p.stride, .padding = p.padding, .ceil_mode = rounds_up, .count_include_pad = counts_pads}));
}

ValuesAndIndices maxima_with_places(const Tensor& x, const OnnxWindow& w, bool rounds_up) {
  if (w.rank() == 1) {
    return max_pool1d_with_indices(
        x, w.kernel[0],
        {.stride = w.stride[0], .padding = w.pads[0], .dilation = w.dilation[0], .ceil_mode = rounds_up});
  }
  if (w.rank() == 2) {
    return max_pool2d_with_indices(
        x, w.pair(w.kernel),
        {.stride = w.pair(w.stride), .padding = w.padding(), .dilation = w.pair(w.dilation), .ceil_mode = rounds_up});
  }
  return max_pool3d_with_indices(x, w.triple(w.kernel),
                                 {.stride = w.triple(w.stride),
                                  .padding = w.triple(w.pads),
                                  .dilation = w.triple(w.dilation),
                                  .ceil_mode = rounds_up});
}

/// ONNX counts places through all images, and without `pads`, which are those of the images that Teff saw.
Tensor places_in_all(const Tensor& x, const Tensor& padded, const Tensor& places, const Numbers& pads) {
  Tensor within, rest = places;
  std::int64_t step = 1;
  Shape each{x.size(0), x.size(1)};
  for (std::int64_t dim = x.dim() - 1; dim >= 2; --dim) {
    const Tensor place = remainder(rest, padded.size(dim)) - pads[static_cast<std::size_t>(dim - 2)];
    within = within.defined() ? within + place * step : place;
    rest = div(rest, padded.size(dim), RoundingMode::floor);
    step *= x.size(dim);
    each.push_back(1);
  }
  const Tensor one = full({}, 1, {.dtype = DType::int64});
  return within + view((cumsum(expand(one, {x.size(0) * x.size(1)}), 0) - 1) * step, each);
}

TensorList max_pooled(const Call& c) {
  expect_supported(!c.flag("storage_order", false) || !c.wants(1), "expected places row by row, got storage_order = 1");
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  const Tensor x = c.tensor(0);
  const bool fits = fits_pool(w), rounds_up = c.flag("ceil_mode", false);
  const Numbers none(w.pads.size(), 0), pads = fits ? none : w.pads;
  const Tensor padded = fits ? x : pad(x, w.sides(), -std::numeric_limits<double>::infinity());
  if (!fits) w.pads = none;
  if (!c.wants(1)) return {maxima(padded, w, rounds_up)};
  const ValuesAndIndices found = maxima_with_places(padded, w, rounds_up);
  return {found.values, places_in_all(x, padded, found.indices, pads)};
}

/// Where pads differ, or go beyond half the kernel, the zeros are put there before; the mean of ones that are padded so
/// tells what part of a window is none.
Tensor average_pooled(const Call& c) {
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  const bool counts_pads = c.flag("count_include_pad", false), rounds_up = c.flag("ceil_mode", false);
  for (const std::int64_t dilation : w.dilation) {
    expect_supported(dilation == 1, "expected windows without dilation, got one of " + std::to_string(dilation));
  }
  const Tensor x = c.tensor(0);
  if (fits_pool(w)) return means(x, w, rounds_up, counts_pads);
  const IntList sides = w.sides();
  w.pads.assign(w.pads.size(), 0);
  const Tensor sums = means(pad(x, sides), w, rounds_up);
  if (counts_pads) return sums;
  const Tensor one = expand(full({}, 1.0, {.dtype = x.dtype()}), x.shape());
  return sums / means(pad(one, sides), w, rounds_up);
}

template <Tensor (*reduce)(const Tensor&, const IntList&, bool)>
Tensor global(const Call& c) {
  const Tensor x = c.tensor(0);
  IntList dims;
  for (std::int64_t i = 2; i < x.dim(); ++i) dims.push_back(i);
  return dims.empty() ? x : reduce(x, dims, true);
}

Tensor global_average(const Call& c) {
  const Tensor x = c.tensor(0);
  return x.dim() == 4 ? adaptive_avg_pool2d(x, 1) : global<mean>(c);
}

/// Powers of the absolute values are averaged.
Tensor power_pooled(const Call& c) {
  const double p = c.number("p", 2);
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  std::int64_t count = 1;
  for (const std::int64_t size : w.kernel) count *= size;
  const Tensor x = pow(abs(c.tensor(0)), p);
  const IntList sides = w.sides();
  w.pads.assign(w.pads.size(), 0);
  const Tensor sums = means(pad(x, sides), w, c.flag("ceil_mode", false)) * static_cast<double>(count);
  return pow(sums, 1 / p);
}

constexpr OperatorRow kPoolingRows[] = {
    {"AveragePool", average_pooled}, {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global<amax>}, {"LpPool", power_pooled},
    {"MaxPool", max_pooled},
};

}  // namespace

const std::span<const OperatorRow> operators::pooling = kPoolingRows;

}  // namespace teff::serialize
