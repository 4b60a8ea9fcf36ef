// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/kernels/conv/conv_kernels.h"
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/folding.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

ops::WindowOptions window_options(const Conv2dFuncOptions& options, const Shape& weight) {
  return {.kernel = {weight[2], weight[3]},
          .stride = options.stride,
          .padding = options.padding,
          .dilation = options.dilation};
}

void check_weight(std::string_view op, const Shape& weight, std::int64_t groups) {
  if (weight.size() != 4 || numel(weight) == 0) {
    ops::fail<ShapeError>(op, "weight [K, C / groups, kh, kw] with no empty dimension, got weight ", weight);
  }
  ops::check_filters(op, weight);
  if (groups < 1 || groups > weight[0] || weight[0] % groups != 0) {
    ops::fail<ValueError>(op, "groups that divide the ", weight[0], " output channels of weight ", weight,
                          ", got groups = ", groups);
  }
}

void check_input(std::string_view op, const Shape& input, const Shape& weight, std::int64_t groups) {
  const std::int64_t channels = weight[1] * groups;
  if (input.size() != 4 || input[1] != channels) {
    const std::string with_groups = groups == 1 ? "" : ops::text(" and groups = ", groups);
    ops::fail<ShapeError>(op, "input [N, C, H, W] with C = ", channels, " to match weight ", weight, with_groups,
                          ", got input ", input);
  }
  ops::check_images(op, input);
}

/// Y = conv(X, W) + b, dX = conv_transpose(dY, W), dW = dY * cols(X)^T, db = sum of dY over all but the
/// channels. For inference Y may be clamped at last.
class Conv2d : public OpWith<Conv2d, Conv2dFuncOptions> {
 public:
  static constexpr std::string_view kName = "conv2d";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 2, 3);
    ops::check_computable(kName, inputs);
    const Shape &input = inputs[0].shape, &weight = inputs[1].shape;
    check_weight(kName, weight, options_.groups);
    check_input(kName, input, weight, options_.groups);
    if (inputs.size() == 3) {
      ops::check_matches(kName, "bias", inputs[2].shape, {weight[0]}, "weight", weight);
    }
    const ops::WindowOptions window = window_options(options_, weight);
    ops::check_window(kName, window);
    const Shape output = ops::window_output(kName, input, window, weight[0]);
    ops::check_work(kName, input, output, weight, options_.groups);
    return {output, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &input = context.inputs[0], &weight = context.inputs[1];
    Tensor output = context.make_result();
    if (output.numel() == 0) return output;
    kernels::Window2d window = make_window(input.shape(), weight.shape(), output.shape());
    const bool packed = packed_.defined();
    window.winograd = packed ? winograd_ : is_winograd_enabled();
    ops::visit_computable(output.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto compute = packed ? kernels::conv2d_kernels<T>().conv2d_packed : kernels::conv2d_kernels<T>().conv2d;
      const T* bias = context.inputs.size() == 3 ? context.inputs[2].data<T>() : nullptr;
      const T* filters = (packed ? packed_ : weight).data<T>();
      const Clamping clamp = clamp_.value_or(Clamping{});
      compute(window, input.data<T>(), filters, bias, {static_cast<T>(clamp.low), static_cast<T>(clamp.high)},
              output.data<T>());
    });
    return output;
  }

  std::shared_ptr<const Op> prepare(std::span<const TensorType> types,
                                    std::span<const Tensor> constants) const override {
    if (!constants[1].defined() || numel(types[0].shape) == 0) return nullptr;
    kernels::Window2d window = make_window(types[0].shape, types[1].shape, output_type(types).shape);
    window.winograd = is_winograd_enabled();
    std::shared_ptr<const Op> prepared;
    ops::visit_computable(types[0].dtype, [&](auto zero) {
      using T = decltype(zero);
      const auto& table = kernels::conv2d_kernels<T>();
      const std::int64_t size = table.conv2d_packed_size(window);
      if (size == 0) return;
      Conv2d op = *this;
      op.winograd_ = window.winograd;
      op.packed_ = detail::make_tensor({{size}, types[1].dtype});
      table.conv2d_pack(window, constants[1].data<T>(), op.packed_.data<T>());
      prepared = op.share();
    });
    return prepared;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const Shape &input = inputs[0].shape, &weight = inputs[1].shape;
    const double products =
        static_cast<double>(numel(output.shape)) * static_cast<double>(weight[1] * weight[2] * weight[3]);
    // Rows of padding are zeros that somebody writes.
    const double rows = static_cast<double>(input[0] * input[1]) * static_cast<double>(output.shape[2]);
    return std::max(2 * products, rows * static_cast<double>(input[3]));
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    ops::visit_computable(context.grad.dtype(), [&](auto zero) { compute_gradients<decltype(zero)>(context, grads); });
    return grads;
  }

  std::string_view name() const override { return clamp_ ? "conv2d_clamp" : kName; }
  bool differentiable() const override { return !clamp_; }
  bool saves_input(std::size_t i) const override { return i < 2; }

  std::shared_ptr<const Op> fuse(const Op& next) const override {
    if (clamp_ || !next.clamping()) return nullptr;
    Conv2d op = *this;
    op.clamp_ = next.clamping();
    return op.share();
  }

  TensorList fold(const ChannelAffine& next, std::span<const TensorType> types,
                  std::span<const Tensor> constants) const override {
    if (clamp_) return {};
    return ops::fold(next, constants, {1, 1, types[1].shape[0], numel(types[1].shape) / types[1].shape[0]});
  }

 private:
  kernels::Window2d make_window(const Shape& input, const Shape& weight, const Shape& output) const {
    return ops::make_window(input, output, window_options(options_, weight), options_.groups);
  }

  template <class T>
  void compute_gradients(const BackwardContext& context, TensorList& grads) const {
    const Tensor &input = context.inputs[0], &weight = context.inputs[1], &grad = context.grad;
    kernels::Window2d window = make_window(input.shape(), weight.shape(), grad.shape());
    window.winograd = is_winograd_enabled();
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!context.wanted[i]) continue;
      if (grad.numel() == 0) {
        grads[i] = ops::new_zeros(context.inputs[i].type());
        continue;
      }
      grads[i] = detail::make_tensor(context.inputs[i].type());
      T* const result = grads[i].data<T>();
      if (i == 0)
        kernels::conv2d_input_kernels<T>().conv2d_backward_input(window, grad.data<T>(), weight.data<T>(), result);
      if (i == 1)
        kernels::conv2d_weight_kernels<T>().conv2d_backward_weight(window, grad.data<T>(), input.data<T>(), result);
      if (i == 2) {
        kernels::reduce_kernels<T>().sum_per_channel(window.batch, window.out_channels,
                                                     window.out_height * window.out_width, grad.data<T>(), result);
      }
    }
  }

  std::optional<Clamping> clamp_;
  Tensor packed_;          // the weight, if it was constant when the op was prepared
  bool winograd_ = false;  // whether it may be packed for that
};

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dFuncOptions& options) {
  return bias.defined() ? apply(Conv2d(options), {x, weight, bias}) : apply(Conv2d(options), {x, weight});
}

std::span<const OpEntry> ops::conv2d_ops() {
  static const OpEntry entries[] = {op_entry<Conv2d>()};
  return entries;
}

}  // namespace teff
