// SPDX-License-Identifier: MIT
#include "teff/engine/ops/promotion.h"

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff::ops {

DType promoted(DType dtype, Scalar value) {
  if (is_floating_point(dtype)) return dtype;
  if (value.is_floating_point()) return DType::float32;
  return dtype == DType::bool_ && !value.is_bool() ? DType::int64 : dtype;
}

Tensor promoted(const Tensor& x, Scalar value) { return x.defined() ? x.to(promoted(x.dtype(), value)) : x; }

Tensor number_for(const Tensor& x, Scalar value) {
  const DType dtype = promoted(x.dtype(), value);
  if (value.is_floating_point()) return full({}, value.to_double(), {.dtype = dtype});
  return full({}, value.to_int(), {.dtype = dtype});
}

Tensor power(const Tensor& x, std::int64_t exponent) {
  if (exponent < 0) fail<ValueError>("pow", "an exponent of at least 0 for whole numbers, got ", exponent);
  Tensor base = promoted(x, 1), result;
  if (exponent == 0) return add(mul(base, 0), 1);  // no tensor of ones: a record would keep its size
  if (exponent == 1) return mul(base, 1);
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = result.defined() ? mul(result, base) : base;
    if (exponent > 1) base = mul(base, base);
  }
  return result;
}

}  // namespace teff::ops
