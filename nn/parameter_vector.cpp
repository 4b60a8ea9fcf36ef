// SPDX-License-Identifier: MIT
#include "teff/nn/parameter_vector.h"

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"

namespace teff::nn {

Tensor parameters_to_vector(std::span<const Tensor> parameters) {
  if (parameters.empty()) throw ValueError("parameters_to_vector: expected at least one parameter, got none");
  std::vector<Tensor> parts;
  for (const Tensor& parameter : parameters) parts.push_back(parameter.view(parameter.numel()));
  return cat(parts);
}

void vector_to_parameters(const Tensor& vector, std::span<const Tensor> parameters) {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters) count += parameter.numel();
  if (vector.dim() != 1 || vector.size(0) != count) {
    throw ShapeError("vector_to_parameters: expected a vector of " + std::to_string(count) + " elements, got " +
                     to_string(vector.shape()));
  }
  const NoGradGuard no_grad;
  std::int64_t begin = 0;
  for (const Tensor& parameter : parameters) {
    const std::int64_t end = begin + parameter.numel();
    parameter.copy_(vector.detach().slice(0, begin, end).view(parameter.shape()));
    begin = end;
  }
}

}  // namespace teff::nn
