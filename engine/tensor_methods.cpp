// SPDX-License-Identifier: MIT
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor.h"

namespace teff {
namespace {

const Tensor& self(const TensorMethods& methods) { return static_cast<const Tensor&>(methods); }

Tensor scaled(const Tensor& x, Scalar alpha) { return alpha.to_double() == 1 ? x : mul(x, alpha); }

}  // namespace

Tensor TensorMethods::add(const Tensor& other, Scalar alpha) const {
  return teff::add(self(*this), scaled(other, alpha));
}
Tensor TensorMethods::sub(const Tensor& other, Scalar alpha) const {
  return teff::sub(self(*this), scaled(other, alpha));
}
Tensor TensorMethods::mul(const Tensor& other) const { return teff::mul(self(*this), other); }
Tensor TensorMethods::div(const Tensor& other) const { return teff::div(self(*this), other); }
Tensor TensorMethods::add(Scalar other) const { return teff::add(self(*this), other); }
Tensor TensorMethods::sub(Scalar other) const { return teff::sub(self(*this), other); }
Tensor TensorMethods::mul(Scalar other) const { return teff::mul(self(*this), other); }
Tensor TensorMethods::div(Scalar other) const { return teff::div(self(*this), other); }
Tensor TensorMethods::pow(const Tensor& exponent) const { return teff::pow(self(*this), exponent); }
Tensor TensorMethods::pow(Scalar exponent) const { return teff::pow(self(*this), exponent); }
Tensor TensorMethods::maximum(const Tensor& other) const { return teff::maximum(self(*this), other); }
Tensor TensorMethods::minimum(const Tensor& other) const { return teff::minimum(self(*this), other); }
Tensor TensorMethods::floor_divide(const Tensor& other) const { return teff::floor_divide(self(*this), other); }
Tensor TensorMethods::floor_divide(Scalar other) const { return teff::floor_divide(self(*this), other); }
Tensor TensorMethods::remainder(const Tensor& other) const { return teff::remainder(self(*this), other); }
Tensor TensorMethods::remainder(Scalar other) const { return teff::remainder(self(*this), other); }
Tensor TensorMethods::fmod(const Tensor& other) const { return teff::fmod(self(*this), other); }
Tensor TensorMethods::fmod(Scalar other) const { return teff::fmod(self(*this), other); }
Tensor TensorMethods::atan2(const Tensor& other) const { return teff::atan2(self(*this), other); }
Tensor TensorMethods::lerp(const Tensor& end, double weight) const { return teff::lerp(self(*this), end, weight); }
Tensor TensorMethods::lerp(const Tensor& end, const Tensor& weight) const {
  return teff::lerp(self(*this), end, weight);
}
Tensor TensorMethods::addcmul(const Tensor& a, const Tensor& b, Scalar value) const {
  return teff::addcmul(self(*this), a, b, value);
}
Tensor TensorMethods::addcdiv(const Tensor& a, const Tensor& b, Scalar value) const {
  return teff::addcdiv(self(*this), a, b, value);
}
Tensor TensorMethods::where(const Tensor& condition, const Tensor& other) const {
  return teff::where(condition, self(*this), other);
}
Tensor TensorMethods::where(const Tensor& condition, Scalar other) const {
  return teff::where(condition, self(*this), other);
}
Tensor TensorMethods::masked_fill(const Tensor& mask, Scalar value) const {
  return teff::masked_fill(self(*this), mask, value);
}
Tensor TensorMethods::masked_fill(const Tensor& mask, const Tensor& value) const {
  return teff::masked_fill(self(*this), mask, value);
}
Tensor TensorMethods::clamp(std::optional<Scalar> min, std::optional<Scalar> max) const {
  return teff::clamp(self(*this), min, max);
}
Tensor TensorMethods::clamp(const Tensor& min, const Tensor& max) const { return teff::clamp(self(*this), min, max); }
Tensor TensorMethods::clamp(NoBound, NoBound) const { return teff::clamp(self(*this), Tensor(), Tensor()); }
Tensor TensorMethods::clip(std::optional<Scalar> min, std::optional<Scalar> max) const {
  return teff::clip(self(*this), min, max);
}
Tensor TensorMethods::clamp_min(Scalar min) const { return teff::clamp(self(*this), min); }
Tensor TensorMethods::clamp_max(Scalar max) const { return teff::clamp(self(*this), {}, max); }
Tensor TensorMethods::abs() const { return teff::abs(self(*this)); }
Tensor TensorMethods::neg() const { return teff::neg(self(*this)); }
Tensor TensorMethods::exp() const { return teff::exp(self(*this)); }
Tensor TensorMethods::log() const { return teff::log(self(*this)); }
Tensor TensorMethods::sqrt() const { return teff::sqrt(self(*this)); }
Tensor TensorMethods::square() const { return teff::square(self(*this)); }
Tensor TensorMethods::reciprocal() const { return teff::reciprocal(self(*this)); }
Tensor TensorMethods::rsqrt() const { return teff::rsqrt(self(*this)); }
Tensor TensorMethods::sign() const { return teff::sign(self(*this)); }
Tensor TensorMethods::floor() const { return teff::floor(self(*this)); }
Tensor TensorMethods::ceil() const { return teff::ceil(self(*this)); }
Tensor TensorMethods::round() const { return teff::round(self(*this)); }
Tensor TensorMethods::trunc() const { return teff::trunc(self(*this)); }
Tensor TensorMethods::frac() const { return teff::frac(self(*this)); }
Tensor TensorMethods::sin() const { return teff::sin(self(*this)); }
Tensor TensorMethods::cos() const { return teff::cos(self(*this)); }
Tensor TensorMethods::tan() const { return teff::tan(self(*this)); }
Tensor TensorMethods::asin() const { return teff::asin(self(*this)); }
Tensor TensorMethods::acos() const { return teff::acos(self(*this)); }
Tensor TensorMethods::atan() const { return teff::atan(self(*this)); }
Tensor TensorMethods::sinh() const { return teff::sinh(self(*this)); }
Tensor TensorMethods::cosh() const { return teff::cosh(self(*this)); }
Tensor TensorMethods::log1p() const { return teff::log1p(self(*this)); }
Tensor TensorMethods::log2() const { return teff::log2(self(*this)); }
Tensor TensorMethods::log10() const { return teff::log10(self(*this)); }
Tensor TensorMethods::expm1() const { return teff::expm1(self(*this)); }
Tensor TensorMethods::exp2() const { return teff::exp2(self(*this)); }
Tensor TensorMethods::erf() const { return teff::erf(self(*this)); }
Tensor TensorMethods::erfc() const { return teff::erfc(self(*this)); }
Tensor TensorMethods::logit(std::optional<double> eps) const { return teff::logit(self(*this), eps); }
Tensor TensorMethods::nan_to_num(double nan, std::optional<double> posinf, std::optional<double> neginf) const {
  return teff::nan_to_num(self(*this), nan, posinf, neginf);
}
Tensor TensorMethods::relu() const { return teff::relu(self(*this)); }
Tensor TensorMethods::sigmoid() const { return teff::sigmoid(self(*this)); }
Tensor TensorMethods::tanh() const { return teff::tanh(self(*this)); }
Tensor TensorMethods::softmax(Integer dim) const { return teff::softmax(self(*this), dim); }
Tensor TensorMethods::log_softmax(Integer dim) const { return teff::log_softmax(self(*this), dim); }
Tensor TensorMethods::eq(const Tensor& other) const { return teff::eq(self(*this), other); }
Tensor TensorMethods::ne(const Tensor& other) const { return teff::ne(self(*this), other); }
Tensor TensorMethods::lt(const Tensor& other) const { return teff::lt(self(*this), other); }
Tensor TensorMethods::le(const Tensor& other) const { return teff::le(self(*this), other); }
Tensor TensorMethods::gt(const Tensor& other) const { return teff::gt(self(*this), other); }
Tensor TensorMethods::ge(const Tensor& other) const { return teff::ge(self(*this), other); }
Tensor TensorMethods::eq(Scalar other) const { return teff::eq(self(*this), other); }
Tensor TensorMethods::ne(Scalar other) const { return teff::ne(self(*this), other); }
Tensor TensorMethods::lt(Scalar other) const { return teff::lt(self(*this), other); }
Tensor TensorMethods::le(Scalar other) const { return teff::le(self(*this), other); }
Tensor TensorMethods::gt(Scalar other) const { return teff::gt(self(*this), other); }
Tensor TensorMethods::ge(Scalar other) const { return teff::ge(self(*this), other); }
Tensor TensorMethods::logical_and(const Tensor& other) const { return teff::logical_and(self(*this), other); }
Tensor TensorMethods::logical_or(const Tensor& other) const { return teff::logical_or(self(*this), other); }
Tensor TensorMethods::logical_xor(const Tensor& other) const { return teff::logical_xor(self(*this), other); }
Tensor TensorMethods::logical_not() const { return teff::logical_not(self(*this)); }
Tensor TensorMethods::isnan() const { return teff::isnan(self(*this)); }
Tensor TensorMethods::isinf() const { return teff::isinf(self(*this)); }
Tensor TensorMethods::isfinite() const { return teff::isfinite(self(*this)); }
Tensor TensorMethods::isclose(const Tensor& other) const { return teff::isclose(self(*this), other); }
Tensor TensorMethods::isclose(const Tensor& other, const CloseOptions& options) const {
  return teff::isclose(self(*this), other, options);
}
bool TensorMethods::allclose(const Tensor& other) const { return teff::allclose(self(*this), other); }
bool TensorMethods::allclose(const Tensor& other, const CloseOptions& options) const {
  return teff::allclose(self(*this), other, options);
}
bool TensorMethods::equal(const Tensor& other) const { return teff::equal(self(*this), other); }
Tensor TensorMethods::sum(const IntList& dims, bool keepdim) const { return teff::sum(self(*this), dims, keepdim); }
Tensor TensorMethods::mean(const IntList& dims, bool keepdim) const { return teff::mean(self(*this), dims, keepdim); }
Tensor TensorMethods::amax(const IntList& dims, bool keepdim) const { return teff::amax(self(*this), dims, keepdim); }
Tensor TensorMethods::amin(const IntList& dims, bool keepdim) const { return teff::amin(self(*this), dims, keepdim); }
Tensor TensorMethods::max() const { return teff::max(self(*this)); }
Tensor TensorMethods::min() const { return teff::min(self(*this)); }
ValuesAndIndices TensorMethods::max(Integer dim, bool keepdim) const { return teff::max(self(*this), dim, keepdim); }
ValuesAndIndices TensorMethods::min(Integer dim, bool keepdim) const { return teff::min(self(*this), dim, keepdim); }
Tensor TensorMethods::max(const Tensor& other) const { return teff::max(self(*this), other); }
Tensor TensorMethods::min(const Tensor& other) const { return teff::min(self(*this), other); }
Tensor TensorMethods::argmax(std::optional<Integer> dim, bool keepdim) const {
  return teff::argmax(self(*this), dim, keepdim);
}
Tensor TensorMethods::argmin(std::optional<Integer> dim, bool keepdim) const {
  return teff::argmin(self(*this), dim, keepdim);
}
Tensor TensorMethods::all(const IntList& dims, bool keepdim) const { return teff::all(self(*this), dims, keepdim); }
Tensor TensorMethods::any(const IntList& dims, bool keepdim) const { return teff::any(self(*this), dims, keepdim); }
Tensor TensorMethods::count_nonzero(const IntList& dims) const { return teff::count_nonzero(self(*this), dims); }
Tensor TensorMethods::prod() const { return teff::prod(self(*this)); }
Tensor TensorMethods::prod(Integer dim, bool keepdim) const { return teff::prod(self(*this), dim, keepdim); }
Tensor TensorMethods::cumsum(Integer dim) const { return teff::cumsum(self(*this), dim); }
Tensor TensorMethods::cumprod(Integer dim) const { return teff::cumprod(self(*this), dim); }
Tensor TensorMethods::var(const IntList& dims, bool unbiased, bool keepdim) const {
  return teff::var(self(*this), dims, unbiased, keepdim);
}
Tensor TensorMethods::var(const IntList& dims, const VarianceOptions& options) const {
  return teff::var(self(*this), dims, options);
}
Tensor TensorMethods::std(const IntList& dims, bool unbiased, bool keepdim) const {
  return teff::std(self(*this), dims, unbiased, keepdim);
}
Tensor TensorMethods::std(const IntList& dims, const VarianceOptions& options) const {
  return teff::std(self(*this), dims, options);
}
Tensor TensorMethods::norm(Scalar p, const IntList& dims, bool keepdim) const {
  return teff::norm(self(*this), p, dims, keepdim);
}
Tensor TensorMethods::logsumexp(const IntList& dims, bool keepdim) const {
  return teff::logsumexp(self(*this), dims, keepdim);
}
Tensor TensorMethods::median() const { return teff::median(self(*this)); }
ValuesAndIndices TensorMethods::median(Integer dim, bool keepdim) const {
  return teff::median(self(*this), dim, keepdim);
}
Tensor TensorMethods::matmul(const Tensor& other) const { return teff::matmul(self(*this), other); }
Tensor TensorMethods::mm(const Tensor& other) const { return teff::matmul(self(*this), other); }
Tensor TensorMethods::view_as(const Tensor& other) const { return teff::view(self(*this), other.shape()); }
Tensor TensorMethods::type_as(const Tensor& other) const { return self(*this).to(other.dtype()); }
Tensor TensorMethods::contiguous() const { return self(*this); }
bool TensorMethods::is_floating_point() const { return teff::is_floating_point(self(*this).dtype()); }

Tensor TensorMethods::operator-() const { return teff::neg(self(*this)); }
std::size_t TensorMethods::element_size() const { return size_of(self(*this).dtype()); }

Tensor Tensor::operator[](Integer index) const { return select(0, index); }
Tensor Tensor::to(DType dtype) const { return teff::to(*this, dtype); }

Tensor Tensor::view(const Shape& shape) const { return teff::view(*this, shape); }
Tensor Tensor::reshape(const Shape& shape) const { return teff::reshape(*this, shape); }
Tensor Tensor::flatten(Integer start_dim, Integer end_dim) const { return teff::flatten(*this, start_dim, end_dim); }
Tensor Tensor::squeeze(std::optional<Integer> dim) const { return teff::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(Integer dim) const { return teff::unsqueeze(*this, dim); }
Tensor Tensor::transpose(Integer dim0, Integer dim1) const { return teff::transpose(*this, dim0, dim1); }
Tensor Tensor::t() const {
  if (!defined()) throw TypeError("t: expected a defined tensor, got an undefined one");
  if (dim() > 2)
    throw ShapeError("t: expected at most 2 dimensions, got input " + to_string(shape()) + "; use permute");
  return dim() == 2 ? transpose(0, 1) : *this;
}
Tensor Tensor::permute(const IntList& dims) const { return teff::permute(*this, dims); }
Tensor Tensor::select(Integer dim, Integer index) const { return teff::select(*this, dim, index); }
Tensor Tensor::slice(Integer dim, Integer start, std::optional<Integer> end, Integer step) const {
  return teff::slice(*this, dim, start, end, step);
}
std::vector<Tensor> Tensor::split(Integer split_size, Integer dim) const { return teff::split(*this, split_size, dim); }
std::vector<Tensor> Tensor::split(std::span<const std::int64_t> sizes, Integer dim) const {
  return teff::split(*this, sizes, dim);
}
std::vector<Tensor> Tensor::chunk(Integer chunks, Integer dim) const { return teff::chunk(*this, chunks, dim); }

}  // namespace teff
