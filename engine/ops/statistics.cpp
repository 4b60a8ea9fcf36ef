// SPDX-License-Identifier: MIT

// Reductions that are made of other operations.

#include <array>
#include <cmath>
#include <limits>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/promotion.h"

namespace teff {
namespace {

using ops::in_float;

/// x^exponent, where 0 stays 0 and has the gradient 0.
Tensor power_but_at_0(const Tensor& x, double exponent) {
  const Tensor is_zero = eq(x, 0);
  const Tensor base = masked_fill(x, is_zero, 1);
  return masked_fill(exponent == 0.5 ? sqrt(base) : pow(base, exponent), is_zero, 0);
}

Tensor root(const Tensor& x) { return power_but_at_0(x, 0.5); }

/// How many elements of x go into one of the result.
double count_of(std::string_view op, const Tensor& x, const IntList& dims) {
  if (dims.empty()) return static_cast<double>(x.numel());
  double product = 1;
  for (const std::int64_t dim : dims) {
    const std::size_t place = ops::check_dim(op, dim, x.shape());
    if (!x.shape().empty()) product *= static_cast<double>(x.shape()[place]);
  }
  return product;
}

void check_computed(std::string_view op, const Tensor& x) {
  if (!x.defined()) ops::fail<TypeError>(op, "a defined tensor, got an undefined one");
  ops::check_computable(op, std::array{x.type()});
}

MeanAndSpread variance(std::string_view op, const Tensor& x, const IntList& dims, const VarianceOptions& options) {
  check_computed(op, x);
  const double degrees = count_of(op, x, dims) - static_cast<double>(options.correction);
  const Tensor middle = mean(x, dims, true), distance = sub(x, middle);
  const Tensor spread = div(sum(mul(distance, distance), dims, options.keepdim), degrees > 0 ? degrees : 0.0);
  return {spread, view(middle, spread.shape())};
}

/// `f` of x, which gives two tensors.
template <class Function>
MeanAndSpread both_in_float(const Tensor& x, const Function& f) {
  if (!x.defined() || is_computable(x.dtype()) || !is_floating_point(x.dtype())) return f(x);
  const MeanAndSpread wide = f(x.to(DType::float32));
  return {wide.spread.to(x.dtype()), wide.mean.to(x.dtype())};
}

Tensor norm_of(const Tensor& x, double p, const IntList& dims, bool keepdim) {
  const Tensor size = abs(x);
  if (std::isinf(p)) return p > 0 ? amax(size, dims, keepdim) : amin(size, dims, keepdim);
  if (p == 0) return sum(ne(x, 0).to(x.dtype()), dims, keepdim);
  if (p == 1) return sum(size, dims, keepdim);
  if (p == 2) return root(sum(mul(x, x), dims, keepdim));
  if (p < 0) return pow(sum(pow(size, p), dims, keepdim), 1 / p);
  return power_but_at_0(sum(power_but_at_0(size, p), dims, keepdim), 1 / p);
}

}  // namespace

Tensor all(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("all", [&] { return eq(sum(eq(x, 0), dims, keepdim), 0); });
}

Tensor any(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("any", [&] { return ne(sum(ne(x, 0), dims, keepdim), 0); });
}

Tensor count_nonzero(const Tensor& x, const IntList& dims) {
  return detail::with_name("count_nonzero", [&] { return sum(ne(x, 0), dims); });
}

Tensor argmin(const Tensor& x, std::optional<Integer> dim, bool keepdim) {
  return detail::with_name("argmin", [&] {
    if (dim) return min(x, *dim, keepdim).indices;
    const Tensor index = min(flatten(x), 0).indices;
    Shape ones;
    for (std::int64_t i = 0; keepdim && i < x.dim(); ++i) ones.push_back(1);
    return view(index, ones);
  });
}

MinAndMax aminmax(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("aminmax", [&] { return MinAndMax{amin(x, dims, keepdim), amax(x, dims, keepdim)}; });
}

MeanAndSpread var_mean(const Tensor& x, const IntList& dims, const VarianceOptions& options) {
  return both_in_float(x, [&](const Tensor& wide) { return variance("var_mean", wide, dims, options); });
}

MeanAndSpread std_mean(const Tensor& x, const IntList& dims, const VarianceOptions& options) {
  return both_in_float(x, [&](const Tensor& wide) {
    const auto [spread, mean] = variance("std_mean", wide, dims, options);
    return MeanAndSpread{root(spread), mean};
  });
}

Tensor var(const Tensor& x, const IntList& dims, const VarianceOptions& options) {
  return in_float(x, [&](const Tensor& wide) { return variance("var", wide, dims, options).spread; });
}

Tensor var(const Tensor& x, const IntList& dims, bool unbiased, bool keepdim) {
  return var(x, dims, {.correction = unbiased ? 1 : 0, .keepdim = keepdim});
}

Tensor std(const Tensor& x, const IntList& dims, const VarianceOptions& options) {
  return in_float(x, [&](const Tensor& wide) { return root(variance("std", wide, dims, options).spread); });
}

Tensor std(const Tensor& x, const IntList& dims, bool unbiased, bool keepdim) {
  return teff::std(x, dims, {.correction = unbiased ? 1 : 0, .keepdim = keepdim});
}

Tensor norm(const Tensor& x, Scalar p, const IntList& dims, bool keepdim) {
  return detail::with_name("norm", [&] {
    return in_float(x, [&](const Tensor& wide) {
      check_computed("norm", wide);
      return norm_of(wide, p.to_double(), dims, keepdim);
    });
  });
}

Tensor logsumexp(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("logsumexp", [&] {
    return in_float(x, [&](const Tensor& wide) {
      check_computed("logsumexp", wide);
      if (wide.numel() == 0) return log(sum(exp(wide), dims, keepdim));
      const Tensor greatest = amax(wide, dims, true).detach();
      const Tensor offset = masked_fill(greatest, isinf(greatest), 0);
      const Tensor result = log(sum(exp(sub(wide, offset)), dims, keepdim));
      return add(result, view(offset, result.shape()));
    });
  });
}

Tensor nansum(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("nansum", [&] { return sum(masked_fill(x, isnan(x), 0), dims, keepdim); });
}

Tensor nanmean(const Tensor& x, const IntList& dims, bool keepdim) {
  return detail::with_name("nanmean", [&] {
    return in_float(x, [&](const Tensor& wide) {
      check_computed("nanmean", wide);
      return div(nansum(wide, dims, keepdim), sum(eq(wide, wide), dims, keepdim).to(wide.dtype()));
    });
  });
}

Tensor median(const Tensor& x) {
  return detail::with_name("median", [&] {
    const Tensor middle = median(flatten(x), 0).values.detach();
    if (!is_computable(x.dtype())) return middle;
    // The same number again, as the maximum of all that equal it: so they share the gradient.
    const Tensor equal = bitwise_or(eq(x, middle), bitwise_and(isnan(x), isnan(middle)));
    return amax(where(equal, x, -std::numeric_limits<double>::infinity()));
  });
}

}  // namespace teff
