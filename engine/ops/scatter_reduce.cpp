// SPDX-License-Identifier: MIT

// Elements that many make one, and elements by a mask: made of other operations.

#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

/// 1 in the shape of x, made of it: a captured graph follows its size.
Tensor ones_of(const Tensor& x, DType dtype) { return where(ne(x, x), Scalar(1), Scalar(1)).to(dtype); }

/// What scatter_reduce is asked for, checked. `source` is cut to the index's shape.
struct ReducingScatter {
  Tensor x, index, source;
  std::int64_t dim;
  bool include_self;

  /// x where nothing comes, or everywhere if it counts; else 0.
  Tensor kept() const { return include_self ? x : scatter(x, dim, index, 0.0); }
  /// 1 for each that counts, of that dtype.
  Tensor count(DType dtype) const {
    const Tensor own = ones_of(x, dtype);
    return scatter_add(include_self ? own : scatter(own, dim, index, 0.0), dim, index, ones_of(index, dtype));
  }
};

Tensor scattered_sum(const ReducingScatter& s) { return scatter_add(s.kept(), s.dim, s.index, s.source); }

Tensor scattered_mean(const ReducingScatter& s) {
  const Tensor total = scattered_sum(s);
  if (is_floating_point(s.x.dtype())) return total / clamp(s.count(s.x.dtype()), 1.0);
  const Tensor count = clamp(s.count(DType::int64), 1);
  return floor_divide(total.to(DType::int64), count).to(s.x.dtype());
}

/// Sorted by place, equal places are neighbours. In as many steps as the line's size has binary digits each element
/// comes to hold the product of all before it that go to the same place; the last of them is added to 0, and that
/// multiplied with what is there.
Tensor scattered_product(const ReducingScatter& s) {
  const std::int64_t n = s.index.size(s.dim);
  const ValuesAndIndices sorted = sort(s.index, s.dim);
  const Tensor& places = sorted.values;
  Tensor product = gather(s.source, s.dim, sorted.indices);
  const auto from = [&](const Tensor& all, std::int64_t begin, std::int64_t end) {
    return slice(all, s.dim, begin, end);
  };
  for (std::int64_t reach = 1; reach < n; reach *= 2) {
    const Tensor own = from(product, reach, n);
    const Tensor same = eq(from(places, reach, n), from(places, 0, n - reach));
    product = cat({from(product, 0, reach), where(same, own * from(product, 0, n - reach), own)}, s.dim);
  }
  const Tensor is_last =
      cat({ne(from(places, 0, n - 1), from(places, 1, n)), eq(from(places, n - 1, n), from(places, n - 1, n))}, s.dim);
  const Tensor untouched = scatter(ones_of(s.x, s.x.dtype()), s.dim, s.index, 0.0);
  const Tensor products = scatter_add(untouched, s.dim, places, where(is_last, product, Scalar(0)).to(product.dtype()));
  if (s.include_self) return s.x * products;
  return where(ne(untouched, 0), s.x, products);
}

/// Of equal places the last that is written counts: so those in order.
Tensor scattered_extremum(const ReducingScatter& s, bool greatest) {
  const bool negated = !greatest && is_floating_point(s.x.dtype());  // NaN is the greatest either way
  const Tensor source = s.source.detach(), x = s.x.detach();
  const ValuesAndIndices sorted = sort(negated ? neg(source) : source, s.dim, !greatest && !negated);
  const Tensor places = gather(s.index, s.dim, sorted.indices);
  const Tensor extrema = scatter(x, s.dim, places, negated ? neg(sorted.values) : sorted.values);
  if (!s.include_self) return extrema;
  return greatest ? maximum(x, extrema) : minimum(x, extrema);
}

/// The same numbers, with a gradient that all that equal an extremum share.
Tensor with_gradient(const ReducingScatter& s, const Tensor& extrema) {
  const DType dtype = s.x.dtype();
  Tensor own = eq(s.x, extrema).to(dtype);
  if (!s.include_self) own = own * scatter(ones_of(own, dtype), s.dim, s.index, 0.0);
  const Tensor theirs = eq(s.source, gather(extrema, s.dim, s.index)).to(dtype);
  const Tensor number = clamp(scatter_add(own, s.dim, s.index, theirs), 1.0);
  const Tensor parts = where(ne(theirs, 0), s.source / gather(number, s.dim, s.index), 0.0);
  const Tensor mean = scatter_add(where(ne(own, 0), s.x / number, 0.0), s.dim, s.index, parts);
  return mean + where(isfinite(mean), extrema - mean, 0.0).detach();  // what rounding took
}

Tensor extremum(const ReducingScatter& s, bool greatest) {
  const Tensor extrema = scattered_extremum(s, greatest);
  if (!is_floating_point(s.x.dtype())) return extrema;
  const bool recorded = is_grad_enabled() && (s.x.requires_grad() || s.source.requires_grad());
  return recorded || is_capturing() ? with_gradient(s, extrema) : extrema;
}

Tensor reduced_by(const ReducingScatter& s, std::string_view reduce) {
  if (reduce == "sum") return scattered_sum(s);
  if (reduce == "mean") return scattered_mean(s);
  if (s.index.numel() == 0) return scattered_sum(s);  // nothing comes
  if (reduce == "prod") return scattered_product(s);
  return extremum(s, reduce == "amax");
}

}  // namespace

Tensor scatter_reduce(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                      bool include_self) {
  constexpr const char* kName = "scatter_reduce";
  if (reduce != "sum" && reduce != "prod" && reduce != "mean" && reduce != "amax" && reduce != "amin") {
    ops::fail<ValueError>(kName, "reduce sum, prod, mean, amax or amin, got ", reduce);
  }
  return detail::with_name(kName, [&] {
    static_cast<void>(scatter_add(x.detach(), dim, index, source.detach()));  // checks everything
    if (is_floating_point(x.dtype()) && !is_computable(x.dtype())) {
      const auto wide = [](const Tensor& half) { return half.to(DType::float32); };
      return scatter_reduce(wide(x), dim, index, wide(source), reduce, include_self).to(x.dtype());
    }
    if (x.dim() == 0) {
      const auto line = [](const Tensor& number) { return view(number, {-1}); };
      return view(scatter_reduce(line(x), 0, line(index), line(source), reduce, include_self), {});
    }
    Tensor part = source;
    for (std::int64_t i = 0; i < index.dim(); ++i) part = slice(part, i, 0, index.size(i));
    const auto place = static_cast<std::int64_t>(ops::check_dim(kName, dim, x.shape()));
    return reduced_by({x, index, part, place, include_self}, reduce);
  });
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  constexpr const char* kName = "masked_scatter";
  for (const Tensor& tensor : {x, mask, source}) {
    if (!tensor.defined()) ops::fail<TypeError>(kName, "defined tensors, got an undefined one");
  }
  if (mask.dtype() != DType::bool_ || source.dtype() != x.dtype()) {
    ops::fail<TypeError>(kName, "a bool mask and a source of the input's dtype, got input ", detail::describe(x.type()),
                         ", mask ", detail::describe(mask.type()), " and source ", detail::describe(source.type()));
  }
  return detail::with_name(kName, [&] {
    const Tensor all = expand(mask, x.shape()), numbers = view(cumsum(flatten(all).to(DType::int64), 0), x.shape());
    if (!is_capturing()) {
      const std::int64_t places = sum(all).item<std::int64_t>();
      if (places > source.numel()) {
        ops::fail<ValueError>(kName, "a source with an element for each of ", places, " places, got source ",
                              source.shape());
      }
    }
    // Element 0 of what is taken from stands for none.
    const Tensor line = cat({zeros({1}, {.dtype = x.dtype()}), flatten(source)});
    return where(all, take(line, where(all, numbers, 0)), x);
  });
}

}  // namespace teff
