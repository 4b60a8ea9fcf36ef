// SPDX-License-Identifier: MIT
#include <cmath>
#include <numbers>

#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/reduction.h"

namespace teff {

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllLossOptions& options) {
  constexpr const char* kName = "poisson_nll_loss";
  ops::check_plain_reduction(kName, options.reduction);
  return detail::with_name(kName, [&] {
    const Tensor plain = options.log_input ? exp(input) - target * input : input - target * log(input + options.eps);
    if (!options.full) return ops::reduced(plain, options.reduction);
    const Tensor above = clamp(target, 1.0);  // below, the term is not used and its logarithm not asked for
    const Tensor stirling = above * log(above) - above + 0.5 * log(2 * std::numbers::pi * above);
    return ops::reduced(plain + stirling * (target > 1.0).to(target.dtype()), options.reduction);
  });
}

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNllLossOptions& options) {
  constexpr const char* kName = "gaussian_nll_loss";
  ops::check_plain_reduction(kName, options.reduction);
  if (!input.defined() || !target.defined() || !var.defined()) {
    ops::fail<TypeError>(kName, "defined inputs, got an undefined one");
  }
  Shape without_last = input.shape(), with_one = input.shape();
  if (!with_one.empty()) {
    without_last.erase(without_last.size() - 1);
    with_one[with_one.size() - 1] = 1;
  }
  if (var.shape() != input.shape() && var.shape() != without_last && var.shape() != with_one) {
    ops::fail<ShapeError>(kName,
                          "var of the input's shape, or without or with one value in its last dimension, got input ",
                          input.shape(), " and var ", var.shape());
  }
  if (!is_capturing() && var.numel() > 0 && min(var.detach()).item<double>() < 0) {
    ops::fail<ValueError>(kName, "var of at least 0, got ", min(var.detach()).item<double>());
  }
  return detail::with_name(kName, [&] {
    const Tensor spread = var.shape() == input.shape() || var.shape() == with_one ? var : unsqueeze(var, -1);
    const Tensor clamped = spread + (clamp(spread, options.eps) - spread).detach();
    const Tensor difference = input - target;
    Tensor losses = 0.5 * (log(clamped) + difference * difference / clamped);
    if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
    return ops::reduced(losses, options.reduction);
  });
}

}  // namespace teff
