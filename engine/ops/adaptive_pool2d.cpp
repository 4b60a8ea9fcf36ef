// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/kernels/pool/pool_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct AdaptivePoolOptions {
  Pair output_size = 1;
  static void fields(auto& self, auto&& field) { field("output_size", self.output_size); }
};

/// What both poolings are: every plane of [N, C, H, W] becomes one of output_size.
template <class Derived>
class AdaptivePool : public OpWith<Derived, AdaptivePoolOptions> {
 public:
  using OpWith<Derived, AdaptivePoolOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    ops::check_computable(Derived::kName, inputs);
    const Shape& input = inputs[0].shape;
    ops::check_images(Derived::kName, input);
    const Pair& size = this->options_.output_size;
    ops::check_pair(Derived::kName, "output_size", size, 1);
    return {ops::check_output(Derived::kName, {input[0], input[1], size.height, size.width}), inputs[0].dtype};
  }

  bool saves_input(std::size_t) const override { return false; }

  /// Windows meet, or overlap where there are more of them than places.
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const Shape &in = inputs[0].shape, &out = output.shape;
    return static_cast<double>(in[0] * in[1]) * static_cast<double>(std::max(in[2], out[2])) *
           static_cast<double>(std::max(in[3], out[3]));
  }

 protected:
  static kernels::AdaptivePool2d sizes(const Shape& input, const Shape& output) {
    return {.planes = input[0] * input[1],
            .height = input[2],
            .width = input[3],
            .out_height = output[2],
            .out_width = output[3]};
  }
};

/// Y = sum over the window / its size, dX += dY / size for every place of the window
class AdaptiveAvgPool2d : public AdaptivePool<AdaptiveAvgPool2d> {
 public:
  static constexpr std::string_view kName = "adaptive_avg_pool2d";
  using AdaptivePool::AdaptivePool;

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::adaptive_pool2d_kernels<T>().adaptive_avg_pool2d(sizes(x.shape(), y.shape()), x.data<T>(), y.data<T>());
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::adaptive_pool2d_kernels<T>().adaptive_avg_pool2d_backward(sizes(grad_x.shape(), grad.shape()),
                                                                         grad.data<T>(), grad_x.data<T>());
    });
    return {grad_x};
  }
};

/// Y = max over the window, dX[place of the maximum] += dY
class AdaptiveMaxPool2d : public AdaptivePool<AdaptiveMaxPool2d> {
 public:
  static constexpr std::string_view kName = "adaptive_max_pool2d";
  using AdaptivePool::AdaptivePool;

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result(), indices;
    if (context.recording()) {
      indices = detail::make_tensor({y.shape(), DType::int64});
      context.save(indices);
    }
    if (y.numel() == 0) return y;
    std::int64_t* places = indices.defined() ? indices.data<std::int64_t>() : nullptr;
    const kernels::AdaptivePool2d pool = sizes(x.shape(), y.shape());
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if (pool.height % pool.out_height == 0 && pool.width % pool.out_width == 0) {
        kernels::pool2d_kernels<T>().max_pool2d(window(x.shape(), y.shape()), x.data<T>(), y.data<T>(), places);
      } else {
        kernels::adaptive_pool2d_kernels<T>().adaptive_max_pool2d(pool, x.data<T>(), y.data<T>(), places);
      }
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    if (grad_x.numel() == 0) return {grad_x};
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::pool2d_kernels<T>().max_pool2d_backward(window(grad_x.shape(), grad.shape()), grad.data<T>(),
                                                       context.saved[0].data<std::int64_t>(), grad_x.data<T>());
    });
    return {grad_x};
  }

 private:
  /// What max_pool2d would be told if all windows were of one size. Its backward only asks for the sizes of the images.
  static kernels::Window2d window(const Shape& input, const Shape& output) {
    const Pair size{input[2] / output[2], input[3] / output[3]};
    return ops::make_window(input, output, {.kernel = size, .stride = size, .padding = 0});
  }
};

}  // namespace

Tensor adaptive_avg_pool2d(const Tensor& x, const Pair& output_size) {
  return apply(AdaptiveAvgPool2d({output_size}), {x});
}

Tensor adaptive_max_pool2d(const Tensor& x, const Pair& output_size) {
  return apply(AdaptiveMaxPool2d({output_size}), {x});
}

std::span<const OpEntry> ops::adaptive_pool2d_ops() {
  static const OpEntry entries[] = {op_entry<AdaptiveAvgPool2d>(), op_entry<AdaptiveMaxPool2d>()};
  return entries;
}

}  // namespace teff
