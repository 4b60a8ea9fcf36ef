// SPDX-License-Identifier: MIT

// ATen's operators over dimensions.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using ReduceCall = OperatorCall;

/// Floating-point numbers as they are, others as int64, unless the call names a dtype: what sums are in.
Tensor for_sum(const ReduceCall& c) {
  const Tensor x = c.tensor(0);
  const std::optional<DType> dtype = aten_dtype_of(c);
  return dtype ? aten_to(x, *dtype) : is_floating_point(x.dtype()) ? x : aten_to(x, DType::int64);
}

/// Teff's sums of whole numbers are int64.
Tensor summed_as_named(const ReduceCall& c, const Tensor& result) { return aten_to(result, aten_dtype_of(c)); }

Tensor as_named(const ReduceCall& c) { return aten_to(c.tensor(0), aten_dtype_of(c)); }

bool keeps_dim(const ReduceCall& c) { return c.flag("keepdim", false); }

/// No dimensions, or an empty list of them, are all of them.
Tensor summed(const ReduceCall& c) { return summed_as_named(c, sum(for_sum(c), aten_list(c, "dim"), keeps_dim(c))); }
Tensor averaged(const ReduceCall& c) { return mean(as_named(c), aten_list(c, "dim"), keeps_dim(c)); }

template <Tensor (*function)(const Tensor&, const IntList&, bool)>
Tensor of_numbers_in(const ReduceCall& c) {
  return function(as_named(c), aten_list(c, "dim"), keeps_dim(c));
}

template <Tensor (*function)(const Tensor&, const IntList&, bool)>
Tensor over_dims(const ReduceCall& c) {
  return function(c.tensor(0), aten_list(c, "dim"), keeps_dim(c));
}

TensorList values_and_places(const ValuesAndIndices& found) { return {found.values, found.indices}; }

using OfDim = ValuesAndIndices (*)(const Tensor&, Integer, bool);
using OfDims = Tensor (*)(const Tensor&, const IntList&, bool);

TensorList extrema_of(const ReduceCall& c, OfDim of_dim, OfDims of_all, OfTensors of_two) {
  const std::optional<Value> dim = c.option("dim");
  if (!dim) return {of_all(c.tensor(0), {}, false)};
  if (dim->is_tensor()) {
    const auto [a, b] = promoted(c.tensor(0), c.tensor(1));
    return {of_two(a, b)};
  }
  return values_and_places(of_dim(c.tensor(0), dim->as_int(), keeps_dim(c)));
}
template <OfDim of_dim, OfDims of_all, OfTensors of_two>
TensorList extrema(const ReduceCall& c) {
  return extrema_of(c, of_dim, of_all, of_two);
}

template <ValuesAndIndices (*function)(const Tensor&, Integer)>
TensorList extrema_so_far(const ReduceCall& c) {
  return values_and_places(function(c.tensor(0), c.integer("dim", -1)));
}

TensorList smallest_but(const ReduceCall& c) {
  return values_and_places(kthvalue(c.tensor(0), c.integer("k", 1), c.integer("dim", -1), keeps_dim(c)));
}

template <Tensor (*function)(const Tensor&, std::optional<Integer>, bool)>
Tensor place_of_extremum(const ReduceCall& c) {
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  return function(c.tensor(0), dim ? std::optional<Integer>(*dim) : std::nullopt, keeps_dim(c));
}

Tensor multiplied(const ReduceCall& c) {
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  return summed_as_named(c, dim ? prod(for_sum(c), *dim, keeps_dim(c)) : prod(for_sum(c)));
}

/// var(self, unbiased), var(self, dim, unbiased, keepdim), var(self, dim, correction=, keepdim=): of operations of
/// which none has a number that is a size, so that sizes may be free.
struct Spread {
  Tensor variance, middle;

  explicit Spread(const ReduceCall& c) {
    const Tensor x = c.tensor(0);
    const std::optional<Value> dim = c.option("dim");
    const bool has_dims = !dim || !dim->is_bool();
    const bool unbiased = has_dims ? c.flag("unbiased", true) : dim->as_bool();
    const IntList dims = has_dims ? aten_list(c, "dim") : IntList();
    const double correction = c.number("correction", unbiased ? 1 : 0);
    middle = mean(x, dims, true);
    const Tensor squares = square(x - middle);
    if (correction == 0) {
      variance = mean(squares, dims, keeps_dim(c));
    } else {
      Shape counted;
      for (const std::int64_t one : dims) {
        const std::int64_t place = c.axis(one, std::max(x.dim(), std::int64_t{1}));
        counted.push_back(x.dim() == 0 ? 1 : x.size(place));
      }
      const Tensor count = sum(aten_filled(dims.empty() ? x.shape() : counted, 1, x.dtype()));
      variance = sum(squares, dims, keeps_dim(c)) / clamp(count - correction, 0.0);
    }
    middle = view(middle, variance.shape());
  }

  /// Of a variance of 0 the root has the gradient 0.
  Tensor deviation() const {
    const Tensor is_zero = eq(variance, 0);
    return masked_fill(sqrt(masked_fill(variance, is_zero, 1.0)), is_zero, 0.0);
  }
};

Tensor variance_of(const ReduceCall& c) { return Spread(c).variance; }
Tensor deviation_of(const ReduceCall& c) { return Spread(c).deviation(); }
TensorList variance_and_mean(const ReduceCall& c) {
  const Spread spread(c);
  return {spread.variance, spread.middle};
}
TensorList deviation_and_mean(const ReduceCall& c) {
  const Spread spread(c);
  return {spread.deviation(), spread.middle};
}

/// A norm of vectors, or that of matrices which is one of the vector of all elements.
Tensor normed(const ReduceCall& c, std::string_view name, bool may_be_of_matrices) {
  const std::optional<Value> order = c.option(name);
  const Tensor x = as_named(c);
  IntList dims = aten_list(c, "dim");
  Scalar p = 2;
  if (order && order->is_text()) {
    expect_supported(order->as_text() == "fro", "expected a norm of a number or fro, got " + order->as_text());
  } else if (order) {
    p = aten_scalar(*order);
    const bool is_of_matrices = may_be_of_matrices && (dims.size() == 2 || (dims.empty() && x.dim() > 1));
    expect_supported(!is_of_matrices, "expected a norm of vectors, or fro of matrices, got another norm of matrices");
  }
  return norm(x, p, dims, keeps_dim(c));
}
Tensor normed_by_p(const ReduceCall& c) { return normed(c, "p", false); }
Tensor normed_by_order(const ReduceCall& c) { return normed(c, "ord", false); }
Tensor normed_as_matrix(const ReduceCall& c) { return normed(c, "ord", true); }

/// By default of the last two dimensions.
Tensor normed_matrix(const ReduceCall& c) {
  const std::optional<Value> order = c.option("ord");
  expect_supported(!order || (order->is_text() && order->as_text() == "fro"),
                   "expected the norm fro of matrices, got another");
  const IntList dims = aten_list(c, "dim");
  return norm(as_named(c), 2, dims.empty() ? IntList{-2, -1} : dims, keeps_dim(c));
}

template <Tensor (*function)(const Tensor&, Integer)>
Tensor along_dim(const ReduceCall& c) {
  expect_supported(!c.flag("half_to_float", false), "expected a result of the input's dtype, got half_to_float");
  return function(as_named(c), c.integer("dim", -1));
}

template <Tensor (*function)(const Tensor&, Integer)>
Tensor running(const ReduceCall& c) {
  return summed_as_named(c, function(for_sum(c), c.integer("dim", -1)));
}

template <Tensor (*function)(const Tensor&, const IntList&, bool)>
Tensor truth_over(const ReduceCall& c) {
  const Tensor result = function(c.tensor(0), aten_list(c, "dim"), keeps_dim(c));
  return c.tensor(0).dtype() == DType::uint8 ? to(result, DType::uint8) : result;
}

Tensor log_of_sum(const ReduceCall& c) { return logsumexp(c.tensor(0), aten_list(c, "dim"), keeps_dim(c)); }

TensorList median_of(const ReduceCall& c) {
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  if (!dim) return {median(c.tensor(0))};
  return values_and_places(median(c.tensor(0), *dim, keeps_dim(c)));
}

Tensor quantile_of(const ReduceCall& c) {
  expect_supported(!is_tensor(c, "q"), "expected a number as q, got a tensor");
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  const Tensor x = c.tensor(0);  // the record has a place for each of a row's elements
  expect_supported((dim ? x.size(c.axis(*dim, std::max(x.dim(), std::int64_t{1}))) : x.numel()) <= kMaxConstant,
                   "expected quantiles of at most 65536 numbers, got more");
  const std::string interpolation = c.text("interpolation", "linear");
  return quantile(x, c.number("q", 0.5), dim ? std::optional<Integer>(*dim) : std::nullopt,
                  {.keepdim = keeps_dim(c), .interpolation = interpolation});
}

TensorList smallest_and_largest(const ReduceCall& c) {
  const MinAndMax both = aminmax(c.tensor(0), aten_list(c, "dim"), keeps_dim(c));
  return {both.min, both.max};
}

constexpr std::string_view kDimKeep = "self dim keepdim", kDimKeepType = "self dim keepdim dtype",
                           kSoftmax = "self dim dtype", kNorm = "self ord dim keepdim dtype",
                           kSpread = "self dim unbiased keepdim correction";

constexpr AtenRow kAtenReductions[] = {
    {"_log_softmax", "self dim half_to_float", along_dim<log_softmax>},
    {"_softmax", "self dim half_to_float", along_dim<softmax>},
    {"all", kDimKeep, truth_over<all>},
    {"amax", kDimKeep, over_dims<amax>},
    {"amin", kDimKeep, over_dims<amin>},
    {"aminmax", kDimKeep, smallest_and_largest},
    {"any", kDimKeep, truth_over<any>},
    {"argmax", kDimKeep, place_of_extremum<argmax>},
    {"argmin", kDimKeep, place_of_extremum<argmin>},
    {"count_nonzero", "self dim", +[](const ReduceCall& c) { return count_nonzero(c.tensor(0), aten_list(c, "dim")); }},
    {"cummax", "self dim", extrema_so_far<cummax>},
    {"cummin", "self dim", extrema_so_far<cummin>},
    {"cumprod", kSoftmax, running<cumprod>},
    {"cumsum", kSoftmax, running<cumsum>},
    {"frobenius_norm", kDimKeep, normed_by_p},
    {"kthvalue", "self k dim keepdim", smallest_but},
    {"linalg_matrix_norm", kNorm, normed_matrix},
    {"linalg_norm", kNorm, normed_as_matrix},
    {"linalg_vector_norm", kNorm, normed_by_order},
    {"log_softmax", kSoftmax, along_dim<log_softmax>},
    {"logsumexp", kDimKeep, log_of_sum},
    {"max", kDimKeep, extrema<max, amax, maximum>},
    {"mean", kDimKeepType, averaged},
    {"median", kDimKeep, median_of},
    {"min", kDimKeep, extrema<min, amin, minimum>},
    {"msort", "self", +[](const ReduceCall& c) { return sort(c.tensor(0), 0).values; }},
    {"nanmean", kDimKeepType, of_numbers_in<nanmean>},
    {"nansum", kDimKeepType, of_numbers_in<nansum>},
    {"norm", "self p dim keepdim dtype", normed_by_p},
    {"prod", kDimKeepType, multiplied},
    {"quantile", "self q dim keepdim interpolation", quantile_of},
    {"softmax", kSoftmax, along_dim<softmax>},
    {"std", kSpread, deviation_of},
    {"std_mean", kSpread, deviation_and_mean},
    {"sum", kDimKeepType, summed},
    {"var", kSpread, variance_of},
    {"var_mean", kSpread, variance_and_mean},
};
static_assert(is_in_order(kAtenReductions));

}  // namespace

const std::span<const AtenRow> operators::aten_reductions = kAtenReductions;

}  // namespace teff::serialize
