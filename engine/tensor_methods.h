// SPDX-License-Identifier: MIT
#pragma once

// The functions of pointwise_ops.h, comparison_ops.h and reduction_ops.h as methods of a tensor, where PyTorch has
// them.

#include <optional>

#include "teff/engine/dtype.h"
#include "teff/engine/scalar.h"
#include "teff/engine/shape.h"

namespace TEFF_EXPORT teff {

class Tensor;
struct CloseOptions;
struct ValuesAndIndices;
struct VarianceOptions;

/// What Tensor inherits: x.sin() is sin(x).
class TensorMethods {
 public:
  // Arithmetic.
  Tensor add(const Tensor& other, Scalar alpha = 1) const;
  Tensor sub(const Tensor& other, Scalar alpha = 1) const;
  Tensor mul(const Tensor& other) const;
  Tensor div(const Tensor& other) const;
  Tensor add(Scalar other) const;
  Tensor sub(Scalar other) const;
  Tensor mul(Scalar other) const;
  Tensor div(Scalar other) const;
  Tensor pow(const Tensor& exponent) const;
  Tensor pow(Scalar exponent) const;
  Tensor maximum(const Tensor& other) const;
  Tensor minimum(const Tensor& other) const;
  Tensor floor_divide(const Tensor& other) const;
  Tensor floor_divide(Scalar other) const;
  Tensor remainder(const Tensor& other) const;
  Tensor remainder(Scalar other) const;
  Tensor fmod(const Tensor& other) const;
  Tensor fmod(Scalar other) const;
  Tensor atan2(const Tensor& other) const;
  Tensor lerp(const Tensor& end, double weight) const;
  Tensor lerp(const Tensor& end, const Tensor& weight) const;
  Tensor addcmul(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor addcdiv(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor operator-() const;

  // Choices.
  /// Elements of this tensor where the condition holds, or else of `other`.
  Tensor where(const Tensor& condition, const Tensor& other) const;
  Tensor where(const Tensor& condition, Scalar other) const;
  Tensor masked_fill(const Tensor& mask, Scalar value) const;
  Tensor masked_fill(const Tensor& mask, const Tensor& value) const;
  Tensor clamp(std::optional<Scalar> min, std::optional<Scalar> max = {}) const;
  Tensor clamp(const Tensor& min, const Tensor& max) const;
  Tensor clamp(NoBound min, NoBound max = {}) const;
  Tensor clip(std::optional<Scalar> min, std::optional<Scalar> max = {}) const;
  Tensor clamp_min(Scalar min) const;
  Tensor clamp_max(Scalar max) const;

  // Element by element.
  Tensor abs() const;
  Tensor neg() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sqrt() const;
  Tensor square() const;
  Tensor reciprocal() const;
  Tensor rsqrt() const;
  Tensor sign() const;
  Tensor floor() const;
  Tensor ceil() const;
  Tensor round() const;
  Tensor trunc() const;
  Tensor frac() const;
  Tensor sin() const;
  Tensor cos() const;
  Tensor tan() const;
  Tensor asin() const;
  Tensor acos() const;
  Tensor atan() const;
  Tensor sinh() const;
  Tensor cosh() const;
  Tensor log1p() const;
  Tensor log2() const;
  Tensor log10() const;
  Tensor expm1() const;
  Tensor exp2() const;
  Tensor erf() const;
  Tensor erfc() const;
  Tensor logit(std::optional<double> eps = {}) const;
  Tensor nan_to_num(double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {}) const;
  Tensor relu() const;
  Tensor sigmoid() const;
  Tensor tanh() const;
  Tensor softmax(Integer dim) const;
  Tensor log_softmax(Integer dim) const;

  // Comparison and logic.
  Tensor eq(const Tensor& other) const;
  Tensor ne(const Tensor& other) const;
  Tensor lt(const Tensor& other) const;
  Tensor le(const Tensor& other) const;
  Tensor gt(const Tensor& other) const;
  Tensor ge(const Tensor& other) const;
  Tensor eq(Scalar other) const;
  Tensor ne(Scalar other) const;
  Tensor lt(Scalar other) const;
  Tensor le(Scalar other) const;
  Tensor gt(Scalar other) const;
  Tensor ge(Scalar other) const;
  Tensor logical_and(const Tensor& other) const;
  Tensor logical_or(const Tensor& other) const;
  Tensor logical_xor(const Tensor& other) const;
  Tensor logical_not() const;
  Tensor isnan() const;
  Tensor isinf() const;
  Tensor isfinite() const;
  Tensor isclose(const Tensor& other) const;
  Tensor isclose(const Tensor& other, const CloseOptions& options) const;
  bool allclose(const Tensor& other) const;
  bool allclose(const Tensor& other, const CloseOptions& options) const;
  bool equal(const Tensor& other) const;

  // Over dimensions.
  Tensor sum(const IntList& dims = {}, bool keepdim = false) const;
  Tensor mean(const IntList& dims = {}, bool keepdim = false) const;
  Tensor amax(const IntList& dims = {}, bool keepdim = false) const;
  Tensor amin(const IntList& dims = {}, bool keepdim = false) const;
  Tensor max() const;
  Tensor min() const;
  ValuesAndIndices max(Integer dim, bool keepdim = false) const;
  ValuesAndIndices min(Integer dim, bool keepdim = false) const;
  Tensor max(const Tensor& other) const;
  Tensor min(const Tensor& other) const;
  Tensor argmax(std::optional<Integer> dim = {}, bool keepdim = false) const;
  Tensor argmin(std::optional<Integer> dim = {}, bool keepdim = false) const;
  Tensor all(const IntList& dims = {}, bool keepdim = false) const;
  Tensor any(const IntList& dims = {}, bool keepdim = false) const;
  Tensor count_nonzero(const IntList& dims = {}) const;
  Tensor prod() const;
  Tensor prod(Integer dim, bool keepdim = false) const;
  Tensor cumsum(Integer dim) const;
  Tensor cumprod(Integer dim) const;
  Tensor var(const IntList& dims = {}, bool unbiased = true, bool keepdim = false) const;
  Tensor var(const IntList& dims, const VarianceOptions& options) const;
  Tensor std(const IntList& dims = {}, bool unbiased = true, bool keepdim = false) const;
  Tensor std(const IntList& dims, const VarianceOptions& options) const;
  Tensor norm(Scalar p = 2, const IntList& dims = {}, bool keepdim = false) const;
  Tensor logsumexp(const IntList& dims, bool keepdim = false) const;
  Tensor median() const;
  ValuesAndIndices median(Integer dim, bool keepdim = false) const;

  // Spellings.
  Tensor matmul(const Tensor& other) const;
  Tensor mm(const Tensor& other) const;  // matmul
  Tensor view_as(const Tensor& other) const;
  Tensor type_as(const Tensor& other) const;  // in its dtype
  Tensor contiguous() const;                  // itself: all tensors are
  bool is_contiguous() const { return true; }
  bool is_floating_point() const;
  std::size_t element_size() const;  // bytes

  // In place. Not recorded: @throws Error where a gradient would be (use NoGradGuard or detach(), or x = x + y).
  // TypeError for a result of a higher kind than the tensor's dtype. All return the tensor itself.
  const Tensor& add_(const Tensor& other, Scalar alpha = 1) const;
  const Tensor& sub_(const Tensor& other, Scalar alpha = 1) const;
  const Tensor& mul_(const Tensor& other) const;
  const Tensor& div_(const Tensor& other) const;
  const Tensor& add_(Scalar other) const;
  const Tensor& sub_(Scalar other) const;
  const Tensor& mul_(Scalar other) const;
  const Tensor& div_(Scalar other) const;
  const Tensor& pow_(Scalar exponent) const;
  const Tensor& addcmul_(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  const Tensor& addcdiv_(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  const Tensor& lerp_(const Tensor& end, double weight) const;
  const Tensor& clamp_(std::optional<Scalar> min, std::optional<Scalar> max = {}) const;
  const Tensor& clamp_min_(Scalar min) const;
  const Tensor& clamp_max_(Scalar max) const;
  const Tensor& masked_fill_(const Tensor& mask, Scalar value) const;
  const Tensor& masked_fill_(const Tensor& mask, const Tensor& value) const;
  const Tensor& abs_() const;
  const Tensor& neg_() const;
  const Tensor& exp_() const;
  const Tensor& log_() const;
  const Tensor& sqrt_() const;
  const Tensor& rsqrt_() const;
  const Tensor& reciprocal_() const;
  const Tensor& square_() const;
  const Tensor& floor_() const;
  const Tensor& ceil_() const;
  const Tensor& round_() const;
  const Tensor& relu_() const;
  const Tensor& sigmoid_() const;
  const Tensor& tanh_() const;
  const Tensor& logical_not_() const;

 protected:
  TensorMethods() = default;
};

}  // namespace teff
