// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "support/onnx_operators.h"
#include "teff/engine/ops.h"

namespace teff::testing {
namespace {

using Case = OnnxTestCase;
using Numbers = std::vector<std::int64_t>;

Pair pair(const Numbers& values) { return {values[0], values[1]}; }

/// What a window of two dimensions is told by attributes.
struct Window {
  Pair kernel, stride, dilation;
  Numbers pads;  // top, left, bottom, right

  Window(const Case& c, const Pair& kernel_size)
      : kernel(kernel_size),
        stride(pair(c.node.numbers("strides", {1, 1}))),
        dilation(pair(c.node.numbers("dilations", {1, 1}))),
        pads(c.node.numbers("pads", {0, 0, 0, 0})) {
    const std::string automatic = c.node.text("auto_pad", "NOTSET");
    if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") return;
    const bool upper = automatic == "SAME_UPPER";
    set_same(0, c.inputs[0].size(2), kernel.height, stride.height, dilation.height, upper);
    set_same(1, c.inputs[0].size(3), kernel.width, stride.width, dilation.width, upper);
  }

  bool symmetric() const { return pads[0] == pads[2] && pads[1] == pads[3]; }
  Pair padding() const { return {pads[0], pads[1]}; }
  /// As pad() takes them.
  IntList sides(std::int64_t sign = 1) const {
    return {sign * pads[1], sign * pads[3], sign * pads[0], sign * pads[2]};
  }

  /// `total` on both sides; a negative one adds to the result, at its end.
  void set(std::size_t axis, std::int64_t total, bool upper) {
    pads[axis] = total < 0 ? 0 : upper ? total / 2 : total - total / 2;
    pads[axis + 2] = total - pads[axis];
  }

 private:
  /// The result is the input's size divided by the stride, rounded up.
  void set_same(std::size_t axis, std::int64_t size, std::int64_t extent, std::int64_t step, std::int64_t spread,
                bool upper) {
    const std::int64_t out = (size + step - 1) / step;
    const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * step + spread * (extent - 1) + 1 - size);
    set(axis, total, upper);
  }
};

Pair kernel_of(const Tensor& weight) { return {weight.size(2), weight.size(3)}; }

Tensor convolved(const Case& c) {
  expect_covered(c.inputs[0].dim() == 4, "other than two dimensions");
  const Window w(c, kernel_of(c.inputs[1]));
  const Tensor x = w.symmetric() ? c.inputs[0] : pad(c.inputs[0], w.sides());
  return conv2d(x, c.inputs[1], input_or_none(c, 2),
                {.stride = w.stride,
                 .padding = w.symmetric() ? w.padding() : Pair(0),
                 .dilation = w.dilation,
                 .groups = c.node.number("group", 1)});
}

/// Of the whole result, what the padding leaves.
Tensor convolved_back(const Case& c) {
  expect_covered(c.inputs[0].dim() == 4, "other than two dimensions");
  Window w(c, kernel_of(c.inputs[1]));
  const Pair extra = pair(c.node.numbers("output_padding", {0, 0}));
  const Tensor whole = conv_transpose2d(
      c.inputs[0], c.inputs[1], input_or_none(c, 2),
      {.stride = w.stride, .output_padding = extra, .groups = c.node.number("group", 1), .dilation = w.dilation});
  const std::string automatic = c.node.text("auto_pad", "NOTSET");
  Numbers size = c.node.numbers("output_shape");
  if (size.empty() && automatic != "NOTSET") {
    size = {c.inputs[0].size(2) * w.stride.height, c.inputs[0].size(3) * w.stride.width};
  }
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    w.set(axis, whole.size(static_cast<std::int64_t>(axis) + 2) - size[axis], automatic == "SAME_UPPER");
  }
  return pad(whole, w.sides(-1));
}

Tensor max_pooled(const Case& c) {
  expect_covered(c.inputs[0].dim() == 4, "other than two dimensions");
  expect_covered(c.outputs.size() == 1, "places of the maxima");
  const Window w(c, pair(c.node.numbers("kernel_shape")));
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  const bool direct = w.symmetric() && 2 * w.pads[0] <= w.kernel.height && 2 * w.pads[1] <= w.kernel.width;
  const Tensor x = direct ? c.inputs[0] : pad(c.inputs[0], w.sides(), kNone);
  return max_pool2d(x, w.kernel,
                    {.stride = w.stride,
                     .padding = direct ? w.padding() : Pair(0),
                     .dilation = w.dilation,
                     .ceil_mode = c.node.number("ceil_mode", 0) != 0});
}

Tensor average_pooled(const Case& c) {
  expect_covered(c.inputs[0].dim() == 4, "other than two dimensions");
  const Window w(c, pair(c.node.numbers("kernel_shape")));
  expect_covered(w.symmetric(), "other padding on one side");
  expect_covered(2 * w.pads[0] <= w.kernel.height && 2 * w.pads[1] <= w.kernel.width, "padding above half the kernel");
  return avg_pool2d(c.inputs[0], w.kernel,
                    {.stride = w.stride,
                     .padding = w.padding(),
                     .ceil_mode = c.node.number("ceil_mode", 0) != 0,
                     .count_include_pad = c.node.number("count_include_pad", 0) != 0});
}

Tensor batch_normalised(const Case& c) {
  expect_covered(c.node.number("training_mode", 0) == 0, "training");
  return batch_norm(c.inputs[0], c.inputs[3], c.inputs[4], c.inputs[1], c.inputs[2],
                    {.eps = c.node.real("epsilon", 1e-5)});
}

Tensor instance_normalised(const Case& c) {
  return group_norm(c.inputs[0], c.inputs[0].size(1), c.inputs[1], c.inputs[2], c.node.real("epsilon", 1e-5));
}

Tensor layer_normalised(const Case& c) {
  const Shape& shape = c.inputs[0].shape();
  std::int64_t axis = c.node.number("axis", -1);
  if (axis < 0) axis += c.inputs[0].dim();
  const Shape last{std::span(shape.begin() + axis, shape.end())};
  return layer_norm(c.inputs[0], last, c.inputs[1], input_or_none(c, 2), c.node.real("epsilon", 1e-5));
}

Tensor dropped(const Case& c) {
  expect_covered(c.outputs.size() == 1, "the mask");
  const Tensor training = input_or_none(c, 2);
  expect_covered(!training.defined() || training.to(DType::int64).item<int>() == 0, "ONNX's random numbers");
  return dropout(c.inputs[0], c.node.real("ratio", 0.5), false);
}

Tensor padded(const Case& c) {
  const Numbers pads = numbers_of(c.inputs[1]);
  const std::size_t rank = pads.size() / 2;
  IntList sides;  // from the last dimension on
  for (std::size_t i = rank; i-- > 0;) {
    sides.push_back(pads[i]);
    sides.push_back(pads[rank + i]);
  }
  const std::string mode = c.node.text("mode", "constant");
  if (mode == "edge") return pad(c.inputs[0], sides, PadMode::replicate);
  if (mode == "reflect") return pad(c.inputs[0], sides, PadMode::reflect);
  const Tensor value = input_or_none(c, 2);
  return pad(c.inputs[0], sides, value.defined() ? value.to(DType::float64).item<double>() : 0);
}

/// The size, or the factors; and not along the first two dimensions.
InterpolateOptions resize_options(const Case& c) {
  InterpolateOptions options;
  const Tensor sizes = input_or_none(c, 3);
  if (sizes.defined()) {
    const Numbers size = numbers_of(sizes);
    options.size = Pair(size[2], size[3]);
  } else {
    const Tensor scales = c.inputs[c.node.op_type == "Upsample" ? 1 : 2].to(DType::float64);
    options.scale_factor = ScaleFactor(scales.data<double>()[2], scales.data<double>()[3]);
  }
  return options;
}

Tensor resized(const Case& c) {
  const std::string mode = c.node.text("mode", "nearest");
  const bool old = c.node.op_type == "Upsample";
  const std::string places = c.node.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const std::string rounding = c.node.text("nearest_mode", old ? "floor" : "round_prefer_floor");
  InterpolateOptions options = resize_options(c);
  if (mode == "nearest") {
    // Where each pixel is repeated, all ways of rounding but one agree.
    const bool repeats = options.scale_factor &&
                         std::trunc(options.scale_factor->height) == options.scale_factor->height &&
                         std::trunc(options.scale_factor->width) == options.scale_factor->width;
    expect_covered((places == "asymmetric" && rounding == "floor") || (repeats && places == "half_pixel"),
                   "other places of nearest pixels");
  } else {
    expect_covered(mode == "linear", "cubic interpolation");
    options.mode = InterpolateMode::bilinear;
    options.align_corners = places == "align_corners";
    const bool to_one = options.size && options.size->sizes().contains(1);
    expect_covered(!options.align_corners || !options.scale_factor || options.scale_factor->height >= 1,
                   "corners aligned by a factor that leaves no whole size");
    expect_covered(options.align_corners || places == "half_pixel" || (places == "pytorch_half_pixel" && !to_one),
                   "other places of mixed pixels");
  }
  return interpolate(c.inputs[0], options);
}

}  // namespace

void add_image_operators(OnnxOperators& ops) {
  ops["Conv"] = one(convolved);
  ops["ConvTranspose"] = one(convolved_back);
  ops["MaxPool"] = one(max_pooled);
  ops["AveragePool"] = one(average_pooled);
  ops["GlobalMaxPool"] = one([](const Case& c) { return adaptive_max_pool2d(c.inputs[0], 1); });
  ops["GlobalAveragePool"] = one([](const Case& c) { return adaptive_avg_pool2d(c.inputs[0], 1); });
  ops["BatchNormalization"] = one(batch_normalised);
  ops["InstanceNormalization"] = one(instance_normalised);
  ops["LayerNormalization"] = one(layer_normalised);
  ops["Dropout"] = one(dropped);
  ops["Pad"] = one(padded);
  ops["Resize"] = one(resized);
  ops["Upsample"] = one(resized);
}

}  // namespace teff::testing
