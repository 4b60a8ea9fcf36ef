// SPDX-License-Identifier: MIT

// What is made of sorted lines, and running extrema: of other operations.

#include <algorithm>
#include <array>
#include <limits>

#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

void check_given(std::string_view op, const Tensor& x) {
  if (!x.defined()) ops::fail<TypeError>(op, "a defined tensor, got an undefined one");
}

/// In as many steps as the size has binary digits: each doubles how far back an element looks.
ValuesAndIndices running_extremum(std::string_view op, const Tensor& x, Integer dim, bool greatest) {
  check_given(op, x);
  return detail::with_name(op, [&] {
    const auto place = static_cast<std::int64_t>(ops::check_dim(op, dim, x.shape()));
    if (x.dim() == 0) return ValuesAndIndices{x.clone(), zeros({}, {.dtype = DType::int64})};
    const std::int64_t n = x.size(place);
    Shape line;
    for (std::int64_t i = 0; i < x.dim(); ++i) line.push_back(i == place ? n : 1);
    Tensor values = x.detach(), indices = expand(view(arange(n), line), x.shape());
    for (std::int64_t reach = 1; reach < n; reach *= 2) {
      const Tensor own = slice(values, place, reach), before = slice(values, place, 0, n - reach);
      const Tensor keep = bitwise_or(greatest ? ge(own, before) : le(own, before), ne(own, own));
      const auto step = [&](const Tensor& all) {
        const Tensor chosen = where(keep, slice(all, place, reach), slice(all, place, 0, n - reach));
        return cat({slice(all, place, 0, reach), chosen}, place);
      };
      indices = step(indices);
      values = step(values);
    }
    return ValuesAndIndices{gather(x, place, indices), indices};
  });
}

constexpr std::array<std::string_view, 5> kInterpolations = {"linear", "lower", "higher", "midpoint", "nearest"};

void check_quantile(std::string_view op, const Tensor& x, const Tensor& q, const QuantileOptions& options) {
  check_given(op, x);
  check_given(op, q);
  ops::check_computable(op, std::array{x.type()});
  if (q.dtype() != x.dtype() || q.dim() > 1) {
    ops::fail<TypeError>(op, "q [k] or [] of the input's ", to_string(x.dtype()), ", got q ",
                         detail::describe(q.type()));
  }
  if (std::ranges::find(kInterpolations, options.interpolation) == kInterpolations.end()) {
    ops::fail<ValueError>(op, "interpolation linear, lower, higher, midpoint or nearest, got ", options.interpolation);
  }
  if (x.numel() == 0) ops::fail<ShapeError>(op, "an input with elements, got input ", x.shape());
}

void check_parts(std::string_view op, const Tensor& q) {
  if (is_capturing()) {
    ops::fail<Error>(op, "a number q while a graph is captured, got a tensor, whose values would be read");
  }
  const Tensor numbers = q.detach().to(DType::float64);
  for (const double part : numbers.span<double>()) {
    if (!(part >= 0 && part <= 1)) ops::fail<ValueError>(op, "q in [0, 1], got ", part);
  }
}

/// sorted [..., n] and ranks [..., k] in [0, n - 1] -> [..., k]
Tensor elements_at(const Tensor& sorted, const Tensor& ranks, std::string_view interpolation) {
  const auto at = [&](const Tensor& whole) { return gather(sorted, -1, whole.to(DType::int64)); };
  if (interpolation == "lower") return at(floor(ranks));
  if (interpolation == "higher") return at(ceil(ranks));
  if (interpolation == "nearest") return at(round(ranks));
  const Tensor below = floor(ranks), a = at(below), b = at(ceil(ranks));
  if (interpolation == "midpoint") return b - 0.5 * (b - a);
  const Tensor part = ranks - below;
  return where(lt(part, 0.5), a + part * (b - a), b - (1.0 - part) * (b - a));
}

Tensor quantile_of(std::string_view op, const Tensor& x, const Tensor& q, std::optional<Integer> dim,
                   const QuantileOptions& options, bool skip_nan) {
  const std::size_t place = dim ? ops::check_dim(op, *dim, x.shape()) : 0;
  const bool flat = !dim || x.dim() == 0;
  const Tensor lines = flat ? flatten(x) : movedim(x, static_cast<std::int64_t>(place), -1);
  const Tensor sorted = sort(lines, -1).values;
  const auto last = static_cast<double>(lines.size(-1) - 1);
  Tensor ranks;
  if (skip_nan) {
    const Tensor numbers = sum(eq(lines, lines), -1, true).to(x.dtype());
    ranks = clamp(numbers - 1.0, 0.0) * view(q, {-1});
  } else {
    const Tensor greatest = slice(sorted, -1, lines.size(-1) - 1);
    ranks = where(isnan(greatest), last, view(q, {-1}) * last);  // and so NaN, if there is one
  }
  Tensor result = movedim(elements_at(sorted, ranks, options.interpolation), -1, 0);
  Shape shape;
  if (q.dim() == 1) shape.push_back(q.size(0));
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    const bool goes = flat || i == static_cast<std::int64_t>(place);
    if (!goes) shape.push_back(x.size(i));
    if (goes && options.keepdim) shape.push_back(1);
  }
  return view(result, shape);
}

Tensor checked_quantile(std::string_view op, const Tensor& x, const Tensor& q, std::optional<Integer> dim,
                        const QuantileOptions& options, bool skip_nan) {
  check_quantile(op, x, q, options);
  check_parts(op, q);
  return detail::with_name(op, [&] { return quantile_of(op, x, q, dim, options, skip_nan); });
}

Tensor checked_quantile(std::string_view op, const Tensor& x, double q, std::optional<Integer> dim,
                        const QuantileOptions& options, bool skip_nan) {
  check_given(op, x);
  if (!(q >= 0 && q <= 1)) ops::fail<ValueError>(op, "q in [0, 1], got ", q);
  ops::check_computable(op, std::array{x.type()});
  const Tensor number = full({}, q, {.dtype = x.dtype()});
  check_quantile(op, x, number, options);
  return detail::with_name(op, [&] { return quantile_of(op, x, number, dim, options, skip_nan); });
}

}  // namespace

ValuesAndIndices cummax(const Tensor& x, Integer dim) { return running_extremum("cummax", x, dim, true); }
ValuesAndIndices cummin(const Tensor& x, Integer dim) { return running_extremum("cummin", x, dim, false); }

Tensor quantile(const Tensor& x, const Tensor& q, std::optional<Integer> dim, const QuantileOptions& options) {
  return checked_quantile("quantile", x, q, dim, options, false);
}
Tensor quantile(const Tensor& x, double q, std::optional<Integer> dim, const QuantileOptions& options) {
  return checked_quantile("quantile", x, q, dim, options, false);
}
Tensor nanquantile(const Tensor& x, const Tensor& q, std::optional<Integer> dim, const QuantileOptions& options) {
  return checked_quantile("nanquantile", x, q, dim, options, true);
}
Tensor nanquantile(const Tensor& x, double q, std::optional<Integer> dim, const QuantileOptions& options) {
  return checked_quantile("nanquantile", x, q, dim, options, true);
}

}  // namespace teff
