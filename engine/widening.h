// SPDX-License-Identifier: MIT
#pragma once

// Private: dtypes that an op is given and does not compute with. Op::widening() says what is done about them.

#include <optional>
#include <span>

#include "teff/engine/op.h"
#include "teff/engine/tensor_impl.h"

namespace teff::detail {

/// Inputs of dtype `narrow` are read as `wide`.
struct Conversion {
  DType narrow, wide;
  Widening how;

  /// The type of result `i` that the op, given what was converted, says is `type`.
  TensorType back(const TensorType& type, std::size_t i) const;
};

/// None if forward takes these inputs as they are. @throws TypeError if the inputs are of several dtypes.
std::optional<Conversion> conversion_for(const Op& op, std::span<const TensorType> inputs);

TensorTypes widened(std::span<const TensorType> types, const Conversion& conversion);
TensorList widened(std::span<const Tensor> inputs, const Conversion& conversion);

/// The elements of `wide`, rounded or wrapped around to the dtype of `result`.
void narrow_into(const Tensor& wide, const Tensor& result);

}  // namespace teff::detail
