// SPDX-License-Identifier: MIT
#include "teff/engine/error_text.h"
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/reduction.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::PairLoss;

constexpr std::string_view name_of(PairLoss loss) {
  switch (loss) {
    case PairLoss::mse:
      return "mse_loss";
    case PairLoss::l1:
      return "l1_loss";
    case PairLoss::smooth_l1:
      return "smooth_l1_loss";
    case PairLoss::huber:
      return "huber_loss";
    case PairLoss::bce:
      return "binary_cross_entropy";
    case PairLoss::bce_with_logits:
      return "binary_cross_entropy_with_logits";
    case PairLoss::kl_div:
      return "kl_div";
    case PairLoss::kl_div_log_target:
      return "kl_div_log_target";
  }
  return "";
}

/// y = loss(x, target), element by element, then reduced. Derived::parameter() is the kernel's.
template <class Derived, PairLoss kLoss, class Options>
class PairLossOp : public OpWith<Derived, Options> {
 public:
  static constexpr std::string_view kName = name_of(kLoss);
  using OpWith<Derived, Options>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    ops::check_matches(kName, "target", inputs[1].shape, inputs[0].shape, "input", inputs[0].shape);
    if (kLoss != PairLoss::kl_div && kLoss != PairLoss::kl_div_log_target) {
      ops::check_plain_reduction(kName, reduction());
    }
    if (reduction() == Reduction::batchmean && inputs[0].shape.empty()) {
      ops::fail<ShapeError>(kName, "input [N, ...] for reduction batchmean, got input []");
    }
    return {reduction() == Reduction::none ? inputs[0].shape : Shape{}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &target = context.inputs[1];
    if (kLoss == PairLoss::bce) check_probabilities(x);
    Tensor y = context.make_result();
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto compute = [&](T* losses) {
        kernels::pair_loss_kernels<T>().pair_loss(kLoss, x.numel(), static_cast<T>(parameter()), x.data<T>(),
                                                  target.data<T>(), losses);
      };
      if (reduction() == Reduction::none) return compute(y.data<T>());
      kernels::Workspace<T> losses(static_cast<std::size_t>(x.numel()));
      compute(losses.data());
      *y.data<T>() = ops::sum<T>(x.numel(), losses.data());
      if (reduction() != Reduction::sum) *y.data<T>() /= static_cast<T>(divisor(x.shape()));
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &x = context.inputs[0], &target = context.inputs[1], &grad = context.grad;
    TensorList grads(2);
    for (std::size_t i = 0; i < 2; ++i) {
      if (context.wanted[i]) grads[i] = detail::make_tensor(x.type());
    }
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto result = [&](std::size_t i) { return grads[i].defined() ? grads[i].data<T>() : nullptr; };
      kernels::pair_loss_kernels<T>().pair_loss_backward(
          kLoss, x.numel(), static_cast<T>(parameter()), grad.data<T>(), reduction() == Reduction::none,
          static_cast<T>(1 / divisor(x.shape())), x.data<T>(), target.data<T>(), result(0), result(1));
    });
    return grads;
  }

 private:
  Reduction reduction() const { return this->options_.reduction; }
  double parameter() const { return static_cast<const Derived&>(*this).parameter(); }

  double divisor(const Shape& shape) const {
    if (reduction() == Reduction::mean) return static_cast<double>(numel(shape));
    return reduction() == Reduction::batchmean ? static_cast<double>(shape[0]) : 1;
  }

  static void check_probabilities(const Tensor& x) {
    ops::visit_computable(x.dtype(), [&](auto zero) {
      for (const auto value : x.span<decltype(zero)>()) {
        if (value < 0 || value > 1) ops::fail<ValueError>(kName, "input in [0, 1], got ", value);
      }
    });
  }
};

struct LossOptions {
  Reduction reduction = Reduction::mean;
  static void fields(auto& self, auto&& field) { field("reduction", self.reduction); }
};

/// A loss without parameter.
template <PairLoss kLoss>
class Plain : public PairLossOp<Plain<kLoss>, kLoss, LossOptions> {
 public:
  using PairLossOp<Plain, kLoss, LossOptions>::PairLossOp;
  double parameter() const { return 0; }
};

struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  double beta = 1;
  static void fields(auto& self, auto&& field) {
    field("reduction", self.reduction);
    field("beta", self.beta);
  }
};

class SmoothL1 : public PairLossOp<SmoothL1, PairLoss::smooth_l1, SmoothL1Options> {
 public:
  using PairLossOp::PairLossOp;
  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.beta >= 0)) ops::fail<ValueError>(kName, "beta >= 0, got ", options_.beta);
    return PairLossOp::output_type(inputs);
  }
  double parameter() const { return options_.beta; }
};

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  double delta = 1;
  static void fields(auto& self, auto&& field) {
    field("reduction", self.reduction);
    field("delta", self.delta);
  }
};

class Huber : public PairLossOp<Huber, PairLoss::huber, HuberOptions> {
 public:
  using PairLossOp::PairLossOp;
  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.delta > 0)) ops::fail<ValueError>(kName, "delta > 0, got ", options_.delta);
    return PairLossOp::output_type(inputs);
  }
  double parameter() const { return options_.delta; }
};

template <PairLoss kLoss>
Tensor plain(const Tensor& input, const Tensor& target, Reduction reduction) {
  return apply(Plain<kLoss>({reduction}), {input, target});
}

/// The loss of each element, which broadcasts with its weight, reduced.
Tensor weighted(const Tensor& losses, const Tensor& weight, Reduction reduction) {
  return ops::reduced(weight.defined() ? losses * weight : losses, reduction);
}

}  // namespace

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return plain<PairLoss::mse>(input, target, reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  return plain<PairLoss::l1>(input, target, reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction, double beta) {
  return apply(SmoothL1({reduction, beta}), {input, target});
}

Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction, double delta) {
  return apply(Huber({reduction, delta}), {input, target});
}

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BinaryCrossEntropyOptions& options) {
  if (!options.weight.defined()) return plain<PairLoss::bce>(input, target, options.reduction);
  return detail::with_name(name_of(PairLoss::bce), [&] {
    return weighted(plain<PairLoss::bce>(input, target, Reduction::none), options.weight, options.reduction);
  });
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options) {
  constexpr PairLoss kLoss = PairLoss::bce_with_logits;
  const Tensor &weight = options.weight, &pos_weight = options.pos_weight;
  if (!weight.defined() && !pos_weight.defined()) return plain<kLoss>(logits, target, options.reduction);
  ops::check_plain_reduction(name_of(kLoss), options.reduction);
  return detail::with_name(name_of(kLoss), [&] {
    Tensor losses = plain<kLoss>(logits, target, Reduction::none);
    // The positive term counts pos_weight times instead of once. -log(sigmoid(x)) = softplus(-x)
    if (pos_weight.defined()) losses = losses + (pos_weight - 1.0) * target * softplus(neg(logits));
    return weighted(losses, weight, options.reduction);
  });
}

Tensor kl_div(const Tensor& input, const Tensor& target, Reduction reduction, bool log_target) {
  return log_target ? plain<PairLoss::kl_div_log_target>(input, target, reduction)
                    : plain<PairLoss::kl_div>(input, target, reduction);
}

std::span<const OpEntry> ops::pair_loss_ops() {
  static const OpEntry entries[] = {
      op_entry<Plain<PairLoss::mse>>(),
      op_entry<Plain<PairLoss::l1>>(),
      op_entry<SmoothL1>(),
      op_entry<Huber>(),
      op_entry<Plain<PairLoss::bce>>(),
      op_entry<Plain<PairLoss::bce_with_logits>>(),
      op_entry<Plain<PairLoss::kl_div>>(),
      op_entry<Plain<PairLoss::kl_div_log_target>>(),
  };
  return entries;
}

}  // namespace teff
