// SPDX-License-Identifier: MIT

// ATen's operators that give the same elements in another shape, order or dtype.

#include <algorithm>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using ShapeCall = OperatorCall;

Tensor same(const ShapeCall& c) {
  c.ignore("memory_format");
  c.ignore("implicit");
  return c.tensor(0);
}

/// Elements of its own: who changes it in place does not change the original.
Tensor copy_of(const Tensor& x) { return x.dtype() == DType::bool_ ? bitwise_or(x, x) : mul(x, 1); }

Tensor copied(const ShapeCall& c) {
  c.ignore("memory_format");
  return copy_of(c.tensor(0));
}

/// What an operator gives that never gives its input itself.
Tensor apart_from(const Tensor& x, const Tensor& result) { return result.is(x) ? copy_of(x) : result; }

Tensor viewed(const ShapeCall& c) {
  const AtenNumbers sizes = aten_numbers(c, c.option("size") ? "size" : "shape");
  return view(c.tensor(0), list_of(sizes));
}

Tensor viewed_as(const ShapeCall& c) { return view(c.tensor(0), c.tensor(1).shape()); }

Tensor flattened_from(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  return x.dim() == 0 ? view(x, {1}) : flatten(x, c.integer("start_dim", 0), c.integer("end_dim", -1));
}

Tensor unflattened(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim());
  Shape shape;
  for (std::int64_t i = 0; i < dim; ++i) shape.push_back(x.size(i));
  for (const std::int64_t size : aten_numbers(c, "sizes")) shape.push_back(size);
  for (std::int64_t i = dim + 1; i < x.dim(); ++i) shape.push_back(x.size(i));
  return view(x, shape);
}

Tensor squeezed_at(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  if (!c.option("dim")) return squeeze(x);
  AtenNumbers dims = aten_numbers(c, "dim");
  for (std::int64_t& dim : dims) dim = x.dim() == 0 ? 0 : c.axis(dim, x.dim());
  std::sort(dims.rbegin(), dims.rend());
  Tensor result = x;
  for (const std::int64_t dim : dims) {
    if (x.dim() > 0 && x.size(dim) == 1) result = squeeze(result, dim);
  }
  return result;
}

Tensor turned(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  if (x.dim() < 2) return x;
  if (x.dim() > 2) throw ShapeError("expected a tensor of at most 2 dimensions, got " + to_string(x.shape()));
  return transpose(x, 0, 1);
}

/// The last two dimensions swapped.
Tensor turned_matrices(const ShapeCall& c) { return transpose(c.tensor(0), -2, -1); }

Tensor turned_around(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  IntList dims;
  for (std::int64_t i = x.dim(); i-- > 0;) dims.push_back(i);
  return permute(x, dims);
}

/// Sizes of -1 stay.
Tensor spread_to(const ShapeCall& c) {
  c.ignore("implicit");
  const Tensor x = c.tensor(0);
  AtenNumbers sizes = aten_numbers(c, "size");
  const auto rank = static_cast<std::int64_t>(sizes.size());
  for (std::int64_t i = 1; i <= std::min(rank, x.dim()); ++i) {
    std::int64_t& size = sizes[static_cast<std::size_t>(rank - i)];
    if (size == -1) size = x.size(-i);
  }
  const Shape shape = list_of(sizes);
  return shape == x.shape() ? x : expand(x, shape);
}

Tensor spread_as(const ShapeCall& c) {
  const Tensor x = c.tensor(0), other = c.tensor(1);
  return x.shape() == other.shape() ? x : expand(x, other.shape());
}

/// Places beyond the ends are the ends.
Tensor sliced_from(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim()), size = x.size(dim);
  const std::int64_t step = c.integer("step", 1);
  const std::int64_t start = std::clamp(aten_integer(c, "start").value_or(0), -size, size);
  const std::int64_t end = std::clamp(aten_integer(c, "end").value_or(size), -size, size);
  if (step < 1) throw FormatError("expected a step of 1 or more, got " + std::to_string(step));
  if (start == 0 && end == size && step == 1) return x;
  return slice(x, dim, start, end, std::min(step, std::max(size, std::int64_t{1})));
}

Tensor narrowed(const ShapeCall& c) {
  const std::optional<Value> start = c.option("start");
  const std::int64_t first = start && start->is_tensor() ? c.known_integer(2) : c.integer("start", 0);
  return narrow(c.tensor(0), c.integer("dim", 0), first, c.integer("length", 0));
}

Tensor selected_at(const ShapeCall& c) { return select(c.tensor(0), c.integer("dim", 0), c.integer("index", 0)); }

/// to(dtype), to(device, dtype), to(other), to(device).
Tensor converted_to(const ShapeCall& c) {
  for (const char* name : {"non_blocking", "copy", "memory_format"}) c.ignore(name);
  const Tensor x = c.tensor(0);
  DType dtype = x.dtype();
  for (const char* name : {"dtype", "second", "third"}) {
    const std::optional<Value> value = c.option(name);
    if (!value || value->is_text() || value->is_bool()) continue;
    dtype = value->is_tensor() ? value->as_tensor().dtype() : aten_dtype(value->as_int());
  }
  return aten_to(x, dtype);
}

Tensor typed_as(const ShapeCall& c) { return aten_to(c.tensor(0), c.tensor(1).dtype()); }

template <DType dtype>
Tensor cast_to(const ShapeCall& c) {
  c.ignore("non_blocking");
  return aten_to(c.tensor(0), dtype);
}

/// The source in the place of self: of its shape and dtype.
Tensor copied_over(const ShapeCall& c) {
  c.ignore("non_blocking");
  const Tensor self = c.tensor(0), source = aten_to(c.tensor(1), self.dtype());
  return source.shape() == self.shape() ? source : expand(source, self.shape());
}

/// By quarters of a turn from the first dimension to the second.
Tensor rotated(const ShapeCall& c) {
  const Tensor x = c.tensor(0);
  const AtenNumbers dims = aten_numbers(c, "dims", {0, 1});
  if (dims.size() != 2) throw FormatError("expected two dimensions, got " + std::to_string(dims.size()));
  const std::int64_t k = c.integer("k", 1) & 3;
  if (k == 0) return copy_of(x);
  if (k == 2) return flip(x, list_of(dims));
  return k == 1 ? transpose(flip(x, dims[1]), dims[0], dims[1]) : transpose(flip(x, dims[0]), dims[0], dims[1]);
}

Tensor moved(const ShapeCall& c) { return movedim(c.tensor(0), aten_list(c, "source"), aten_list(c, "destination")); }

Tensor repeated_each(const ShapeCall& c) {
  c.ignore("output_size");
  const std::optional<std::int64_t> given = aten_integer(c, "dim");
  Tensor x = c.tensor(0);
  if (!given) x = view(x, {-1});
  const std::int64_t dim = c.axis(given.value_or(0), x.dim());
  if (!is_tensor(c, "repeats")) return apart_from(x, repeat_interleave(x, c.integer("repeats", 1), dim));
  const AtenNumbers repeats = c.known_integers(1);
  const auto size = static_cast<std::size_t>(x.size(dim));
  if (repeats.size() != size && repeats.size() != 1) throw FormatError("expected a number for each entry, got others");
  AtenNumbers places;
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t count = repeats[repeats.size() == 1 ? 0 : i];
    const auto left = kMaxConstant - static_cast<std::int64_t>(places.size());
    if (count < 0) throw FormatError("expected counts of 0 or more, got " + std::to_string(count));
    expect_supported(count <= left, "expected at most 65536 entries of known counts, got more");
    places.insert(places.end(), static_cast<std::size_t>(count), static_cast<std::int64_t>(i));
  }
  return index_select(x, dim, teff::tensor(places));
}

constexpr AtenRow kAtenShapes[] = {
    {"_reshape_alias", "self size stride",
     +[](const ShapeCall& c) {
       c.ignore("stride");
       return viewed(c);
     }},
    {"_to_copy", "self dtype second third non_blocking copy memory_format", converted_to},
    {"adjoint", "self", turned_matrices},
    {"alias", "self", same},
    {"bool", "self non_blocking", cast_to<DType::bool_>},
    {"broadcast_to", "self size", spread_to},
    {"clone", "self memory_format", copied},
    {"contiguous", "self memory_format", same},
    {"copy", "self src non_blocking", copied_over},
    {"detach", "self", same},
    {"double", "self non_blocking", cast_to<DType::float64>},
    {"expand", "self size implicit", spread_to},
    {"expand_as", "self other", spread_as},
    {"flatten", "self start_dim end_dim", flattened_from},
    {"flip", "self dims", +[](const ShapeCall& c) { return flip(c.tensor(0), aten_list(c, "dims")); }},
    {"fliplr", "self", +[](const ShapeCall& c) { return flip(c.tensor(0), 1); }},
    {"flipud", "self", +[](const ShapeCall& c) { return flip(c.tensor(0), 0); }},
    {"float", "self non_blocking", cast_to<DType::float32>},
    {"half", "self non_blocking", cast_to<DType::float16>},
    {"int", "self non_blocking", cast_to<DType::int32>},
    {"long", "self non_blocking", cast_to<DType::int64>},
    {"mH", "self", turned_matrices},
    {"mT", "self", turned_matrices},
    {"matrix_H", "self", turned_matrices},
    {"movedim", "self source destination", moved},
    {"narrow", "self dim start length", narrowed},
    {"numpy_T", "self", turned_around},
    {"permute", "self dims", +[](const ShapeCall& c) { return permute(c.tensor(0), aten_list(c, "dims")); }},
    {"ravel", "self", +[](const ShapeCall& c) { return view(c.tensor(0), {-1}); }},
    {"repeat", "self repeats", +[](const ShapeCall& c) { return repeat(c.tensor(0), aten_list(c, "repeats")); }},
    {"repeat_interleave", "self repeats dim output_size", repeated_each},
    {"reshape", "self shape size", viewed},
    {"reshape_as", "self other", viewed_as},
    {"roll", "self shifts dims",
     +[](const ShapeCall& c) {
       return apart_from(c.tensor(0), roll(c.tensor(0), aten_list(c, "shifts"), aten_list(c, "dims")));
     }},
    {"rot90", "self k dims", rotated},
    {"select", "self dim index", selected_at},
    {"short", "self non_blocking", cast_to<DType::int16>},
    {"slice", "self dim start end step", sliced_from},
    {"squeeze", "self dim", squeezed_at},
    {"swapaxes", "self axis0 axis1",
     +[](const ShapeCall& c) { return transpose(c.tensor(0), c.integer("axis0", 0), c.integer("axis1", 0)); }},
    {"t", "self", turned},
    {"tile", "self dims", +[](const ShapeCall& c) { return tile(c.tensor(0), aten_list(c, "dims")); }},
    {"to", "self dtype second third non_blocking copy memory_format", converted_to},
    {"transpose", "self dim0 dim1",
     +[](const ShapeCall& c) { return transpose(c.tensor(0), c.integer("dim0", 0), c.integer("dim1", 0)); }},
    {"type", "self dtype non_blocking", converted_to},
    {"type_as", "self other", typed_as},
    {"unflatten", "self dim sizes names", unflattened},
    {"unsqueeze", "self dim", +[](const ShapeCall& c) { return unsqueeze(c.tensor(0), c.integer("dim", 0)); }},
    {"view", "self size", viewed},
    {"view_as", "self other", viewed_as},
};
static_assert(is_in_order(kAtenShapes));

}  // namespace

const std::span<const AtenRow> operators::aten_shapes = kAtenShapes;

}  // namespace teff::serialize
