// SPDX-License-Identifier: MIT

// Functions on shapes that are made of other operations.

#include <algorithm>
#include <numeric>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

const Shape& shape_of(std::string_view function, const Tensor& x) {
  return detail::with_name(function, [&]() -> const Shape& { return x.shape(); });
}

std::int64_t place_of(std::string_view function, std::int64_t dim, const Shape& shape) {
  return static_cast<std::int64_t>(ops::check_real_dim(function, dim, shape));
}

/// Dimension `dim` so many times: [.., n, ..] as [.., 1, n, ..] or, interleaved, [.., n, 1, ..], expanded.
Tensor repeat_dim(const Tensor& x, std::int64_t dim, std::int64_t count, bool interleave) {
  if (count == 1) return x;
  const auto at = static_cast<std::size_t>(dim);
  const std::int64_t place = interleave ? dim + 1 : dim;
  Tensor y = unsqueeze(x, place);
  Shape shape = y.shape();
  shape[static_cast<std::size_t>(place)] = count;
  y = expand(y, shape);
  shape = x.shape();
  if (shape[at] > 0 && __builtin_mul_overflow(shape[at], count, &shape[at])) ops::check_result("repeat", shape);
  return view(y, shape);
}

Tensor roll_dim(const Tensor& x, std::int64_t dim, std::int64_t shift) {
  const std::int64_t size = x.size(dim);
  if (size == 0 || shift % size == 0) return x;
  shift %= size;
  return cat({slice(x, dim, -shift), slice(x, dim, 0, -shift)}, dim);
}

}  // namespace

std::vector<Tensor> unbind(const Tensor& x, Integer dim) {
  return detail::with_name("unbind", [&] {
    const std::int64_t place = place_of("unbind", dim, x.shape());
    if (x.size(place) == 0) return std::vector<Tensor>();
    std::vector<Tensor> parts = split(x, 1, place);
    for (Tensor& part : parts) part = squeeze(part, place);
    return parts;
  });
}

Tensor narrow(const Tensor& x, Integer dim, Integer start, Integer length) {
  const Shape& shape = shape_of("narrow", x);
  const std::int64_t size = shape[static_cast<std::size_t>(place_of("narrow", dim, shape))];
  const std::int64_t begin = start < 0 ? start + size : std::int64_t{start};
  if (begin < 0 || length < 0 || begin > size || length > size - begin) {
    ops::fail<IndexError>("narrow", "start and length within [0, ", size, "] of dimension ", dim, " of input ", shape,
                          ", got start ", start, " and length ", length);
  }
  return slice(x, dim, begin, begin + length);
}

Tensor repeat(const Tensor& x, const IntList& counts) {
  Shape shape = shape_of("repeat", x);
  if (counts.size() < shape.size()) {
    ops::fail<ShapeError>("repeat", "a count for each dimension of input ", shape, ", got ", counts);
  }
  for (const std::int64_t count : counts) {
    if (count < 0) ops::fail<ValueError>("repeat", "counts of at least 0, got ", counts);
  }
  return detail::with_name("repeat", [&] {
    const std::size_t added = counts.size() - shape.size();
    Tensor y = x;
    if (added > 0) {  // of size 1: by one expansion
      for (std::size_t d = 0; d < added; ++d) shape.insert(d, counts[d]);
      y = expand(x, shape);
    }
    for (std::size_t d = shape.size(); d-- > added;) {
      y = repeat_dim(y, static_cast<std::int64_t>(d), counts[d], false);
    }
    return y.is(x) || y.shares_memory_with(x) ? y.clone() : y;
  });
}

Tensor tile(const Tensor& x, const IntList& counts) {
  IntList all = counts;
  while (all.size() < shape_of("tile", x).size()) all.insert(0, 1);
  return detail::with_name("tile", [&] { return repeat(x, all); });
}

Tensor repeat_interleave(const Tensor& x, Integer repeats, std::optional<Integer> dim) {
  const Shape& shape = shape_of("repeat_interleave", x);
  if (repeats < 0) ops::fail<ValueError>("repeat_interleave", "repeats of at least 0, got ", repeats);
  return detail::with_name("repeat_interleave", [&] {
    if (!dim) return repeat_dim(view(x, {-1}), 0, repeats, true);
    return repeat_dim(x, place_of("repeat_interleave", *dim, shape), repeats, true);
  });
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<Integer> dim) {
  constexpr std::string_view kName = "repeat_interleave";
  const Shape& shape = shape_of(kName, x);
  if (is_capturing()) {
    throw Error("repeat_interleave: expected no repeats to be read while a graph is captured; give them as a number");
  }
  const std::int64_t size = dim ? shape[static_cast<std::size_t>(place_of(kName, *dim, shape))] : x.numel();
  if (repeats.dtype() != DType::int64 || repeats.dim() != 1 || (repeats.numel() != 1 && repeats.numel() != size)) {
    ops::fail<ShapeError>(kName, "repeats int64 [1] or [", size, "], got repeats ", detail::describe(repeats.type()));
  }
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t count = repeats.data<std::int64_t>()[repeats.numel() == 1 ? 0 : i];
    if (count < 0) ops::fail<ValueError>(kName, "repeats of at least 0, got ", count);
    if (count > ops::kMaxOption) ops::fail<ValueError>(kName, "repeats of at most 2^31, got ", count);
    index.insert(index.end(), static_cast<std::size_t>(count), i);
  }
  return detail::with_name(kName,
                           [&] { return index_select(dim ? x : view(x, {-1}), dim.value_or(0), tensor(index)); });
}

Tensor roll(const Tensor& x, const IntList& shifts, const IntList& dims) {
  const Shape& shape = shape_of("roll", x);
  if (shifts.size() != std::max<std::size_t>(1, dims.size())) {
    ops::fail<ValueError>("roll", "as many shifts as dims, got shifts ", shifts, " and dims ", dims);
  }
  return detail::with_name("roll", [&] {
    if (dims.empty()) return view(roll_dim(view(x, {-1}), 0, shifts[0]), shape);
    Tensor y = x;
    for (std::size_t i = 0; i < dims.size(); ++i) y = roll_dim(y, place_of("roll", dims[i], shape), shifts[i]);
    return y;
  });
}

Tensor expand_as(const Tensor& x, const Tensor& other) { return expand(x, shape_of("expand_as", other)); }

Tensor movedim(const Tensor& x, const IntList& source, const IntList& destination) {
  const Shape& shape = shape_of("movedim", x);
  if (source.size() != destination.size()) {
    ops::fail<ValueError>("movedim", "as many destinations as sources, got ", source, " and ", destination);
  }
  IntList order, from, to;
  for (std::size_t d = 0; d < shape.size(); ++d) order.push_back(-1);
  for (std::size_t i = 0; i < source.size(); ++i) {
    from.push_back(place_of("movedim", source[i], shape));
    to.push_back(place_of("movedim", destination[i], shape));
    if (std::count(from.begin(), from.end(), from.back()) > 1 || std::count(to.begin(), to.end(), to.back()) > 1) {
      ops::fail<ValueError>("movedim", "each dimension once, got ", source, " and ", destination);
    }
    order[static_cast<std::size_t>(to.back())] = from.back();
  }
  std::int64_t next = 0;
  for (std::int64_t& place : order) {
    if (place >= 0) continue;
    while (from.contains(next)) ++next;
    place = next++;
  }
  return permute(x, order);
}

Tensor swapaxes(const Tensor& x, Integer dim0, Integer dim1) { return transpose(x, dim0, dim1); }

Tensor diag(const Tensor& x, Integer offset) {
  const Shape& shape = shape_of("diag", x);
  if (shape.size() == 1) return detail::with_name("diag", [&] { return diag_embed(x, offset); });
  if (shape.size() == 2) return detail::with_name("diag", [&] { return diagonal(x, offset); });
  ops::fail<ShapeError>("diag", "input [n] or [n, m], got input ", shape);
}

Tensor trace(const Tensor& x) {
  if (shape_of("trace", x).size() != 2) ops::fail<ShapeError>("trace", "a matrix [n, m], got input ", x.shape());
  return sum(diagonal(x));
}

std::vector<Tensor> meshgrid(std::span<const Tensor> vectors, std::string_view indexing) {
  if (indexing != "ij" && indexing != "xy") {
    ops::fail<ValueError>("meshgrid", "indexing \"ij\" or \"xy\", got \"", indexing, '"');
  }
  return detail::with_name("meshgrid", [&] {
    Shape grid;
    for (const Tensor& vector : vectors) {
      if (vector.dim() > 1) ops::fail<ShapeError>("meshgrid", "vectors, got one of shape ", vector.shape());
      grid.push_back(vector.numel());
    }
    std::vector<Tensor> result;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      Shape shape;
      for (std::size_t d = 0; d < vectors.size(); ++d) shape.push_back(d == i ? vectors[i].numel() : 1);
      const Tensor one = expand(view(vectors[i], shape), grid);
      result.push_back(indexing == "xy" && vectors.size() > 1 ? transpose(one, 0, 1) : one);
    }
    return result;
  });
}

std::vector<Tensor> meshgrid(std::initializer_list<Tensor> vectors, std::string_view indexing) {
  return meshgrid(std::span<const Tensor>(vectors.begin(), vectors.size()), indexing);
}

Tensor cartesian_prod(std::span<const Tensor> vectors) {
  return detail::with_name("cartesian_prod", [&] {
    std::vector<Tensor> columns = meshgrid(vectors);
    for (Tensor& column : columns) column = view(column, {-1});
    return columns.size() == 1 ? columns[0] : stack(columns, 1);
  });
}

Tensor cartesian_prod(std::initializer_list<Tensor> vectors) {
  return cartesian_prod(std::span<const Tensor>(vectors.begin(), vectors.size()));
}

std::vector<Tensor> Tensor::unbind(Integer dim) const { return teff::unbind(*this, dim); }
Tensor Tensor::narrow(Integer dim, Integer start, Integer length) const {
  return teff::narrow(*this, dim, start, length);
}
Tensor Tensor::repeat(const IntList& counts) const { return teff::repeat(*this, counts); }
Tensor Tensor::tile(const IntList& counts) const { return teff::tile(*this, counts); }
Tensor Tensor::repeat_interleave(Integer repeats, std::optional<Integer> dim) const {
  return teff::repeat_interleave(*this, repeats, dim);
}
Tensor Tensor::roll(const IntList& shifts, const IntList& dims) const { return teff::roll(*this, shifts, dims); }
Tensor Tensor::expand(const Shape& shape) const { return teff::expand(*this, shape); }
Tensor Tensor::expand_as(const Tensor& other) const { return teff::expand_as(*this, other); }
Tensor Tensor::view_as(const Tensor& other) const { return teff::view(*this, other.shape()); }
Tensor Tensor::movedim(const IntList& source, const IntList& destination) const {
  return teff::movedim(*this, source, destination);
}
Tensor Tensor::swapaxes(Integer dim0, Integer dim1) const { return teff::swapaxes(*this, dim0, dim1); }
Tensor Tensor::diag(Integer offset) const { return teff::diag(*this, offset); }
Tensor Tensor::trace() const { return teff::trace(*this); }

}  // namespace teff
