// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// All elements of the parameters, one after the other, as one vector; gradients pass.
/// @throws ValueError for no parameters; TypeError unless all are of one dtype.
Tensor parameters_to_vector(std::span<const Tensor> parameters);
inline Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  return parameters_to_vector(std::span<const Tensor>(parameters));
}

/// The way back: copies the elements into the parameters.
/// @throws ShapeError, before anything changes, unless the vector has as many elements as they.
void vector_to_parameters(const Tensor& vector, std::span<const Tensor> parameters);
inline void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  vector_to_parameters(vector, std::span<const Tensor>(parameters));
}

}  // namespace nn
}  // namespace teff
