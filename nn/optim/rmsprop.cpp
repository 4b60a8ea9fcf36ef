// SPDX-License-Identifier: MIT
#include "teff/nn/optim/rmsprop.h"

#include "teff/engine/optim_steps.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

enum RMSpropSlot { kSquareAvg, kMomentumBuffer, kGradAvg };

}  // namespace

void RMSpropOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_non_negative(owner, "alpha", alpha);
  detail::expect_non_negative(owner, "eps", eps);
  detail::expect_non_negative(owner, "weight_decay", weight_decay);
  detail::expect_non_negative(owner, "momentum", momentum);
}

RMSprop::RMSprop(ParameterList parameters, const RMSpropOptions& options)
    : RMSprop(std::vector<RMSpropGroup>{{std::move(parameters), options}}) {}

RMSprop::RMSprop(std::vector<RMSpropGroup> groups)
    : OptimizerOf("RMSprop",
                  {.step = StateLayout::Step::number,
                   .tensors = {{"square_avg", true, true}, {"momentum_buffer"}, {"grad_avg"}},
                   .constants = {{"foreach", nullptr}, {"differentiable", false}}},
                  std::move(groups)) {}

void RMSprop::step() {
  for (std::size_t group = 0; group < num_groups(); ++group) {
    const RMSpropOptions& o = options(group);
    const RmspropStep step{.lr = o.lr,
                           .alpha = o.alpha,
                           .eps = o.eps,
                           .weight_decay = o.weight_decay,
                           .momentum = o.momentum,
                           .maximize = o.maximize};
    for (std::size_t i = 0; i < parameters(group).size(); ++i) {
      const Tensor& parameter = parameters(group)[i];
      if (!parameter.grad().defined()) continue;
      const RmspropState buffers{.square_avg = slot(group, i, kSquareAvg),
                                 .grad_avg = o.centered ? slot(group, i, kGradAvg) : Tensor(),
                                 .momentum_buffer = o.momentum != 0 ? slot(group, i, kMomentumBuffer) : Tensor()};
      rmsprop_step_(parameter, parameter.grad(), buffers, step);
      ++state(group, i).step;
    }
  }
}

}  // namespace teff::optim
