// SPDX-License-Identifier: MIT

// Sums and the like over dimensions, softmax, places of extrema.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Reduce = Tensor (*)(const Tensor&, const IntList&, bool);

Tensor as_it_is(Tensor x) { return x; }

/// `prepare` before it, `finish` after it.
template <Reduce reduce, Conversion::ByValue prepare = as_it_is, Conversion::ByValue finish = as_it_is>
Tensor reduced(const Call& c) {
  Tensor x = c.tensor(0);
  const std::vector<std::int64_t> axes = c.integers(1, "axes");
  const bool keeps = c.flag("keepdims", true), nothing = c.flag("noop_with_empty_axes", false) && axes.empty();
  x = prepare(x);
  if (!nothing && (x.dim() > 0 || !axes.empty())) {
    IntList dims = list_of(axes);
    for (std::int64_t& dim : dims) dim = c.axis(dim, x.dim());
    x = reduce(x, dims, keeps);
  }
  return finish(x);
}

Tensor squared(Tensor x) { return x * x; }

/// prod takes one dimension after the other.
Tensor product(const Tensor& x, const IntList& dims, bool keepdim) {
  Tensor result = x;
  for (std::int64_t dim = x.dim(); dim-- > 0;) {
    if (dims.empty() || dims.contains(dim)) result = prod(result, dim, keepdim);
  }
  return result;
}

/// log(sum(exp(x))) with the largest x taken out, so that nothing overflows.
Tensor log_sum_exp(const Call& c) {
  const Tensor x = c.tensor(0);
  IntList dims = list_of(c.integers(1, "axes"));
  const bool keeps = c.flag("keepdims", true);
  if (dims.empty() && c.flag("noop_with_empty_axes", false)) return x;
  for (std::int64_t& dim : dims) dim = c.axis(dim, x.dim());
  const Tensor largest = amax(x, dims, true), total = log(sum(exp(x - largest), dims, true)) + largest;
  return keeps ? total : sum(total, dims, false);
}

template <Tensor (*find)(const Tensor&, std::int64_t, bool)>
Tensor place_of_extremum(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.dim());
  const bool keeps = c.flag("keepdims", true);
  if (!c.flag("select_last_index", false)) return find(x, axis, keeps);
  const std::int64_t size = x.size(axis);
  expect_supported(size <= kMaxConstant, "expected at most 65536 elements to turn round, got more");
  std::vector<std::int64_t> back;
  for (std::int64_t i = size; i-- > 0;) back.push_back(i);
  const Tensor turned = find(index_select(x, axis, teff::tensor(back)), axis, keeps);
  return full({}, size - 1, {.dtype = DType::int64}) - turned;
}

Tensor largest_place(const Tensor& x, std::int64_t axis, bool keepdim) { return argmax(x, axis, keepdim); }
Tensor smallest_place(const Tensor& x, std::int64_t axis, bool keepdim) { return min(x, axis, keepdim).indices; }

/// Before version 13 over all dimensions from the axis on.
template <Tensor (*function)(const Tensor&, Integer)>
Tensor normalised(const Call& c) {
  const Tensor x = c.tensor(0);
  const bool old = c.opset() < 13;
  const std::int64_t axis = c.axis(c.integer("axis", old ? 1 : -1), x.dim());
  if (!old || axis == x.dim() - 1) return function(x, axis);
  std::int64_t rest = 1;
  IntList sizes;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < axis) sizes.push_back(x.size(i));
    if (i >= axis) rest *= x.size(i);
  }
  sizes.push_back(rest);
  return view(function(view(x, sizes), -1), x.shape());
}

constexpr OperatorRow kReductionsRows[] = {
    {"ArgMax", place_of_extremum<largest_place>},
    {"ArgMin", place_of_extremum<smallest_place>},
    {"LogSoftmax", normalised<log_softmax>},
    {"ReduceL1", reduced<sum, abs>},
    {"ReduceL2", reduced<sum, squared, sqrt>},
    {"ReduceLogSum", reduced<sum, as_it_is, log>},
    {"ReduceLogSumExp", log_sum_exp},
    {"ReduceMax", reduced<amax>},
    {"ReduceMean", reduced<mean>},
    {"ReduceMin", reduced<amin>},
    {"ReduceProd", reduced<product>},
    {"ReduceSum", reduced<sum>},
    {"ReduceSumSquare", reduced<sum, squared>},
    {"Softmax", normalised<softmax>},
};

}  // namespace

const std::span<const OperatorRow> operators::reductions = kReductionsRows;

}  // namespace teff::serialize
