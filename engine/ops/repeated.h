// SPDX-License-Identifier: MIT
#pragma once

// Private: a tensor read as an array of a larger shape.

#include <cstddef>
#include <optional>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/tensor.h"

namespace teff::ops {

/// The elements of a tensor repeated to a shape with which it broadcasts: its own if it has that shape, or else a copy
/// in scratch memory. The tensor must outlive it.
class Repeated {
 public:
  Repeated(const Tensor& tensor, const Shape& shape);

  const void* data() const { return data_; }

 private:
  const void* data_;
  std::optional<kernels::Workspace<std::byte>> copy_;
};

}  // namespace teff::ops
