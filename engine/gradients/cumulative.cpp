// SPDX-License-Identifier: MIT
#include <vector>

#include "teff/engine/gradients/formulas.h"
#include "teff/engine/modes.h"
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

/// t[i] = g[i] + x[i + 1] * t[i + 1], one after the other.
Tensor tails_in_turn(const Tensor& x, const Tensor& g) {
  std::vector<Tensor> t = unbind(g, 1);
  for (std::size_t i = t.size() - 1; i-- > 0;) t[i] = t[i] + select(x, 1, i + 1) * t[i + 1];
  return stack(t, 1);
}

/// The same in as many steps as n has binary digits: each doubles how far t[i] looks. What it multiplies meanwhile may
/// be infinity and 0, so all must be finite.
Tensor tails(const Tensor& x, const Tensor& g) {
  const std::int64_t n = x.size(1);
  if (!is_capturing() && !all(isfinite(x)).item<bool>()) return tails_in_turn(x, g);
  Tensor t = g;
  Tensor between = slice(x, 1, 1, n);  // the product of x[i + 1] ... x[i + reach]
  for (std::int64_t reach = 1; reach < n; reach *= 2) {
    const Tensor near = slice(t, 1, 0, n - reach) + between * slice(t, 1, reach, n);
    t = cat({near, slice(t, 1, n - reach, n)}, 1);
    if (2 * reach < n) between = slice(between, 1, 0, n - 2 * reach) * slice(between, 1, reach, n - reach);
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

/// dx[i] = g * (x[0] ... x[i - 1]) * (x[i + 1] ... x[n - 1])
TensorList prod_grads(const RecordedCall& call) {
  const Tensor& x = call.inputs[0];
  if (x.numel() == 0) return {zeros(x.shape(), {.dtype = x.dtype()})};
  const Dict options = call.op.attributes();
  const Value& dim = options.at("dim");
  const Shape shape = dim.is_none() ? Shape{1, x.numel(), 1} : lines(x.shape(), dim.as_int());
  const Tensor line = view(x, shape), grad = view(call.grad(), {shape[0], 1, shape[2]});
  const Tensor before = cumprod(shifted(line, -1, 1), 1);
  const Tensor behind = flip(cumprod(flip(shifted(line, 1, 1), {1}), 1), {1});
  return {view(grad * behind * before, x.shape())};
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
