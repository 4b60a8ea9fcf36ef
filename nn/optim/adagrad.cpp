// SPDX-License-Identifier: MIT
#include "teff/nn/optim/adagrad.h"

#include "teff/engine/optim_steps.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {

void AdagradOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_non_negative(owner, "lr_decay", lr_decay);
  detail::expect_non_negative(owner, "weight_decay", weight_decay);
  detail::expect_non_negative(owner, "initial_accumulator_value", initial_accumulator_value);
  detail::expect_non_negative(owner, "eps", eps);
}

Adagrad::Adagrad(ParameterList parameters, const AdagradOptions& options)
    : Adagrad(std::vector<AdagradGroup>{{std::move(parameters), options}}) {}

Adagrad::Adagrad(std::vector<AdagradGroup> groups)
    : OptimizerOf(
          "Adagrad",
          {.step = StateLayout::Step::tensor, .tensors = {{"sum", true, true}}, .constants = {{"foreach", nullptr}}},
          std::move(groups)) {
  // PyTorch has this state before the first step.
  for (std::size_t group = 0; group < num_groups(); ++group) {
    for (std::size_t i = 0; i < parameters(group).size(); ++i) {
      slot(group, i, 0, options(group).initial_accumulator_value);
    }
  }
}

void Adagrad::step() {
  for (std::size_t group = 0; group < num_groups(); ++group) {
    const AdagradOptions& o = options(group);
    AdagradStep step{
        .lr = o.lr, .lr_decay = o.lr_decay, .eps = o.eps, .weight_decay = o.weight_decay, .maximize = o.maximize};
    for (std::size_t i = 0; i < parameters(group).size(); ++i) {
      const Tensor& parameter = parameters(group)[i];
      if (!parameter.grad().defined()) continue;
      const Tensor& sum = slot(group, i, 0, o.initial_accumulator_value);
      step.t = state(group, i).step + 1;
      adagrad_step_(parameter, parameter.grad(), sum, step);
      state(group, i).step = step.t;
    }
  }
}

}  // namespace teff::optim
