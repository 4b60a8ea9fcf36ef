// SPDX-License-Identifier: MIT
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/ops/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Binary;

struct LossOptions {
  Reduction reduction = Reduction::mean;
  static void fields(auto& self, auto&& field) { field("reduction", self.reduction); }
};

/// A classification's input [N, C, ...] and target [N, ...].
void check_classes(std::string_view op, const TensorType& input, const TensorType& target) {
  ops::check_computable(op, {&input, 1});
  if (target.dtype != DType::int64) {
    ops::fail<TypeError>(op, "target of int64 class indices, got ", to_string(target.dtype),
                         "; convert it with to(DType::int64)");
  }
  const Shape& shape = input.shape;
  if (shape.size() < 2) ops::fail<ShapeError>(op, "input [N, C, ...], got input ", shape);
  Shape expected = shape;
  expected.erase(1);
  ops::check_matches(op, "target", target.shape, expected, "input", shape);
}

/// y[n] = -x[n, target[n]], dX[n, target[n]] = -dY[n] (mean: divided by the number of targets)
class NllLoss : public OpWith<NllLoss, LossOptions> {
 public:
  static constexpr std::string_view kName = "nll_loss";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    check_classes(kName, inputs[0], inputs[1]);
    return {options_.reduction == Reduction::none ? inputs[1].shape : Shape{}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &target = context.inputs[1];
    check_targets(target, x.shape()[1]);
    Tensor losses = detail::make_tensor({target.shape(), x.dtype()});
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* values = x.data<T>();
      T* out = losses.data<T>();
      for_each_target(x.shape(), target,
                      [=](std::int64_t i, std::int64_t place) { out[i] = -values[place]; });
    });
    if (options_.reduction == Reduction::none) return losses;
    Tensor result = ops::sum_to(losses, {});
    if (options_.reduction == Reduction::mean) {
      ops::compute(Binary::div, result, static_cast<double>(target.numel()), result);
    }
    return result;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &target = context.inputs[1], &grad = context.grad;
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const std::int64_t step = options_.reduction == Reduction::none ? 1 : 0;
      const T divisor = options_.reduction == Reduction::mean ? static_cast<T>(target.numel()) : T{1};
      const T* dy = grad.data<T>();
      T* dx = grad_x.data<T>();
      for_each_target(grad_x.shape(), target,
                      [=](std::int64_t i, std::int64_t place) { dx[place] = -dy[i * step] / divisor; });
    });
    return {grad_x, Tensor()};
  }

  bool saves_input(std::size_t i) const override { return i == 1; }

 private:
  static void check_targets(const Tensor& target, std::int64_t classes) {
    const std::int64_t* values = target.data<std::int64_t>();
    for (std::int64_t i = 0; i < target.numel(); ++i) {
      if (values[i] >= 0 && values[i] < classes) continue;
      ops::fail<IndexError>(kName, "targets in [0, ", classes, "), got ", values[i], " at index ", i);
    }
  }

  /// Calls function(i, place of x[n, target i, s]) for every target i = [n, s].
  template <class Function>
  static void for_each_target(const Shape& shape, const Tensor& target, const Function& function) {
    const ops::Split split(shape, 1);
    const std::int64_t* values = target.data<std::int64_t>();
    for (std::int64_t i = 0; i < target.numel(); ++i) {
      const std::int64_t n = i / split.inner, s = i % split.inner;
      function(i, (n * split.size + values[i]) * split.inner + s);
    }
  }
};

/// y = (a - b)^2, dA = 2 dY (a - b) (mean: divided by the number of elements), dB = -dA
class MseLoss : public OpWith<MseLoss, LossOptions> {
 public:
  static constexpr std::string_view kName = "mse_loss";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    ops::check_matches(kName, "target", inputs[1].shape, inputs[0].shape, "input", inputs[0].shape);
    return {options_.reduction == Reduction::none ? inputs[0].shape : Shape{}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1];
    const Tensor difference = ops::compute(Binary::sub, a, b, a.type());
    Tensor squares = ops::compute(Binary::mul, difference, difference, a.type());
    if (options_.reduction == Reduction::none) return squares;
    Tensor result = ops::sum_to(squares, {});
    if (options_.reduction == Reduction::mean) {
      ops::compute(Binary::div, result, static_cast<double>(a.numel()), result);
    }
    return result;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1];
    const double count = options_.reduction == Reduction::mean ? static_cast<double>(a.numel()) : 1;
    const Tensor difference = mul(sub(a, b), mul(context.grad, 2 / count));
    TensorList grads(2);
    if (context.wanted[0]) grads[0] = difference;
    if (context.wanted[1]) grads[1] = neg(difference);
    return grads;
  }
};

}  // namespace

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, Reduction reduction) {
  return apply(NllLoss({reduction}), {log_probabilities, target});
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction) {
  check_classes("cross_entropy", logits.type(), target.type());
  return nll_loss(log_softmax(logits, 1), target, reduction);
}

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return apply(MseLoss({reduction}), {input, target});
}

std::string_view to_string(Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return "none";
    case Reduction::mean:
      return "mean";
    case Reduction::sum:
      return "sum";
  }
  return "";
}

void from_string(std::string_view name, Reduction& reduction) {
  for (const Reduction known : {Reduction::none, Reduction::mean, Reduction::sum}) {
    if (to_string(known) != name) continue;
    reduction = known;
    return;
  }
  ops::fail<ValueError>("reduction", "\"none\", \"mean\" or \"sum\", got \"", name, '"');
}

std::span<const OpEntry> ops::loss_ops() {
  static const OpEntry entries[] = {op_entry<NllLoss>(), op_entry<MseLoss>()};
  return entries;
}

}  // namespace teff
