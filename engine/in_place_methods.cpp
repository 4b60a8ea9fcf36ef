// SPDX-License-Identifier: MIT
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Bool, whole or floating-point.
int kind_of(DType dtype) { return is_floating_point(dtype) ? 2 : dtype == DType::bool_ ? 0 : 1; }

void check_values(const char* function, const Tensor& values, const Tensor& target) {
  const std::string name = function;
  if (values.requires_grad()) {
    throw Error(name +
                ": expected operands whose gradient is not recorded, got one that requires grad; write x = x + y "
                "instead, or use NoGradGuard or detach()");
  }
  if (kind_of(values.dtype()) <= kind_of(target.dtype())) return;
  throw TypeError(name + ": expected a result to go with " + std::string(to_string(target.dtype())) + ", got " +
                  std::string(to_string(values.dtype())) + "; convert the tensor with to()");
}

/// target = compute(target)
template <class Compute>
const Tensor& assign(const char* function, const TensorMethods& methods, const Compute& compute) {
  const auto& target = static_cast<const Tensor&>(methods);
  detail::check_in_place(function, target);
  const Tensor values = detail::with_name(function, [&] { return compute(target); });
  check_values(function, values, target);
  detail::assign(function, values, target);
  return target;
}

}  // namespace

const Tensor& TensorMethods::add_(const Tensor& other, Scalar alpha) const {
  return assign("add_", *this, [&](const Tensor& x) {
    return teff::add(x, alpha.to_double() == 1 ? other : teff::mul(other, alpha));
  });
}
const Tensor& TensorMethods::sub_(const Tensor& other, Scalar alpha) const {
  return assign("sub_", *this, [&](const Tensor& x) {
    return teff::sub(x, alpha.to_double() == 1 ? other : teff::mul(other, alpha));
  });
}
const Tensor& TensorMethods::mul_(const Tensor& other) const {
  return assign("mul_", *this, [&](const Tensor& x) { return teff::mul(x, other); });
}
const Tensor& TensorMethods::div_(const Tensor& other) const {
  return assign("div_", *this, [&](const Tensor& x) { return teff::div(x, other); });
}
const Tensor& TensorMethods::add_(Scalar other) const {
  return assign("add_", *this, [&](const Tensor& x) { return teff::add(x, other); });
}
const Tensor& TensorMethods::sub_(Scalar other) const {
  return assign("sub_", *this, [&](const Tensor& x) { return teff::sub(x, other); });
}
const Tensor& TensorMethods::mul_(Scalar other) const {
  return assign("mul_", *this, [&](const Tensor& x) { return teff::mul(x, other); });
}
const Tensor& TensorMethods::div_(Scalar other) const {
  return assign("div_", *this, [&](const Tensor& x) { return teff::div(x, other); });
}
const Tensor& TensorMethods::pow_(Scalar exponent) const {
  return assign("pow_", *this, [&](const Tensor& x) { return teff::pow(x, exponent); });
}
const Tensor& TensorMethods::addcmul_(const Tensor& a, const Tensor& b, Scalar value) const {
  return assign("addcmul_", *this, [&](const Tensor& x) { return teff::addcmul(x, a, b, value); });
}
const Tensor& TensorMethods::addcdiv_(const Tensor& a, const Tensor& b, Scalar value) const {
  return assign("addcdiv_", *this, [&](const Tensor& x) { return teff::addcdiv(x, a, b, value); });
}
const Tensor& TensorMethods::lerp_(const Tensor& end, double weight) const {
  return assign("lerp_", *this, [&](const Tensor& x) { return teff::lerp(x, end, weight); });
}
const Tensor& TensorMethods::clamp_(std::optional<Scalar> min, std::optional<Scalar> max) const {
  return assign("clamp_", *this, [&](const Tensor& x) { return teff::clamp(x, min, max); });
}
const Tensor& TensorMethods::clamp_min_(Scalar min) const {
  return assign("clamp_min_", *this, [&](const Tensor& x) { return teff::clamp(x, min); });
}
const Tensor& TensorMethods::clamp_max_(Scalar max) const {
  return assign("clamp_max_", *this, [&](const Tensor& x) { return teff::clamp(x, {}, max); });
}
const Tensor& TensorMethods::masked_fill_(const Tensor& mask, Scalar value) const {
  return assign("masked_fill_", *this, [&](const Tensor& x) { return teff::masked_fill(x, mask, value); });
}
const Tensor& TensorMethods::masked_fill_(const Tensor& mask, const Tensor& value) const {
  return assign("masked_fill_", *this, [&](const Tensor& x) { return teff::masked_fill(x, mask, value); });
}
const Tensor& TensorMethods::abs_() const {
  return assign("abs_", *this, [&](const Tensor& x) { return teff::abs(x); });
}
const Tensor& TensorMethods::neg_() const {
  return assign("neg_", *this, [&](const Tensor& x) { return teff::neg(x); });
}
const Tensor& TensorMethods::exp_() const {
  return assign("exp_", *this, [&](const Tensor& x) { return teff::exp(x); });
}
const Tensor& TensorMethods::log_() const {
  return assign("log_", *this, [&](const Tensor& x) { return teff::log(x); });
}
const Tensor& TensorMethods::sqrt_() const {
  return assign("sqrt_", *this, [&](const Tensor& x) { return teff::sqrt(x); });
}
const Tensor& TensorMethods::rsqrt_() const {
  return assign("rsqrt_", *this, [&](const Tensor& x) { return teff::rsqrt(x); });
}
const Tensor& TensorMethods::reciprocal_() const {
  return assign("reciprocal_", *this, [&](const Tensor& x) { return teff::reciprocal(x); });
}
const Tensor& TensorMethods::square_() const {
  return assign("square_", *this, [&](const Tensor& x) { return teff::square(x); });
}
const Tensor& TensorMethods::floor_() const {
  return assign("floor_", *this, [&](const Tensor& x) { return teff::floor(x); });
}
const Tensor& TensorMethods::ceil_() const {
  return assign("ceil_", *this, [&](const Tensor& x) { return teff::ceil(x); });
}
const Tensor& TensorMethods::round_() const {
  return assign("round_", *this, [&](const Tensor& x) { return teff::round(x); });
}
const Tensor& TensorMethods::relu_() const {
  return assign("relu_", *this, [&](const Tensor& x) { return teff::relu(x); });
}
const Tensor& TensorMethods::sigmoid_() const {
  return assign("sigmoid_", *this, [&](const Tensor& x) { return teff::sigmoid(x); });
}
const Tensor& TensorMethods::tanh_() const {
  return assign("tanh_", *this, [&](const Tensor& x) { return teff::tanh(x); });
}
const Tensor& TensorMethods::logical_not_() const {
  return assign("logical_not_", *this, [&](const Tensor& x) { return teff::logical_not(x); });
}

}  // namespace teff
