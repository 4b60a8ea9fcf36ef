// SPDX-License-Identifier: MIT
#include "teff/nn/loss.h"

#include "teff/engine/error.h"

namespace teff::nn {

Tensor Loss::operator()(const Tensor& input, const Tensor& target) { return (*this)({input, target})[0]; }

std::vector<Tensor> Loss::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 2) {
    throw ShapeError(type_name() + ": expected 2 inputs (input, target), got " + std::to_string(inputs.size()));
  }
  return {compute(inputs[0], inputs[1])};
}

Tensor CrossEntropyLoss::compute(const Tensor& input, const Tensor& target) const {
  return cross_entropy(input, target, reduction());
}

Tensor NLLLoss::compute(const Tensor& input, const Tensor& target) const {
  return nll_loss(input, target, reduction());
}

Tensor MSELoss::compute(const Tensor& input, const Tensor& target) const {
  return mse_loss(input, target, reduction());
}

}  // namespace teff::nn
