// SPDX-License-Identifier: MIT
#include "teff/engine/gradients/formulas.h"
#include "teff/engine/ops/split.h"

namespace teff::gradients {
namespace {

// Lines of n elements, as [outer, n, inner]. No element is divided by: each may be 0.

/// y[i] = x[i + by], `beyond` where the line has no such element.
Tensor shifted(const Tensor& x, std::int64_t by, double beyond) {
  const std::int64_t n = x.size(1), amount = by < 0 ? -by : by;
  if (by < 0) return pad(slice(x, 1, 0, n - amount), {0, 0, amount, 0}, beyond);
  return pad(slice(x, 1, amount, n), {0, 0, 0, amount}, beyond);
}

/// t[i] = g[i] + x[i + 1] * t[i + 1], of as many steps as n has binary digits: each doubles how far t[i] looks.
Tensor tails(const Tensor& x, const Tensor& g) {
  Tensor t = g;
  Tensor between = shifted(x, 1, 0);  // the product of x[i + 1] ... x[i + reach]
  for (std::int64_t reach = 1; reach < x.size(1); reach *= 2) {
    t = t + between * shifted(t, reach, 0);
    if (2 * reach < x.size(1)) between = between * shifted(between, reach, 0);
  }
  return t;
}

/// dx[i] = (x[0] ... x[i - 1]) * t[i]
Tensor lines_grad(const Tensor& x, const Tensor& g) { return cumprod(shifted(x, -1, 1), 1) * tails(x, g); }

Shape lines(const Shape& shape, std::int64_t dim) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const ops::Split split(shape, static_cast<std::size_t>(dim < 0 && rank > 0 ? dim + rank : rank > 0 ? dim : 0));
  return {split.outer, split.size, split.inner};
}

TensorList cumprod_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &grad = call.grad();
  if (x.numel() == 0) return {zeros_like(grad)};
  const Shape shape = lines(x.shape(), integer(call, "dim"));
  return {view(lines_grad(view(x, shape), view(grad, shape)), x.shape())};
}

/// The last of the cumulative products.
TensorList prod_grads(const RecordedCall& call) {
  const Tensor& x = call.inputs[0];
  if (x.numel() == 0) return {zeros(x.shape(), {.dtype = x.dtype()})};
  const Dict options = call.op.attributes();
  const Value& dim = options.at("dim");
  const Shape shape = dim.is_none() ? Shape{1, x.numel(), 1} : lines(x.shape(), dim.as_int());
  const Tensor grad = pad(view(call.grad(), {shape[0], 1, shape[2]}), {0, 0, shape[1] - 1, 0});
  return {view(lines_grad(view(x, shape), grad), x.shape())};
}

}  // namespace

std::span<const FormulaEntry> cumulative_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"cumprod", cumprod_grads},
      {"cumsum", linear},
      {"prod", prod_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients
