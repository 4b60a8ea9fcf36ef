// SPDX-License-Identifier: MIT

// The way out of convolution, pooling and resizing.

#include <algorithm>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;
using Numbers = std::vector<std::int64_t>;

IntList ints(const Numbers& values) { return IntList(std::span<const std::int64_t>(values)); }

Numbers twice(Numbers values) {
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) values.push_back(values[i]);
  return values;
}

Dict convolution(Call& c) {
  return {{"strides", ints(c.integers("stride"))},
          {"pads", ints(twice(c.integers("padding")))},
          {"dilations", ints(c.integers("dilation"))},
          {"group", c.integer("groups")}};
}

Term convolved(Call& c) { return c.node("Conv", c.all(), convolution(c)); }

Term convolved_back(Call& c) {
  Dict attributes = convolution(c);
  attributes.insert("output_padding", ints(c.integers("output_padding")));
  return c.node("ConvTranspose", c.all(), std::move(attributes));
}

/// Windows as ONNX has them. What hangs over the edge where sizes are rounded up is padding behind, if the size is
/// known.
struct Window {
  Numbers kernel, stride, dilation, pads;
  bool rounds_up;

  explicit Window(Call& c)
      : kernel(c.integers("kernel_size")),
        stride(c.has("stride") ? c.integers("stride") : kernel),
        dilation(kernel.size(), 1),
        pads(twice(c.integers("padding"))),
        rounds_up(c.flag("ceil_mode")) {}

  std::size_t rank() const { return kernel.size(); }

  void pad_behind(Call& c) {
    const std::int64_t before = c.rank(0) - static_cast<std::int64_t>(rank());
    bool is_known = rounds_up;
    for (std::size_t i = 0; i < rank(); ++i)
      is_known = is_known && c.is_fixed(0, before + static_cast<std::int64_t>(i));
    if (!is_known) return;
    rounds_up = false;
    for (std::size_t i = 0; i < rank(); ++i) {
      const std::int64_t size = c.fixed(0, before + static_cast<std::int64_t>(i));
      const std::int64_t out = c.result().shape[static_cast<std::size_t>(before) + i];
      const std::int64_t needed = (out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - size - pads[i];
      pads[i + rank()] = std::max(pads[i + rank()], needed);
    }
  }
  Dict attributes() const {
    Dict result{{"kernel_shape", ints(kernel)}, {"strides", ints(stride)}, {"pads", ints(pads)}};
    if (rounds_up) result.insert("ceil_mode", true);
    return result;
  }
};

/// ONNX's operators want a batch and channels.
template <class Function>
Terms of_batch(Call& c, const Term& x, std::int64_t rank, Function&& function) {
  if (c.rank(0) == rank) return function(x);
  Terms results = function(c.unsqueeze(x, {0}));
  for (Term& result : results) result = c.squeeze(result, {0});
  return results;
}

Terms maxima(Call& c, std::size_t results) {
  Window w(c);
  w.dilation = c.integers("dilation");
  w.pad_behind(c);
  Dict attributes = w.attributes();
  attributes.insert("dilations", ints(w.dilation));
  return of_batch(c, c.in(0), static_cast<std::int64_t>(w.rank()) + 2,
                  [&](const Term& x) { return c.nodes("MaxPool", {x}, results, attributes); });
}

Term max_pooled(Call& c) { return maxima(c, 1)[0]; }

/// ONNX counts places through all images, Teff within each.
Terms max_pooled_with_places(Call& c) {
  Terms found = maxima(c, 2);
  const std::int64_t volume = c.fixed(0, 2) * c.fixed(0, 3) * c.fixed(0, 4);
  found[1].dtype = DType::int64;
  found[1] = c.node("Mod", {found[1], c.scalar(volume)});
  return found;
}

/// Where padding counts, and windows hang over it, zeros are put there before: what is beyond does not count.
Term average_pooled(Call& c) {
  Window w(c);
  const bool has_divisor = c.has("divisor_override");
  bool counts_pads = c.flag("count_include_pad") || has_divisor;
  const Numbers own = w.pads;
  w.pad_behind(c);
  if (has_divisor && w.rounds_up)
    c.refuse("expected images of fixed size with ceil_mode and a divisor, got a free one");
  Term x = c.in(0);
  if (counts_pads && !has_divisor && w.pads != own) {
    Numbers sides(static_cast<std::size_t>(2 * c.rank(0)), 0);
    const std::size_t before = static_cast<std::size_t>(c.rank(0)) - w.rank(),
                      all = static_cast<std::size_t>(c.rank(0));
    for (std::size_t i = 0; i < w.rank(); ++i) {
      sides[before + i] = own[i];
      sides[all + before + i] = own[i + w.rank()];
      w.pads[i] -= own[i];
      w.pads[i + w.rank()] -= own[i + w.rank()];
    }
    x = c.node("Pad", {x, c.constants(sides)});
    counts_pads = false;
  }
  Dict attributes = w.attributes();
  if (counts_pads) attributes.insert("count_include_pad", true);
  const Term mean = of_batch(c, x, static_cast<std::int64_t>(w.rank()) + 2,
                             [&](const Term& image) { return Terms{c.node("AveragePool", {image}, attributes)}; })[0];
  if (!has_divisor) return mean;
  double count = 1;
  for (const std::int64_t size : w.kernel) count *= static_cast<double>(size);
  return mean * (count / static_cast<double>(c.integer("divisor_override")));
}

/// Window i of n along a dimension.
std::pair<std::int64_t, std::int64_t> window_of(std::int64_t i, std::int64_t out, std::int64_t in) {
  return {i * in / out, ((i + 1) * in + out - 1) / out};
}

/// The same windows as those of a kernel, where sizes divide.
bool divides(Call& c, const Numbers& out) {
  const std::int64_t first = c.rank(0) - static_cast<std::int64_t>(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t in = c.fixed(0, first + static_cast<std::int64_t>(i));
    if (in == 0 || out[i] == 0 || in % out[i] != 0) return false;
  }
  return true;
}

Dict divided(Call& c, const Numbers& out) {
  const std::int64_t first = c.rank(0) - static_cast<std::int64_t>(out.size());
  Numbers kernel;
  for (std::size_t i = 0; i < out.size(); ++i) {
    kernel.push_back(c.fixed(0, first + static_cast<std::int64_t>(i)) / out[i]);
  }
  return {{"kernel_shape", ints(kernel)}, {"strides", ints(kernel)}};
}

/// [in, out]: the part that each of the input has in each of the result.
Tensor parts_of(std::int64_t in, std::int64_t out, DType dtype) {
  Tensor parts = zeros({in, out}, {.dtype = DType::float64});
  for (std::int64_t i = 0; i < out; ++i) {
    const auto [begin, end] = window_of(i, out, in);
    for (std::int64_t k = begin; k < end; ++k) parts.data<double>()[k * out + i] = 1 / static_cast<double>(end - begin);
  }
  return parts.to(dtype);
}

Term adaptive_mean(Call& c) {
  const Numbers out = c.integers("output_size");
  if (out == Numbers{1, 1}) {
    return c.rank(0) == 4 ? c.node("GlobalAveragePool", c.all()) : c.reduce("ReduceMean", c.in(0), {-2, -1}, true);
  }
  if (divides(c, out)) {
    return of_batch(c, c.in(0), 4,
                    [&](const Term& x) { return Terms{c.node("AveragePool", {x}, divided(c, out))}; })[0];
  }
  const DType dtype = c.type(0).dtype;
  const Tensor rows = parts_of(c.fixed(0, c.rank(0) - 2), out[0], dtype).transpose(0, 1).clone();
  const Tensor columns = parts_of(c.fixed(0, c.rank(0) - 1), out[1], dtype);
  return c.node("MatMul", {c.node("MatMul", {c.constant(rows), c.in(0)}), c.constant(columns)});
}

/// All windows of a dimension, filled up with what is in them already, and their maxima.
Term windows_max(Call& c, const Term& x, std::int64_t dim, std::int64_t in, std::int64_t out) {
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < out; ++i)
    most = std::max(most, window_of(i, out, in).second - window_of(i, out, in).first);
  Numbers places;
  for (std::int64_t i = 0; i < out; ++i) {
    const auto [begin, end] = window_of(i, out, in);
    for (std::int64_t k = 0; k < most; ++k) places.push_back(std::min(begin + k, end - 1));
  }
  const Term windows = c.node("Gather", {x, c.constant(tensor(places, {out, most}))}, {{"axis", dim}});
  return c.reduce("ReduceMax", windows, {dim + 1}, false);
}

Term adaptive_max(Call& c) {
  const Numbers out = c.integers("output_size");
  const std::int64_t rank = c.rank(0);
  if (out == Numbers{1, 1}) {
    return rank == 4 ? c.node("GlobalMaxPool", c.all()) : c.reduce("ReduceMax", c.in(0), {-2, -1}, true);
  }
  if (divides(c, out)) {
    return of_batch(c, c.in(0), 4, [&](const Term& x) { return Terms{c.node("MaxPool", {x}, divided(c, out))}; })[0];
  }
  const Term rows = windows_max(c, c.in(0), rank - 2, c.fixed(0, rank - 2), out[0]);
  return windows_max(c, rows, rank - 1, c.fixed(0, rank - 1), out[1]);
}

Terms adaptive_max_with_places(Call& c) {
  const Numbers out = c.integers("output_size");
  if (!divides(c, out)) c.refuse("expected sizes that output_size divides, got others");
  Terms found = c.nodes("MaxPool", {c.in(0)}, 2, divided(c, out));
  found[1].dtype = DType::int64;
  found[1] = c.node("Mod", {found[1], c.scalar(c.fixed(0, 2) * c.fixed(0, 3) * c.fixed(0, 4))});
  return found;
}

/// Into zeros, plane by plane.
Term unpooled(Call& c) {
  const Numbers out = c.integers("output_size");
  const std::int64_t volume = out[0] * out[1] * out[2];
  const Term planes = c.slice(c.shape_of(0), 0, c.constants({0}), c.constants({2}));
  const auto joined = [&](const Numbers& sizes) {
    return c.node("Concat", {planes, c.constants(sizes)}, {{"axis", 0}});
  };
  const Term flat = joined({-1});
  const Term nothing = c.node("Expand", {c.constant(0, c.type(0).dtype), joined({volume})});
  const Term filled =
      c.node("ScatterElements", {nothing, c.node("Reshape", {c.in(1), flat}), c.node("Reshape", {c.in(0), flat})},
             {{"axis", 2}});
  return c.node("Reshape", {filled, joined(out)});
}

Term resized(Call& c) {
  const std::string& mode = c.text("mode");
  Dict attributes{{"mode", mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : "nearest"}};
  if (mode == "nearest") {
    attributes.insert("coordinate_transformation_mode", "asymmetric");
    attributes.insert("nearest_mode", "floor");
  } else {
    const bool by_corners = mode != "nearest-exact" && c.flag("align_corners");
    attributes.insert("coordinate_transformation_mode", by_corners ? "align_corners" : "half_pixel");
    if (mode == "nearest-exact") attributes.insert("nearest_mode", "round_prefer_ceil");
    if (mode == "bicubic") attributes.insert("cubic_coeff_a", -0.75);
  }
  if (!c.has("size")) {
    const auto scale = [&](const char* name) { return static_cast<float>(c.number(name, 1)); };
    const Term scales = c.constant(tensor<float>({1, 1, scale("scale_height"), scale("scale_width")}));
    return c.node("Resize", {c.in(0), c.none(), scales}, std::move(attributes));
  }
  const Term planes = c.slice(c.shape_of(0), 0, c.constants({0}), c.constants({2}));
  const Term sizes = c.node("Concat", {planes, c.sizes_of(c.value("size").as_list())}, {{"axis", 0}});
  return c.node("Resize", {c.in(0), c.none(), c.none(), sizes}, std::move(attributes));
}

Term sampled(Call& c) {
  return c.node(
      "GridSample", c.all(),
      {{"mode", c.text("mode")}, {"padding_mode", c.text("padding_mode")}, {"align_corners", c.flag("align_corners")}});
}

constexpr ExportRow kOutImageRows[] = {
    {"adaptive_avg_pool2d", "AveragePool", adaptive_mean,
     "to one value GlobalAveragePool; where sizes do not divide MatMul; of images of fixed size"},
    {"adaptive_max_pool2d", "MaxPool", adaptive_max,
     "to one value GlobalMaxPool; where sizes do not divide Gather, ReduceMax; of images of fixed size"},
    {"adaptive_max_pool_with_indices", "MaxPool, Mod", adaptive_max_with_places,
     "of fixed sizes that output_size divides"},
    {"avg_pool2d", "AveragePool", average_pooled},
    {"conv2d", "Conv", convolved},
    {"conv_transpose2d", "ConvTranspose", convolved_back},
    ExportRow::declined("fractional_max_pool", "its windows are drawn"),
    {"grid_sample", "GridSample", sampled},
    {"interpolate", "Resize", resized},
    {"max_pool2d", "MaxPool", max_pooled},
    {"max_pool_with_indices", "MaxPool, Mod", max_pooled_with_places, "of images of fixed size"},
    {"max_unpool", "ScatterElements", unpooled},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_images = outgoing::kOutImageRows;

}  // namespace teff::serialize
