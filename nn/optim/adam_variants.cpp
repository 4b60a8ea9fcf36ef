// SPDX-License-Identifier: MIT
#include "teff/nn/optim/adam_variants.h"

#include <cmath>

#include "teff/nn/optim/gradient_of.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

using detail::average_;
using detail::gradient_of;

template <class Options>
void check_common(const Options& options, std::string_view owner) {
  detail::expect_non_negative(owner, "lr", options.lr);
  detail::expect_rate(owner, "betas[0]", options.betas[0]);
  detail::expect_rate(owner, "betas[1]", options.betas[1]);
  detail::expect_non_negative(owner, "eps", options.eps);
  detail::expect_non_negative(owner, "weight_decay", options.weight_decay);
}

}  // namespace

void NAdamOptions::check(std::string_view owner) const {
  check_common(*this, owner);
  detail::expect_non_negative(owner, "momentum_decay", momentum_decay);
}
void RAdamOptions::check(std::string_view owner) const { check_common(*this, owner); }
void AdamaxOptions::check(std::string_view owner) const { check_common(*this, owner); }

NAdam::NAdam(ParameterList parameters, const NAdamOptions& options)
    : NAdam(std::vector<NAdamGroup>{{std::move(parameters), options}}) {}
NAdam::NAdam(std::vector<NAdamGroup> groups)
    : OptimizerOf("NAdam",
                  {.step = StateLayout::Step::tensor,
                   .tensors = {{.name = "mu_product", .required = true, .scalar = true},
                               {.name = "exp_avg", .required = true},
                               {.name = "exp_avg_sq", .required = true, .non_negative = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void NAdam::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const NAdamOptions& o = options(group);
    const Tensor &product = slot(group, i, 0, 1), &m = slot(group, i, 1), &v = slot(group, i, 2);
    const auto t = static_cast<double>(state(group, i).step);
    const auto rate = [&](double step) { return o.betas[0] * (1 - 0.5 * std::pow(0.96, step * o.momentum_decay)); };
    const double mu = rate(t), next = rate(t + 1);
    product.mul_(mu);
    const double past = product.item<double>(), ahead = (product * mu * next).item<double>();
    const Tensor g = gradient_of(p, grad, o.weight_decay);
    average_(m, g, o.betas[0]);
    average_(v, g * g, o.betas[1]);
    const Tensor d = sqrt(v / (1 - std::pow(o.betas[1], t))) + o.eps;
    p.add_(g / d, -o.lr * (1 - mu) / (1 - past));
    p.add_(m / d, -o.lr * next / (1 - ahead));
  });
}

RAdam::RAdam(ParameterList parameters, const RAdamOptions& options)
    : RAdam(std::vector<RAdamGroup>{{std::move(parameters), options}}) {}
RAdam::RAdam(std::vector<RAdamGroup> groups)
    : OptimizerOf("RAdam",
                  {.step = StateLayout::Step::tensor,
                   .tensors = {{.name = "exp_avg", .required = true},
                               {.name = "exp_avg_sq", .required = true, .non_negative = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void RAdam::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const RAdamOptions& o = options(group);
    const Tensor &m = slot(group, i, 0), &v = slot(group, i, 1);
    const auto t = static_cast<double>(state(group, i).step);
    const Tensor g = gradient_of(p, grad, o.weight_decay);
    average_(m, g, o.betas[0]);
    average_(v, g * g, o.betas[1]);
    const double correction = 1 - std::pow(o.betas[1], t), n = 2 / (1 - o.betas[1]) - 1;
    const double r = n - 2 * t * std::pow(o.betas[1], t) / correction;
    Tensor change = m / (1 - std::pow(o.betas[0], t)) * o.lr;
    if (r > 5) {
      const double rectification = std::sqrt((r - 4) * (r - 2) * n / ((n - 4) * (n - 2) * r));
      change = change * (std::sqrt(correction) / (sqrt(v) + o.eps)) * rectification;
    }
    p.sub_(change);
  });
}

Adamax::Adamax(ParameterList parameters, const AdamaxOptions& options)
    : Adamax(std::vector<AdamaxGroup>{{std::move(parameters), options}}) {}
Adamax::Adamax(std::vector<AdamaxGroup> groups)
    : OptimizerOf("Adamax",
                  {.step = StateLayout::Step::tensor,
                   .tensors = {{.name = "exp_avg", .required = true},
                               {.name = "exp_inf", .required = true, .non_negative = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void Adamax::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const AdamaxOptions& o = options(group);
    const Tensor &m = slot(group, i, 0), &u = slot(group, i, 1);
    const auto t = static_cast<double>(state(group, i).step);
    const Tensor g = gradient_of(p, grad, o.weight_decay, o.maximize);
    average_(m, g, o.betas[0]);
    u.copy_(maximum(u * o.betas[1], abs(g) + o.eps));
    p.add_(m / u, -o.lr / (1 - std::pow(o.betas[0], t)));
  });
}

}  // namespace teff::optim
