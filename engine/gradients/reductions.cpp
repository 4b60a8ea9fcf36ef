// SPDX-License-Identifier: MIT
#include "teff/engine/gradients/formulas.h"
#include "teff/engine/ops/split.h"

namespace teff::gradients {
namespace {

/// The shape of x with 1 for what was reduced.
Shape kept(const RecordedCall& call) {
  Shape shape = x_of(call).shape();
  const IntList dims = integers(call, "dims");
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i), from_end = place - static_cast<std::int64_t>(shape.size());
    if (dims.empty() || dims.contains(place) || dims.contains(from_end)) shape[i] = 1;
  }
  return shape;
}

Tensor repeated(const RecordedCall& call, const Tensor& reduced) {
  return expand(view(reduced, kept(call)), x_of(call).shape());
}

TensorList sum_grads(const RecordedCall& call) { return {repeated(call, call.grad())}; }

TensorList mean_grads(const RecordedCall& call) {
  double count = 1;
  const Shape &all = x_of(call).shape(), rest = kept(call);
  for (std::size_t i = 0; i < all.size(); ++i) count *= rest[i] == 1 ? static_cast<double>(all[i]) : 1;
  return {repeated(call, call.grad() / count)};
}

/// Equal extrema share the gradient.
TensorList extremum_grads(const RecordedCall& call) {
  const Tensor& x = x_of(call);
  const Tensor equal = mask(eq(x, view(call.saved[0], kept(call))), x);
  return {equal * view(call.grad(), kept(call)) / sum_to(equal, kept(call))};
}

/// values = x[indices]
TensorList indexed_extremum_grads(const RecordedCall& call) {
  const Tensor &x = x_of(call), &indices = call.saved[0];
  const std::int64_t dim = integer(call, "dim");
  const auto rank = static_cast<std::int64_t>(x.shape().size());
  const ops::Split split(x.shape(), static_cast<std::size_t>(dim < 0 && rank > 0 ? dim + rank : rank > 0 ? dim : 0));
  Tensor places = indices.clone();
  std::int64_t i = 0;
  for (std::int64_t& place : places.span<std::int64_t>()) {
    place = (i / split.inner * split.size + place) * split.inner + i % split.inner;
    ++i;
  }
  return {put(call.grad(), places, x.type())};
}

TensorList softmax_grads(const RecordedCall& call) {
  const std::int64_t dim = integer(call, "dim");
  const Tensor y = call.result();
  return {y * (call.grad() - sum(call.grad() * y, dim, true))};
}

TensorList log_softmax_grads(const RecordedCall& call) {
  const std::int64_t dim = integer(call, "dim");
  return {call.grad() - exp(call.result()) * sum(call.grad(), dim, true)};
}

}  // namespace

std::span<const FormulaEntry> reduction_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"sum", sum_grads},
      {"mean", mean_grads},
      {"max", extremum_grads},
      {"min", extremum_grads},
      {"max_with_indices", indexed_extremum_grads},
      {"median_with_indices", indexed_extremum_grads},
      {"min_with_indices", indexed_extremum_grads},
      {"softmax", softmax_grads},
      {"log_softmax", log_softmax_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients
