// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"

namespace teff {
namespace {

/// A gradient for the function's result that no symmetry cancels.
Tensor some_gradient(const Tensor& result) {
  const Tensor grad = empty(result.shape(), {.dtype = DType::float64});
  std::int64_t i = 0;
  for (double& value : grad.span<double>()) value = 0.5 + std::sin(1.3 * static_cast<double>(i++) + 0.7);
  return grad.requires_grad_();
}

/// All of them, one after the other.
Tensor joined(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> parts;
  for (const Tensor& tensor : tensors) {
    if (tensor.defined()) parts.push_back(view(tensor, -1));
  }
  return cat(parts);
}

std::vector<Tensor> leaves_of(std::span<const Tensor> tensors) {
  std::vector<Tensor> leaves;
  for (const Tensor& tensor : tensors) {
    leaves.push_back(tensor.detach().clone());
    leaves.back().requires_grad_(tensor.requires_grad());
  }
  return leaves;
}

}  // namespace

void gradgradcheck(const GradcheckFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options) {
  if (!function) throw TypeError("gradgradcheck: expected a function, got an empty one");
  std::vector<Tensor> all = leaves_of(inputs);
  all.push_back(some_gradient(function(all)));
  gradcheck(
      [&](std::span<const Tensor> values) {
        const GradModeGuard recording(true);
        const std::span<const Tensor> own = values.first(values.size() - 1);
        std::vector<Tensor> wanted;
        for (const Tensor& value : own) {
          if (value.requires_grad()) wanted.push_back(value);
        }
        return joined(autograd::grad({function(own)}, wanted,
                                     {.grad_outputs = {values.back()}, .create_graph = true, .allow_unused = true}));
      },
      all, options);
}

}  // namespace teff
