// SPDX-License-Identifier: MIT
#include <limits>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, std::optional<double> eps) {
  constexpr const char* kName = "rms_norm";
  if (!x.defined()) ops::fail<TypeError>(kName, "a defined input, got an undefined one");
  const Shape& shape = x.shape();
  const std::size_t count = normalized_shape.size();
  if (count == 0 || count > shape.size() || !(normalized_shape == IntList(std::span(shape.end() - count, count)))) {
    ops::fail<ShapeError>(kName, "input [..., ", normalized_shape, "] as normalized_shape says, got input ", shape);
  }
  if (weight.defined()) ops::check_matches(kName, "weight", weight.shape(), normalized_shape, "input", shape);
  return detail::with_name(kName, [&] {
    const bool single = x.dtype() == DType::float32;
    const double epsilon = single ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
    IntList dims;
    for (std::size_t i = 1; i <= count; ++i) dims.push_back(-static_cast<std::int64_t>(i));
    const Tensor normal = x / sqrt(mean(x * x, dims, true) + eps.value_or(epsilon));
    return weight.defined() ? normal * weight : normal;
  });
}

/// A product with all matrices at once: x1 A, for each A, is a row of x2's matrix.
Tensor bilinear(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias) {
  constexpr const char* kName = "bilinear";
  if (!x1.defined() || !x2.defined() || !weight.defined()) {
    ops::fail<TypeError>(kName, "defined inputs, got an undefined one");
  }
  const bool fits = weight.dim() == 3 && x1.dim() >= 1 && x1.dim() == x2.dim() && x1.size(-1) == weight.size(1) &&
                    x2.size(-1) == weight.size(2);
  if (!fits) {
    ops::fail<ShapeError>(kName, "inputs [..., in1] and [..., in2] and weight [out, in1, in2], got inputs ", x1.shape(),
                          " and ", x2.shape(), " and weight ", weight.shape());
  }
  return detail::with_name(kName, [&] {
    const std::int64_t out = weight.size(0), in1 = weight.size(1);
    const Tensor products = linear(x2, weight.view({out * in1, weight.size(2)}));  // [..., out * in1]
    Shape shape = products.shape();
    shape[shape.size() - 1] = out;
    shape.push_back(in1);
    const Tensor y = sum(products.view(shape) * unsqueeze(x1, -2), -1);
    return bias.defined() ? y + bias : y;
  });
}

}  // namespace teff
