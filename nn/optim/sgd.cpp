// SPDX-License-Identifier: MIT
#include "teff/nn/optim/sgd.h"

#include "teff/engine/optim_steps.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {

void SGDOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_non_negative(owner, "momentum", momentum);
  detail::expect_non_negative(owner, "weight_decay", weight_decay);
  detail::expect_finite(owner, "dampening", dampening);
  nn::detail::expect(
      !nesterov || (momentum > 0 && dampening == 0), owner, "momentum > 0 and dampening 0 with nesterov",
      "momentum " + nn::detail::python_float(momentum) + " and dampening " + nn::detail::python_float(dampening));
}

SGD::SGD(ParameterList parameters, const SGDOptions& options)
    : SGD(std::vector<SGDGroup>{{std::move(parameters), options}}) {}

SGD::SGD(std::vector<SGDGroup> groups)
    : OptimizerOf("SGD",
                  {.tensors = {{"momentum_buffer"}}, .constants = {{"foreach", nullptr}, {"differentiable", false}}},
                  std::move(groups)) {}

void SGD::step() {
  for (std::size_t group = 0; group < num_groups(); ++group) {
    const SGDOptions& o = options(group);
    SgdStep step{.lr = o.lr,
                 .momentum = o.momentum,
                 .dampening = o.dampening,
                 .weight_decay = o.weight_decay,
                 .nesterov = o.nesterov,
                 .maximize = o.maximize};
    for (std::size_t i = 0; i < parameters(group).size(); ++i) {
      const Tensor& parameter = parameters(group)[i];
      if (!parameter.grad().defined()) continue;
      Tensor& buffer = state(group, i).tensors[0];
      step.first_step = o.momentum != 0 && !buffer.defined();
      if (step.first_step) buffer = empty(parameter.shape(), {.dtype = parameter.dtype()});
      sgd_step_(parameter, parameter.grad(), buffer, step);
    }
  }
}

}  // namespace teff::optim
