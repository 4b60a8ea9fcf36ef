// SPDX-License-Identifier: MIT
#include "teff/nn/optim/adam.h"

#include "teff/engine/optim_steps.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

enum AdamSlot { kExpAvg, kExpAvgSq, kMaxExpAvgSq };

StateLayout layout_with(Dict constants) {
  return {.step = StateLayout::Step::tensor,
          .tensors = {{"exp_avg", true}, {"exp_avg_sq", true, true}, {"max_exp_avg_sq", false, true}},
          .constants = std::move(constants)};
}

template <class Options>
void check_options(const Options& options, std::string_view owner) {
  detail::expect_non_negative(owner, "lr", options.lr);
  detail::expect_rate(owner, "betas[0]", options.betas[0]);
  detail::expect_rate(owner, "betas[1]", options.betas[1]);
  detail::expect_non_negative(owner, "eps", options.eps);
  detail::expect_non_negative(owner, "weight_decay", options.weight_decay);
}

}  // namespace

void AdamOptions::check(std::string_view owner) const { check_options(*this, owner); }
void AdamWOptions::check(std::string_view owner) const { check_options(*this, owner); }

template <class Options>
AdamBase<Options>::AdamBase(std::string name, Dict constants, std::vector<ParameterGroup<Options>> groups)
    : OptimizerOf<Options>(std::move(name), layout_with(std::move(constants)), std::move(groups)) {}

template <class Options>
void AdamBase<Options>::step() {
  for (std::size_t group = 0; group < this->num_groups(); ++group) {
    const Options& o = this->options(group);
    AdamStep step{.lr = o.lr,
                  .beta1 = o.betas[0],
                  .beta2 = o.betas[1],
                  .eps = o.eps,
                  .weight_decay = o.weight_decay,
                  .decoupled = Options::kDecoupled,
                  .maximize = o.maximize};
    for (std::size_t i = 0; i < this->parameters(group).size(); ++i) {
      const Tensor& parameter = this->parameters(group)[i];
      if (!parameter.grad().defined()) continue;
      const AdamState state{.exp_avg = this->slot(group, i, kExpAvg),
                            .exp_avg_sq = this->slot(group, i, kExpAvgSq),
                            .max_exp_avg_sq = o.amsgrad ? this->slot(group, i, kMaxExpAvgSq) : Tensor()};
      step.t = this->state(group, i).step + 1;
      adam_step_(parameter, parameter.grad(), state, step);
      this->state(group, i).step = step.t;
    }
  }
}

template <class Options>
Commit AdamBase<Options>::prepare_group_options(const std::vector<Dict>& groups) {
  std::vector<Dict> known = groups;
  for (Dict& group : known) {
    // PyTorch's AdamW has been an Adam with this option since version 2.7.
    const Value* decoupled = group.find("decoupled_weight_decay");
    nn::detail::expect(decoupled == nullptr || decoupled->as_bool() == Options::kDecoupled, this->name(),
                       "the state of an optimizer with the same weight decay",
                       Options::kDecoupled ? "Adam's" : "AdamW's");
    group.erase("decoupled_weight_decay");
  }
  return OptimizerOf<Options>::prepare_group_options(known);
}

template class AdamBase<AdamOptions>;
template class AdamBase<AdamWOptions>;

Adam::Adam(ParameterList parameters, const AdamOptions& options)
    : Adam(std::vector<AdamGroup>{{std::move(parameters), options}}) {}

Adam::Adam(std::vector<AdamGroup> groups)
    : AdamBase("Adam", {{"foreach", nullptr}, {"capturable", false}, {"differentiable", false}, {"fused", false}},
               std::move(groups)) {}

AdamW::AdamW(ParameterList parameters, const AdamWOptions& options)
    : AdamW(std::vector<AdamWGroup>{{std::move(parameters), options}}) {}

AdamW::AdamW(std::vector<AdamWGroup> groups)
    : AdamBase("AdamW", {{"foreach", nullptr}, {"capturable", false}}, std::move(groups)) {}

}  // namespace teff::optim
