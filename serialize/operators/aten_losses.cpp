// SPDX-License-Identifier: MIT

// ATen's losses.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using LossCall = OperatorCall;

Reduction aten_reduction(const LossCall& c) {
  const std::int64_t code = c.integer("reduction", 1);
  expect_supported(code >= 0 && code <= 2, "expected a reduction of 0, 1 or 2, got " + std::to_string(code));
  return code == 0 ? Reduction::none : code == 1 ? Reduction::mean : Reduction::sum;
}

using PlainLoss = Tensor (*)(const Tensor&, const Tensor&, Reduction);
template <PlainLoss function>
Tensor plain_loss(const LossCall& c) {
  const auto [input, target] = promoted(c.tensor(0), c.tensor(1));
  return function(input, target, aten_reduction(c));
}

/// Losses with one more number, of that place and name.
template <Tensor (*function)(const Tensor&, const Tensor&, Reduction, double)>
Tensor bent_loss(const LossCall& c) {
  return function(c.tensor(0), c.tensor(1), aten_reduction(c), c.number(c.option("delta") ? "delta" : "beta", 1));
}

Tensor class_loss(const LossCall& c) {
  CrossEntropyOptions options;
  options.weight = c.maybe(2);
  options.ignore_index = c.integer("ignore_index", -100);
  options.reduction = aten_reduction(c);
  options.label_smoothing = c.number("label_smoothing", 0);
  return cross_entropy(c.tensor(0), c.tensor(1), options);
}

Tensor class_likelihood_loss(const LossCall& c) {
  NllLossOptions options;
  options.weight = c.maybe(2);
  options.ignore_index = c.integer("ignore_index", -100);
  options.reduction = aten_reduction(c);
  return nll_loss(c.tensor(0), c.tensor(1), options);
}

Tensor class_margin_loss(const LossCall& c) {
  const double p = c.number("p", 1);
  expect_supported(p == 1 || p == 2, "expected 1 or 2 as p, got " + std::to_string(p));
  return multi_margin_loss(c.tensor(0), c.tensor(1),
                           {p == 1 ? 1 : 2, c.number("margin", 1), c.maybe(4), aten_reduction(c)});
}

Tensor binary_loss(const LossCall& c) {
  return binary_cross_entropy(c.tensor(0), c.tensor(1), {c.maybe(2), aten_reduction(c)});
}

Tensor logits_loss(const LossCall& c) {
  return binary_cross_entropy_with_logits(c.tensor(0), c.tensor(1), {c.maybe(2), c.maybe(3), aten_reduction(c)});
}

Tensor divergence_loss(const LossCall& c) {
  return kl_div(c.tensor(0), c.tensor(1), aten_reduction(c), c.flag("log_target", false));
}

Tensor poisson_loss(const LossCall& c) {
  return poisson_nll_loss(c.tensor(0), c.tensor(1),
                          {c.flag("log_input", true), c.flag("full", false), c.number("eps", 1e-8), aten_reduction(c)});
}

Tensor hinge_loss(const LossCall& c) {
  return hinge_embedding_loss(c.tensor(0), c.tensor(1), c.number("margin", 1), aten_reduction(c));
}

template <Tensor (*function)(const Tensor&, const Tensor&, const Tensor&, double, Reduction)>
Tensor pair_loss(const LossCall& c) {
  return function(c.tensor(0), c.tensor(1), c.tensor(2), c.number("margin", 0), aten_reduction(c));
}

Tensor triplet_loss(const LossCall& c) {
  return triplet_margin_loss(
      c.tensor(0), c.tensor(1), c.tensor(2),
      {c.number("margin", 1), c.number("p", 2), c.number("eps", 1e-6), c.flag("swap", false), aten_reduction(c)});
}

Tensor sequence_loss(const LossCall& c) {
  return ctc_loss(c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3),
                  {c.integer("blank", 0), aten_reduction(c), c.flag("zero_infinity", false)});
}

constexpr std::string_view kLoss = "self target reduction", kClasses = "self target weight reduction ignore_index";
constexpr std::string_view kPairs = "input1 input2 target margin reduction";

constexpr AtenRow kAtenLosses[] = {
    {"binary_cross_entropy", "self target weight reduction", binary_loss},
    {"binary_cross_entropy_with_logits", "self target weight pos_weight reduction", logits_loss},
    {"cosine_embedding_loss", kPairs, pair_loss<cosine_embedding_loss>},
    {"cross_entropy_loss", "self target weight reduction ignore_index label_smoothing", class_loss},
    {"ctc_loss", "log_probs targets input_lengths target_lengths blank reduction zero_infinity", sequence_loss},
    {"hinge_embedding_loss", "self target margin reduction", hinge_loss},
    {"huber_loss", "self target reduction delta", bent_loss<huber_loss>},
    {"kl_div", "self target reduction log_target", divergence_loss},
    {"l1_loss", kLoss, plain_loss<l1_loss>},
    {"margin_ranking_loss", kPairs, pair_loss<margin_ranking_loss>},
    {"mse_loss", kLoss, plain_loss<mse_loss>},
    {"multi_margin_loss", "self target p margin weight reduction", class_margin_loss},
    {"multilabel_margin_loss", kLoss,
     +[](const LossCall& c) { return multilabel_margin_loss(c.tensor(0), c.tensor(1), aten_reduction(c)); }},
    {"nll_loss", kClasses, class_likelihood_loss},
    {"poisson_nll_loss", "input target log_input full eps reduction", poisson_loss},
    {"smooth_l1_loss", "self target reduction beta", bent_loss<smooth_l1_loss>},
    {"soft_margin_loss", kLoss, plain_loss<soft_margin_loss>},
    {"triplet_margin_loss", "anchor positive negative margin p eps swap reduction", triplet_loss},
};
static_assert(is_in_order(kAtenLosses));

}  // namespace

const std::span<const AtenRow> operators::aten_losses = kAtenLosses;

}  // namespace teff::serialize
