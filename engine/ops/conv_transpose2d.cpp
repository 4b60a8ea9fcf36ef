// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/kernels/conv/conv_kernels.h"
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/folding.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

constexpr std::string_view kFunction = "conv_transpose2d";

void check_weight(const Shape& weight, std::int64_t groups) {
  if (weight.size() != 4 || numel(weight) == 0) {
    ops::fail<ShapeError>(kFunction, "weight [C, K / groups, kh, kw] with no empty dimension, got weight ", weight);
  }
  ops::check_filters(kFunction, weight);
  if (groups < 1 || groups > weight[0] || weight[0] % groups != 0) {
    ops::fail<ValueError>(kFunction, "groups that divide the ", weight[0], " input channels of weight ", weight,
                          ", got groups = ", groups);
  }
}

void check_output_padding(const ConvTranspose2dFuncOptions& options) {
  const auto fits = [](std::int64_t padding, std::int64_t stride, std::int64_t dilation) {
    return padding < stride || padding < dilation;
  };
  if (fits(options.output_padding.height, options.stride.height, options.dilation.height) &&
      fits(options.output_padding.width, options.stride.width, options.dilation.width)) {
    return;
  }
  ops::fail<ValueError>(kFunction, "output_padding below the stride or the dilation, got output_padding ",
                        to_string(options.output_padding), ", stride ", to_string(options.stride), " and dilation ",
                        to_string(options.dilation));
}

/// y[n, k] += bias[k], if there is one, and clamped, if asked for
template <class T>
void finish(const Tensor& y, const T* bias, const std::optional<Clamping>& clamp) {
  using kernels::kGrain;
  const std::int64_t channels = y.size(1), pixels = y.size(2) * y.size(3);
  parallel_ranges(y.size(0) * channels, kGrain / std::min(kGrain, pixels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      T* const values = y.data<T>() + plane * pixels;
      if (bias != nullptr) {
        kernels::elementwise_kernels<T>().binary(kernels::Binary::add, pixels, values, 1, bias + plane % channels, 0,
                                                 values);
      }
      if (clamp) {
        kernels::elementwise_kernels<T>().unary(kernels::Unary::clamp, pixels, static_cast<T>(clamp->low),
                                                static_cast<T>(clamp->high), values, values);
      }
    }
  });
}

/// conv2d the other way round: its input is this one's result, and its output this one's input. With that convolution
/// Y = conv_transpose(X, W) + b, dX = conv(dY, W), dW = X * cols(dY)^T, db = sum of dY over all but the channels. For
/// inference Y may be clamped at last.
class ConvTranspose2d : public OpWith<ConvTranspose2d, ConvTranspose2dFuncOptions> {
 public:
  static constexpr std::string_view kName = kFunction;
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 2, 3);
    ops::check_computable(kName, inputs);
    const Shape &input = inputs[0].shape, &weight = inputs[1].shape;
    check_weight(weight, options_.groups);
    if (input.size() != 4 || input[1] != weight[0]) {
      ops::fail<ShapeError>(kName, "input [N, C, H, W] with C = ", weight[0], " to match weight ", weight,
                            ", got input ", input);
    }
    ops::check_images(kName, input);
    ops::check_window(kName, window_options(weight));
    ops::check_pair(kName, "output_padding", options_.output_padding, 0);
    check_output_padding(options_);
    const Shape output = output_shape(input, weight);
    if (inputs.size() == 3) {
      ops::check_matches(kName, "bias", inputs[2].shape, {output[1]}, "weight", weight);
    }
    ops::check_output(kName, output);
    ops::check_work(kName, output, input, weight, options_.groups);
    return {output, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &weight = context.inputs[1];
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::conv2d_input_kernels<T>().conv2d_backward_input(window(y.shape(), weight.shape(), x.shape()),
                                                               x.data<T>(), weight.data<T>(), y.data<T>());
      const T* const bias = context.inputs.size() == 3 ? context.inputs[2].data<T>() : nullptr;
      if (bias != nullptr || clamp_) finish(y, bias, clamp_);
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!context.wanted[i]) continue;
      const TensorType& type = context.inputs[i].type();
      grads[i] = context.grad.numel() == 0 ? ops::new_zeros(type) : detail::make_tensor(type);
    }
    if (context.grad.numel() == 0) return grads;
    ops::visit_computable(context.grad.dtype(), [&](auto zero) { differentiate<decltype(zero)>(context, grads); });
    return grads;
  }

  /// Of every pixel of the input, or of every place of the result, which dilation may set far apart.
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const Shape& weight = inputs[1].shape;
    const double taps = static_cast<double>(weight[2]) * static_cast<double>(weight[3]);
    const double strides = static_cast<double>(options_.stride.height) * static_cast<double>(options_.stride.width);
    const std::int64_t channels = weight[0] / options_.groups;
    return 2 * taps *
           std::max(static_cast<double>(numel(inputs[0].shape)) * static_cast<double>(weight[1]),
                    static_cast<double>(numel(output.shape)) * static_cast<double>(channels) / strides);
  }

  std::string_view name() const override { return clamp_ ? "conv_transpose2d_clamp" : kName; }
  bool differentiable() const override { return !clamp_; }
  bool saves_input(std::size_t i) const override { return i < 2; }

  std::shared_ptr<const Op> fuse(const Op& next) const override {
    if (clamp_ || !next.clamping()) return nullptr;
    ConvTranspose2d op = *this;
    op.clamp_ = next.clamping();
    return op.share();
  }

  TensorList fold(const ChannelAffine& next, std::span<const TensorType> types,
                  std::span<const Tensor> constants) const override {
    if (clamp_) return {};
    const Shape& weight = types[1].shape;  // each group's rows have channels of their own
    const std::int64_t groups = options_.groups, rows = weight[0] / groups;
    return ops::fold(next, constants, {groups, rows, weight[1], weight[2] * weight[3]});
  }

 private:
  ops::WindowOptions window_options(const Shape& weight) const {
    return {.kernel = {weight[2], weight[3]},
            .stride = options_.stride,
            .padding = options_.padding,
            .dilation = options_.dilation};
  }

  Shape output_shape(const Shape& input, const Shape& weight) const {
    const auto size = [](std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                         std::int64_t dilation, std::int64_t extra) {
      return (in - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1;
    };
    const std::int64_t height = size(input[2], weight[2], options_.stride.height, options_.padding.height,
                                     options_.dilation.height, options_.output_padding.height);
    const std::int64_t width = size(input[3], weight[3], options_.stride.width, options_.padding.width,
                                    options_.dilation.width, options_.output_padding.width);
    if (height <= 0 || width <= 0) {
      ops::fail<ShapeError>(kName, "padding that leaves pixels of the result, got padding ",
                            to_string(options_.padding), " for a result of ", to_string(Pair(height, width)),
                            " from input ", input, " and weight ", weight);
    }
    return {input[0], weight[1] * options_.groups, height, width};
  }

  /// Of the convolution that takes y to x.
  kernels::Window2d window(const Shape& y, const Shape& weight, const Shape& x) const {
    return ops::make_window(y, x, window_options(weight), options_.groups);
  }

  template <class T>
  void differentiate(const BackwardContext& context, const TensorList& grads) const {
    const Tensor &x = context.inputs[0], &weight = context.inputs[1], &grad = context.grad;
    const kernels::Window2d w = window(grad.shape(), weight.shape(), x.shape());
    if (grads[0].defined()) {
      kernels::conv2d_kernels<T>().conv2d(w, grad.data<T>(), weight.data<T>(), nullptr, {}, grads[0].data<T>());
    }
    if (grads[1].defined()) {
      kernels::conv2d_weight_kernels<T>().conv2d_backward_weight(w, x.data<T>(), grad.data<T>(), grads[1].data<T>());
    }
    if (grads.size() == 3 && grads[2].defined()) {
      kernels::reduce_kernels<T>().sum_per_channel(w.batch, w.channels, w.height * w.width, grad.data<T>(),
                                                   grads[2].data<T>());
    }
  }

  std::optional<Clamping> clamp_;
};

}  // namespace

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dFuncOptions& options) {
  const ConvTranspose2d op(options);
  return bias.defined() ? apply(op, {x, weight, bias}) : apply(op, {x, weight});
}

std::span<const OpEntry> ops::conv_transpose2d_ops() {
  static const OpEntry entries[] = {op_entry<ConvTranspose2d>()};
  return entries;
}

}  // namespace teff
