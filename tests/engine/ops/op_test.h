// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"

namespace teff {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr std::int64_t kHuge = std::int64_t{1} << 62;

/// `float32 [2, 2]: 1 2 3 4`
inline std::string show(const Tensor& tensor) {
  if (!tensor.defined()) return "none";
  std::ostringstream out;
  out << to_string(tensor.dtype()) << ' ' << tensor.shape() << ':';
  if (tensor.dtype() == DType::int64) {
    for (const std::int64_t value : tensor.span<std::int64_t>()) out << ' ' << value;
  } else {
    const Tensor values = tensor.detach().to(DType::float64);
    for (const double value : values.span<double>()) out << ' ' << (std::isnan(value) ? kNan : value);
  }
  return out.str();
}

/// A leaf that asks for its gradient.
inline Tensor leaf(std::initializer_list<float> values, const Shape& shape) {
  return tensor<float>(values, shape).requires_grad_();
}

/// 1, 2, 3, ... of the given shape.
inline Tensor counting(const Shape& shape, DType dtype = DType::float32) {
  return arange(1, static_cast<double>(numel(shape)) + 1, 1, {.dtype = dtype}).view(shape);
}

}  // namespace teff
