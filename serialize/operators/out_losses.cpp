// SPDX-License-Identifier: MIT

// The way out of losses.

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;

/// Of a loss for each element. batchmean: the sum over the number of rows.
Term over_all(Call& c, const Term& loss) {
  const std::string& reduction = c.text("reduction");
  if (reduction == "none") return loss;
  if (reduction == "mean") return c.reduce("ReduceMean", loss, {}, false);
  const Term sum = c.reduce("ReduceSum", loss, {}, false);
  if (reduction == "sum") return sum;
  const Term rows = c.node("Gather", {c.shape_of(0), c.scalar(0)}, {{"axis", 0}});
  return sum / c.cast(rows, loss.dtype);
}

Term where(Call& c, const Term& test, const Term& yes, const Term& no) {
  return Call::as(c.node("Where", {test, yes, no}), yes.dtype);
}

Term absolute(Call& c) { return over_all(c, c.node("Abs", {c.in(0) - c.in(1)})); }

Term squared(Call& c) {
  const Term apart = c.in(0) - c.in(1);
  return over_all(c, apart * apart);
}

/// d^2 / 2 below the edge, edge * (d - edge / 2) above.
Term huber(Call& c) {
  const double delta = c.number("delta");
  const Term d = c.node("Abs", {c.in(0) - c.in(1)}), edge = c.constant(delta, d.dtype);
  return over_all(c, where(c, c.test("Less", {d, edge}), d * d * 0.5, (d - delta / 2) * delta));
}

Term smooth(Call& c) {
  const double beta = c.number("beta");
  if (beta == 0) return absolute(c);
  const Term d = c.node("Abs", {c.in(0) - c.in(1)}), edge = c.constant(beta, d.dtype);
  return over_all(c, where(c, c.test("Less", {d, edge}), d * d * (0.5 / beta), d - beta / 2));
}

/// Logarithms not below -100, as in Teff.
Term cross_entropy(Call& c) {
  const Term p = c.in(0), target = c.in(1);
  const auto log = [&](const Term& x) { return c.node("Max", {c.node("Log", {x}), c.constant(-100, x.dtype)}); };
  return over_all(c, (target - 1.0) * log(1 - p) - target * log(p));
}

/// max(x, 0) - x t + log(1 + exp(-|x|))
Term logits_entropy(Call& c) {
  const Term x = c.in(0), target = c.in(1);
  const Term rest = c.node("Log", {c.node("Exp", {c.node("Neg", {c.node("Abs", {x})})}) + 1});
  return over_all(c, c.node("Relu", {x}) - x * target + rest);
}

/// t (log t - x), 0 for t = 0
Term divergence(Call& c) {
  const Term x = c.in(0), target = c.in(1), zero = c.constant(0, x.dtype);
  const Term product = target * c.node("Log", {target});
  return over_all(c, where(c, c.test("Equal", {target, zero}), zero, product) - target * x);
}

Term log_divergence(Call& c) { return over_all(c, c.node("Exp", {c.in(1)}) * (c.in(1) - c.in(0))); }

Term likelihood(Call& c) {
  if (c.number("label_smoothing") != 0) c.refuse("expected no label_smoothing, which ONNX does not have, got some");
  return c.node("NegativeLogLikelihoodLoss", c.all(),
                {{"reduction", c.text("reduction")}, {"ignore_index", c.integer("ignore_index")}});
}

constexpr std::string_view kForTraining = "a loss, for training, which ONNX does not have";

constexpr ExportRow kOutLossRows[] = {
    {"binary_cross_entropy", "Log, Mul, ReduceMean", cross_entropy},
    {"binary_cross_entropy_with_logits", "Relu, Exp, Log, ReduceMean", logits_entropy},
    ExportRow::declined("ctc_loss", kForTraining),
    {"huber_loss", "Abs, Where, ReduceMean", huber},
    {"kl_div", "Log, Where, ReduceMean", divergence},
    {"kl_div_log_target", "Exp, Mul, ReduceMean", log_divergence},
    {"l1_loss", "Abs, ReduceMean", absolute},
    {"mse_loss", "Sub, Mul, ReduceMean", squared},
    ExportRow::declined("multi_margin_loss", kForTraining),
    {"nll_loss", "NegativeLogLikelihoodLoss", likelihood, "without label_smoothing"},
    {"smooth_l1_loss", "Abs, Where, ReduceMean", smooth},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_losses = outgoing::kOutLossRows;

}  // namespace teff::serialize
