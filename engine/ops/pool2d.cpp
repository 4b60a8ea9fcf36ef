// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/kernels/pool/pool_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

// What a file says of a pooling: the kernel's size beside the public options.

struct MaxPoolFields : MaxPool2dFuncOptions {
  Pair kernel_size = 1;
  MaxPoolFields() = default;
  MaxPoolFields(const Pair& kernel, const MaxPool2dFuncOptions& options)
      : MaxPool2dFuncOptions(options), kernel_size(kernel) {}

  static void fields(auto& self, auto&& field) {
    field("kernel_size", self.kernel_size);
    field("stride", self.stride);
    field("padding", self.padding);
    field("dilation", self.dilation);
    field("ceil_mode", self.ceil_mode);
  }
  ops::WindowOptions window() const {
    return {kernel_size, stride.value_or(kernel_size), padding, dilation, ceil_mode};
  }
};

struct AvgPoolFields : AvgPool2dFuncOptions {
  Pair kernel_size = 1;
  AvgPoolFields() = default;
  AvgPoolFields(const Pair& kernel, const AvgPool2dFuncOptions& options)
      : AvgPool2dFuncOptions(options), kernel_size(kernel) {}

  static void fields(auto& self, auto&& field) {
    field("kernel_size", self.kernel_size);
    field("stride", self.stride);
    field("padding", self.padding);
    field("ceil_mode", self.ceil_mode);
    field("count_include_pad", self.count_include_pad);
    field("divisor_override", self.divisor_override);
  }
  ops::WindowOptions window() const { return {kernel_size, stride.value_or(kernel_size), padding, 1, ceil_mode}; }
};

template <class Derived, class Fields>
class Pool : public OpWith<Derived, Fields> {
 public:
  using OpWith<Derived, Fields>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    ops::check_computable(Derived::kName, inputs);
    const Shape& input = inputs[0].shape;
    ops::check_images(Derived::kName, input);
    const ops::WindowOptions window = this->options_.window();
    ops::check_window(Derived::kName, window);
    if (window.padding.height > window.kernel.height / 2 || window.padding.width > window.kernel.width / 2) {
      ops::fail<ValueError>(Derived::kName, "padding of at most half of the kernel's size, got padding ",
                            to_string(window.padding), " and kernel_size ", to_string(window.kernel));
    }
    return {ops::window_output(Derived::kName, input, window, input[1]), inputs[0].dtype};
  }

  bool saves_input(std::size_t) const override { return false; }

  /// Of every window what lies in the image; but whole rows are joined before their columns.
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const Shape& input = inputs[0].shape;
    const ops::WindowOptions window = this->options_.window();
    const auto inside = [](std::int64_t kernel, std::int64_t dilation, std::int64_t size) {
      return static_cast<double>(std::min(kernel, (size - 1) / dilation + 1));
    };
    const double rows = static_cast<double>(numel(output.shape)) / static_cast<double>(output.shape[3]) *
                        inside(window.kernel.height, window.dilation.height, input[2]);
    const double columns = inside(window.kernel.width, window.dilation.width, input[3]);
    return rows * std::max(static_cast<double>(output.shape[3]) * columns, static_cast<double>(input[3]));
  }

 protected:
  kernels::Window2d make_window(const Shape& input, const Shape& output) const {
    return ops::make_window(input, output, this->options_.window());
  }
};

/// Y = max over the window, dX[place of the maximum] += dY. The places are kept for backward; but in the windows that
/// most networks have, 2 by 2 side by side, they are found again in the input, which is what an operation before keeps
/// anyway.
class MaxPool2d : public Pool<MaxPool2d, MaxPoolFields> {
 public:
  static constexpr std::string_view kName = "max_pool2d";
  using Pool::Pool;

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& input = context.inputs[0];
    Tensor output = context.make_result();
    Tensor indices;
    if (context.recording() && !tiles()) {
      indices = detail::make_tensor({output.shape(), DType::int64});
      context.save(indices);
    }
    if (output.numel() == 0) return output;
    const kernels::Window2d window = make_window(input.shape(), output.shape());
    ops::visit_computable(output.dtype(), [&](auto zero) {
      using T = decltype(zero);
      std::int64_t* places = indices.defined() ? indices.data<std::int64_t>() : nullptr;
      kernels::pool2d_kernels<T>().max_pool2d(window, input.data<T>(), output.data<T>(), places);
    });
    return output;
  }

  bool saves_input(std::size_t) const override { return tiles(); }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_input = detail::make_tensor(context.inputs[0].type());
    if (grad_input.numel() == 0) return {grad_input};
    const kernels::Window2d window = make_window(grad_input.shape(), grad.shape());
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto& table = kernels::pool2d_kernels<T>();
      T* const to = grad_input.data<T>();
      if (tiles()) {
        table.max_pool2d_tiles_backward(window, grad.data<T>(), context.inputs[0].data<T>(), to);
      } else {
        table.max_pool2d_backward(window, grad.data<T>(), context.saved[0].data<std::int64_t>(), to);
      }
    });
    return {grad_input};
  }

 private:
  bool tiles() const {
    const ops::WindowOptions window = options_.window();
    return window.kernel == Pair(2) && window.stride == Pair(2) && window.padding == Pair(0) &&
           window.dilation == Pair(1) && !window.ceil_mode;
  }
};

/// Y = sum over the window / divisor, dX += dY / divisor for every place of the window
class AvgPool2d : public Pool<AvgPool2d, AvgPoolFields> {
 public:
  static constexpr std::string_view kName = "avg_pool2d";
  using Pool::Pool;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (options_.divisor_override == 0) ops::fail<ValueError>(kName, "divisor_override other than 0, got 0");
    return Pool::output_type(inputs);
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& input = context.inputs[0];
    Tensor output = context.make_result();
    if (output.numel() == 0) return output;
    const kernels::Window2d window = make_window(input.shape(), output.shape());
    ops::visit_computable(output.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::pool2d_kernels<T>().avg_pool2d(window, options_.count_include_pad, options_.divisor_override.value_or(0),
                                              input.data<T>(), output.data<T>());
    });
    return output;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_input = detail::make_tensor(context.inputs[0].type());
    if (grad_input.numel() == 0) return {grad_input};
    const kernels::Window2d window = make_window(grad_input.shape(), grad.shape());
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::pool2d_kernels<T>().avg_pool2d_backward(window, options_.count_include_pad,
                                                       options_.divisor_override.value_or(0), grad.data<T>(),
                                                       grad_input.data<T>());
    });
    return {grad_input};
  }
};

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dFuncOptions& options) {
  return apply(MaxPool2d(MaxPoolFields(kernel_size, options)), {x});
}

Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dFuncOptions& options) {
  return apply(AvgPool2d(AvgPoolFields(kernel_size, options)), {x});
}

std::span<const OpEntry> ops::pool2d_ops() {
  static const OpEntry entries[] = {op_entry<MaxPool2d>(), op_entry<AvgPool2d>()};
  return entries;
}

}  // namespace teff
