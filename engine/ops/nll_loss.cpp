// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/error_text.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/reduction.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct NllLossFields {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;

  static void fields(auto& self, auto&& field) {
    field("reduction", self.reduction);
    field("ignore_index", self.ignore_index);
    field("label_smoothing", self.label_smoothing);
  }
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

void check_class_weight(std::string_view op, const TensorType& input, const TensorType& weight) {
  const TensorType pair[] = {input, weight};
  ops::check_one_dtype(op, pair);
  ops::check_matches(op, "weight", weight.shape, {input.shape[1]}, "input", input.shape);
}

void check_label_smoothing(std::string_view op, double label_smoothing) {
  if (label_smoothing >= 0 && label_smoothing <= 1) return;
  ops::fail<ValueError>(op, "label_smoothing in [0, 1], got ", label_smoothing);
}

/// The weight of each class in the loss of target n, up to the sign: picked * [c = target n] + spread, times the
/// class's own.
template <class T>
struct Classes {
  std::int64_t count, step;  // of x: from one class to the next
  const T* weight;           // null: ones
  T picked, spread;

  T weight_of(std::int64_t c) const { return weight == nullptr ? T{1} : weight[c]; }
};

/// y[n] = -((1 - s) * w[t] * x[n, t] + s / C * sum over c of w[c] * x[n, c]) with t = target[n], s = label_smoothing;
/// dX[n, c] = -dY[n] * w[c] * ((1 - s) * [c = t] + s / C) (mean: both divided by the sum of w[t] over n). Targets that
/// are ignored count as 0.
class NllLoss : public OpWith<NllLoss, NllLossFields> {
 public:
  static constexpr std::string_view kName = "nll_loss";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 2, 3);
    check_classes(kName, inputs[0], inputs[1]);
    if (inputs.size() == 3) check_class_weight(kName, inputs[0], inputs[2]);
    check_label_smoothing(kName, options_.label_smoothing);
    ops::check_plain_reduction(kName, options_.reduction);
    return {options_.reduction == Reduction::none ? inputs[1].shape : Shape{}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &target = context.inputs[1];
    check_targets(target, x.shape()[1]);
    Tensor y = context.make_result();
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* const result = y.data<T>();
      if (options_.reduction == Reduction::none) {
        compute_losses<T>(context.inputs, result);
        return;
      }
      kernels::Workspace<T> losses(static_cast<std::size_t>(target.numel()));
      const double total = compute_losses<T>(context.inputs, losses.data());
      *result = ops::sum<T>(target.numel(), losses.data());
      if (options_.reduction == Reduction::mean) *result /= static_cast<T>(total);
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &target = context.inputs[1], &grad = context.grad;
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    TensorList grads(context.inputs.size());
    grads[0] = grad_x;
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const Classes<T> classes = classes_of<T>(grad_x.shape(), context.inputs);
      const std::int64_t step = options_.reduction == Reduction::none ? 1 : 0;
      const double total = for_each_target(classes, grad_x.shape(), target, [](auto...) {});
      const T divisor = options_.reduction == Reduction::mean ? static_cast<T>(total) : T{1};
      const T* dy = grad.data<T>();
      T* dx = grad_x.data<T>();
      for_each_target(classes, grad_x.shape(), target, [&](std::int64_t i, std::int64_t row, std::int64_t t) {
        const T share = -dy[i * step] / divisor;
        for (std::int64_t c = 0; classes.spread != 0 && c < classes.count; ++c) {
          dx[row + c * classes.step] = share * classes.spread * classes.weight_of(c);
        }
        dx[row + t * classes.step] += share * classes.picked * classes.weight_of(t);
      });
    });
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i >= 1; }

 private:
  void check_targets(const Tensor& target, std::int64_t classes) const {
    const std::int64_t* values = target.data<std::int64_t>();
    for (std::int64_t i = 0; i < target.numel(); ++i) {
      if ((values[i] >= 0 && values[i] < classes) || values[i] == options_.ignore_index) continue;
      ops::fail<IndexError>(kName, "targets in [0, ", classes, "), got ", values[i], " at index ", i);
    }
  }

  template <class T>
  Classes<T> classes_of(const Shape& shape, std::span<const Tensor> inputs) const {
    const ops::Split split(shape, 1);
    return {.count = split.size,
            .step = split.inner,
            .weight = inputs.size() == 3 ? inputs[2].data<T>() : nullptr,
            .picked = static_cast<T>(1 - options_.label_smoothing),
            .spread = static_cast<T>(options_.label_smoothing / static_cast<double>(split.size))};
  }

  template <class T>
  static T weighted_sum(const Classes<T>& classes, const T* row) {
    T sum = 0;
    for (std::int64_t c = 0; c < classes.count; ++c) sum += classes.weight_of(c) * row[c * classes.step];
    return sum;
  }

  /// That of every target, before any reduction. Returns the sum of the targets' weights.
  template <class T>
  double compute_losses(std::span<const Tensor> inputs, T* losses) const {
    const Tensor &x = inputs[0], &target = inputs[1];
    const Classes<T> classes = classes_of<T>(x.shape(), inputs);
    const T* values = x.data<T>();
    std::fill(losses, losses + target.numel(), T{0});
    return for_each_target(classes, x.shape(), target, [&](std::int64_t i, std::int64_t row, std::int64_t t) {
      T sum = classes.picked * classes.weight_of(t) * values[row + t * classes.step];
      if (classes.spread != 0) sum += classes.spread * weighted_sum(classes, values + row);
      losses[i] = -sum;
    });
  }

  /// Calls function(i, place of x[n, 0, s], target i) for every target i = [n, s] that is not ignored. Returns the sum
  /// of their weights.
  template <class T, class Function>
  double for_each_target(const Classes<T>& classes, const Shape& shape, const Tensor& target,
                         const Function& function) const {
    const ops::Split split(shape, 1);
    const std::int64_t* values = target.data<std::int64_t>();
    double total = 0;
    for (std::int64_t i = 0; i < target.numel(); ++i) {
      if (values[i] == options_.ignore_index) continue;
      function(i, i / split.inner * split.size * split.inner + i % split.inner, values[i]);
      total += static_cast<double>(classes.weight_of(values[i]));
    }
    return total;
  }
};

Tensor apply_nll(const NllLossFields& fields, const Tensor& x, const Tensor& target, const Tensor& weight) {
  return weight.defined() ? apply(NllLoss(fields), {x, target, weight}) : apply(NllLoss(fields), {x, target});
}

/// -sum over c of weight[c] * target[n, c] * log_softmax(logits)[n, c]
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  constexpr std::string_view kName = "cross_entropy";
  ops::check_plain_reduction(kName, options.reduction);
  check_label_smoothing(kName, options.label_smoothing);
  if (logits.dim() < 2) ops::fail<ShapeError>(kName, "input [N, C, ...], got input ", logits.shape());
  const double smoothing = options.label_smoothing;
  const Tensor smoothed =
      smoothing == 0 ? target : target * (1 - smoothing) + smoothing / static_cast<double>(logits.size(1));
  Tensor products = log_softmax(logits, 1) * smoothed;
  if (options.weight.defined()) {
    check_class_weight(kName, logits.type(), options.weight.type());
    Shape per_class{-1};
    for (std::int64_t i = 2; i < logits.dim(); ++i) per_class.push_back(1);
    products = products * view(options.weight, per_class);
  }
  return ops::reduced(neg(sum(products, 1)), options.reduction);
}

}  // namespace

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NllLossOptions& options) {
  return apply_nll({options.reduction, options.ignore_index, 0}, log_probabilities, target, options.weight);
}

Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, Reduction reduction) {
  return nll_loss(log_probabilities, target, {.reduction = reduction});
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  return detail::with_name("cross_entropy", [&] {
    if (is_computable(target.dtype()) && target.type() == logits.type()) {
      return soft_cross_entropy(logits, target, options);
    }
    check_classes("cross_entropy", logits.type(), target.type());
    return apply_nll({options.reduction, options.ignore_index, options.label_smoothing}, log_softmax(logits, 1), target,
                     options.weight);
  });
}

Tensor cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction) {
  return cross_entropy(logits, target, {.reduction = reduction});
}

std::span<const OpEntry> ops::nll_loss_ops() {
  static const OpEntry entries[] = {op_entry<NllLoss>()};
  return entries;
}

}  // namespace teff
