// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct SoftmaxOptions {
  std::int64_t dim = -1;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

/// softmax:     y = exp(x) / sum(exp(x)),      dX = y * (dY - sum(dY * y))
/// log_softmax: y = x - log(sum(exp(x))),      dX = dY - exp(y) * sum(dY)
template <bool kLog>
class SoftmaxOp : public OpWith<SoftmaxOp<kLog>, SoftmaxOptions> {
 public:
  static constexpr std::string_view kName = kLog ? "log_softmax" : "softmax";
  using OpWith<SoftmaxOp, SoftmaxOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    ops::check_dim(kName, this->options_.dim, inputs[0].shape);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    const ops::Split s = split(x.shape());
    if (x.numel() > 0) {
      ops::visit_computable(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto& table = kernels::softmax_kernels<T>();
        (kLog ? table.log_softmax : table.softmax)(s.outer, s.size, s.inner, x.data<T>(), y.data<T>());
      });
    }
    context.save(y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &grad = context.grad, &y = context.saved[0];
    Tensor grad_x = detail::make_tensor(grad.type());
    const ops::Split s = split(grad.shape());
    if (grad.numel() > 0) {
      ops::visit_computable(grad.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto& table = kernels::softmax_kernels<T>();
        (kLog ? table.log_softmax_backward : table.softmax_backward)(s.outer, s.size, s.inner, grad.data<T>(),
                                                                     y.data<T>(), grad_x.data<T>());
      });
    }
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return false; }

 private:
  ops::Split split(const Shape& shape) const { return {shape, ops::check_dim(kName, this->options_.dim, shape)}; }
};

}  // namespace

Tensor softmax(const Tensor& x, Integer dim) { return apply(SoftmaxOp<false>({dim}), {x}); }
Tensor log_softmax(const Tensor& x, Integer dim) { return apply(SoftmaxOp<true>({dim}), {x}); }

std::span<const OpEntry> ops::softmax_ops() {
  static const OpEntry entries[] = {op_entry<SoftmaxOp<false>>(), op_entry<SoftmaxOp<true>>()};
  return entries;
}

}  // namespace teff
