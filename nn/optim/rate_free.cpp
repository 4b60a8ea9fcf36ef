// SPDX-License-Identifier: MIT
#include "teff/nn/optim/rate_free.h"

#include <algorithm>
#include <cmath>

#include "teff/nn/optim/gradient_of.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

using detail::average_;
using detail::gradient_of;

/// A condition as 0 and 1.
Tensor mask(const Tensor& condition, const Tensor& like) { return to(condition, like.dtype()); }

}  // namespace

void AdadeltaOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_number(rho >= 0 && rho <= 1, owner, "rho", "in [0, 1]", rho);
  detail::expect_non_negative(owner, "eps", eps);
  detail::expect_non_negative(owner, "weight_decay", weight_decay);
}

Adadelta::Adadelta(ParameterList parameters, const AdadeltaOptions& options)
    : Adadelta(std::vector<AdadeltaGroup>{{std::move(parameters), options}}) {}
Adadelta::Adadelta(std::vector<AdadeltaGroup> groups)
    : OptimizerOf("Adadelta",
                  {.step = StateLayout::Step::number,
                   .tensors = {{.name = "square_avg", .required = true, .non_negative = true},
                               {.name = "acc_delta", .required = true, .non_negative = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void Adadelta::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const AdadeltaOptions& o = options(group);
    const Tensor &v = slot(group, i, 0), &a = slot(group, i, 1);
    const Tensor g = gradient_of(p, grad, o.weight_decay, o.maximize);
    average_(v, g * g, o.rho);
    const Tensor d = sqrt(a + o.eps) / sqrt(v + o.eps) * g;
    average_(a, d * d, o.rho);
    p.sub_(d, o.lr);
  });
}

void RpropOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_number(etas[0] > 0 && etas[0] < 1, owner, "etas[0]", "in (0, 1)", etas[0]);
  detail::expect_number(etas[1] > 1 && std::isfinite(etas[1]), owner, "etas[1]", "> 1 and finite", etas[1]);
  detail::expect_non_negative(owner, "step_sizes[0]", step_sizes[0]);
  detail::expect_number(step_sizes[1] >= step_sizes[0] && std::isfinite(step_sizes[1]), owner, "step_sizes[1]",
                        "at least step_sizes[0] and finite", step_sizes[1]);
}

Rprop::Rprop(ParameterList parameters, const RpropOptions& options)
    : Rprop(std::vector<RpropGroup>{{std::move(parameters), options}}) {}
Rprop::Rprop(std::vector<RpropGroup> groups)
    : OptimizerOf("Rprop",
                  {.step = StateLayout::Step::number,
                   .tensors = {{.name = "prev", .required = true},
                               {.name = "step_size", .required = true, .non_negative = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void Rprop::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const RpropOptions& o = options(group);
    const Tensor &before = slot(group, i, 0), &size = slot(group, i, 1, o.lr);
    Tensor g = gradient_of(p, grad, 0, o.maximize);
    const Tensor product = g * before;
    const Tensor same = mask(gt(product, 0), p), turned = mask(lt(product, 0), p);
    size.copy_(clamp(size * (1 + same * (o.etas[1] - 1) + turned * (o.etas[0] - 1)), o.step_sizes[0], o.step_sizes[1]));
    g = g * (1 - turned);
    p.sub_((mask(gt(g, 0), p) - mask(lt(g, 0), p)) * size);
    before.copy_(g);
  });
}

void ASGDOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  detail::expect_finite(owner, "lambd", lambd);
  detail::expect_finite(owner, "alpha", alpha);
  detail::expect_finite(owner, "t0", t0);
  detail::expect_non_negative(owner, "weight_decay", weight_decay);
}

ASGD::ASGD(ParameterList parameters, const ASGDOptions& options)
    : ASGD(std::vector<ASGDGroup>{{std::move(parameters), options}}) {}
ASGD::ASGD(std::vector<ASGDGroup> groups)
    : OptimizerOf("ASGD",
                  {.step = StateLayout::Step::tensor,
                   .tensors = {{.name = "eta", .required = true, .scalar = true},
                               {.name = "mu", .required = true, .scalar = true},
                               {.name = "ax", .required = true}},
                   .constants = {{"foreach", nullptr}}},
                  std::move(groups)) {}

void ASGD::step() {
  for_each_gradient([&](std::size_t group, std::size_t i, const Tensor& p, const Tensor& grad) {
    const ASGDOptions& o = options(group);
    const Tensor &eta = slot(group, i, 0, o.lr), &mu = slot(group, i, 1, 1), &mean = slot(group, i, 2);
    const auto t = static_cast<double>(state(group, i).step);
    const double rate = eta.item<double>(), part = mu.item<double>();
    const Tensor g = gradient_of(p, grad, o.weight_decay, o.maximize);
    p.mul_(1 - o.lambd * rate).sub_(g, rate);
    if (part == 1) {
      mean.copy_(p);
    } else {
      mean.add_(p - mean, part);
    }
    eta.fill_(o.lr / std::pow(1 + o.lambd * o.lr * t, o.alpha));
    mu.fill_(1 / std::max(1.0, t - o.t0));
  });
}

}  // namespace teff::optim
