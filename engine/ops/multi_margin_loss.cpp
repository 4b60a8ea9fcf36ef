// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "teff/engine/error_text.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/margin_losses.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/reduction.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct MarginFields {
  std::int64_t p = 1;
  double margin = 1;
  bool several = false;  // classes of one input
  bool has_weight = false;
  static void fields(auto& self, auto&& field) {
    field("p", self.p);
    field("margin", self.margin);
    field("several", self.several);
    field("has_weight", self.has_weight);
  }
};

/// L[n] = sum over classes y of target n and the others c of w[y] * max(0, margin - x[n, y] + x[n, c])^p / C
/// dX[n, c] += g, dX[n, y] -= g  with g = dL[n] * w[y] * p * max(0, ...)^(p - 1) / C, where that is above 0
class MultiMarginLoss : public OpWith<MultiMarginLoss, MarginFields> {
 public:
  static constexpr std::string_view kName = "multi_margin_loss";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, options_.has_weight ? 3 : 2);
    ops::check_computable(kName, inputs.first(1));
    if (options_.has_weight) ops::check_computable(kName, inputs.subspan(2));
    if (options_.p != 1 && options_.p != 2) ops::fail<ValueError>(kName, "p of 1 or 2, got ", options_.p);
    const Shape &x = inputs[0].shape, &target = inputs[1].shape;
    if (inputs[1].dtype != DType::int64) {
      ops::fail<TypeError>(kName, "target of int64, got ", to_string(inputs[1].dtype),
                           "; convert it with to(DType::int64)");
    }
    if (x.size() != 2 || x[1] == 0) ops::fail<ShapeError>(kName, "input [N, C] with C > 0, got input ", x);
    ops::check_matches(kName, "target", target, options_.several ? x : Shape{x[0]}, "input", x);
    if (options_.has_weight) {
      if (inputs[2].dtype != inputs[0].dtype) ops::check_one_dtype(kName, std::array{inputs[0], inputs[2]});
      ops::check_matches(kName, "weight", inputs[2].shape, {x[1]}, "input", x);
    }
    return {{x[0]}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor y = context.make_result();
    detail::fill(y, 0);
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* x = context.inputs[0].data<T>();
      T* to = y.data<T>();
      const auto classes = static_cast<T>(context.inputs[0].size(1));
      for_each_excess<T>(context.inputs, [&](std::int64_t n, std::int64_t own, std::int64_t other, T weight) {
        const T excess = static_cast<T>(options_.margin) - x[own] + x[other];
        if (excess > 0 || excess != excess) to[n] += weight * (options_.p == 1 ? excess : excess * excess) / classes;
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    grads[0] = ops::new_zeros(context.inputs[0].type());
    ops::visit_computable(grads[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T *x = context.inputs[0].data<T>(), *grad = context.grad.data<T>();
      T* to = grads[0].data<T>();
      const auto classes = static_cast<T>(context.inputs[0].size(1));
      for_each_excess<T>(context.inputs, [&](std::int64_t n, std::int64_t own, std::int64_t other, T weight) {
        const T excess = static_cast<T>(options_.margin) - x[own] + x[other];
        if (!(excess > 0)) return;
        const T part = grad[n] * weight * (options_.p == 1 ? T(1) : 2 * excess) / classes;
        to[other] += part;
        to[own] -= part;
      });
    });
    if (options_.has_weight && context.wanted[2]) grads[2] = ops::new_zeros(context.inputs[2].type());  // as PyTorch
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    const auto classes = static_cast<double>(inputs[0].shape[1]);
    return static_cast<double>(numel(inputs[0].shape)) * (options_.several ? classes : 1);
  }

 private:
  /// Calls function(n, place of a class of the target, place of another, weight).
  template <class T, class Function>
  void for_each_excess(std::span<const Tensor> inputs, const Function& function) const {
    const std::int64_t rows = inputs[0].size(0), classes = inputs[0].size(1), most = options_.several ? classes : 1;
    const std::int64_t* target = inputs[1].data<std::int64_t>();
    const T* weight = options_.has_weight ? inputs[2].data<T>() : nullptr;
    kernels::Workspace<bool> room(static_cast<std::size_t>(classes));
    bool* const is_target = room.data();
    for (std::int64_t n = 0; n < rows; ++n, target += most) {
      const std::int64_t count =
          options_.several ? std::find_if(target, target + most, [](std::int64_t c) { return c < 0; }) - target : 1;
      std::fill_n(is_target, classes, false);
      for (std::int64_t i = 0; i < count; ++i) {
        check_class(target[i], classes, n);
        is_target[target[i]] = true;
      }
      for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t c = 0; c < classes; ++c) {
          if (is_target[c]) continue;
          function(n, n * classes + target[i], n * classes + c, weight == nullptr ? T(1) : weight[target[i]]);
        }
      }
    }
  }

  static void check_class(std::int64_t value, std::int64_t classes, std::int64_t row) {
    if (value >= 0 && value < classes) return;
    ops::fail<IndexError>(kName, "targets in [0, ", classes, "), got ", value, " in row ", row);
  }
};

Tensor margin_loss(std::string_view op, const Tensor& input, const Tensor& target, const MarginFields& fields,
                   const Tensor& weight, Reduction reduction) {
  ops::check_plain_reduction(op, reduction);
  if (!input.defined() || !target.defined())
    ops::fail<TypeError>(op, "a defined input and target, got an undefined one");
  const bool one = input.dim() == 1;
  return detail::with_name(op, [&] {
    TensorList inputs{one ? unsqueeze(input, 0) : input, one ? unsqueeze(target, 0) : target};
    if (weight.defined()) inputs.push_back(weight);
    const Tensor losses = teff::apply(MultiMarginLoss(fields), inputs);
    return ops::reduced(one ? squeeze(losses, 0) : losses, reduction);
  });
}

}  // namespace

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginLossOptions& options) {
  return margin_loss("multi_margin_loss", input, target, {options.p, options.margin, false, options.weight.defined()},
                     options.weight, options.reduction);
}

Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return margin_loss("multilabel_margin_loss", input, target, {1, 1, true, false}, {}, reduction);
}

std::span<const OpEntry> ops::multi_margin_loss_ops() {
  static const OpEntry entries[] = {op_entry<MultiMarginLoss>()};
  return entries;
}

}  // namespace teff
