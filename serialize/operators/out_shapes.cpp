// SPDX-License-Identifier: MIT

// The way out of what gives elements another shape or order.

#include <algorithm>
#include <limits>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;
using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxMatrix = 1 << 24;  // elements of a constant that says what goes where

/// One size that follows the inputs is what is left.
Term viewed(Call& c) {
  List sizes = c.value("shape").as_list();
  const auto is_number = [](const Value& size) { return size.is_int(); };
  const auto open = std::find_if_not(sizes.begin(), sizes.end(), is_number);
  const bool is_empty = std::any_of(sizes.begin(), sizes.end(), [](const Value& v) { return v == Value(0); });
  const bool has_rest = std::any_of(sizes.begin(), sizes.end(), [](const Value& v) { return v == Value(-1); });
  if (open != sizes.end() && !is_empty && !has_rest && std::all_of(open + 1, sizes.end(), is_number)) *open = -1;
  return c.node("Reshape", {c.in(0), c.sizes_of(sizes)}, is_empty ? Dict{{"allowzero", true}} : Dict{});
}

Term permuted(Call& c) {
  Numbers order = c.integers("dims");
  for (std::int64_t& dim : order) dim = dim < 0 ? dim + c.rank(0) : dim;
  return c.transpose(c.in(0), order);
}

Term expanded(Call& c) {
  List sizes = c.value("shape").as_list();
  for (Value& size : sizes) {
    if (size == Value(-1)) size = 1;
  }
  return c.node("Expand", {c.in(0), c.sizes_of(sizes)});
}

Term joined(Call& c) { return c.node("Concat", c.all(), {{"axis", c.integer("dim")}}); }

Term sliced(Call& c) {
  const Term end = c.has("end") ? c.size_of(c.value("end")) : c.constants({kEnd});
  return c.node("Slice", {c.in(0), c.size_of(c.value("start")), end, c.constants({c.integer("dim")}),
                          c.size_of(c.value("step"))});
}

Term selected(Call& c) {
  const Value& index = c.value("index");
  const Term place = index.is_int() ? c.scalar(index.as_int()) : c.squeeze(c.size_of(index), {0});
  return c.node("Gather", {c.in(0), place}, {{"axis", c.integer("dim")}});
}

Term picked(Call& c) { return c.node("Gather", c.all(), {{"axis", c.integer("dim")}}); }

Terms split_into(Call& c, const Numbers& sizes) {
  return c.nodes("Split", {c.in(0), c.constants(sizes)}, c.result_count(), {{"axis", c.integer("dim")}});
}

Terms pieces(Call& c) {
  const std::int64_t dim = c.axis("dim", c.rank(0));
  const auto count = static_cast<std::int64_t>(c.result_count());
  if (c.is_fixed(0, dim) && c.value("split_size").is_int()) {
    const std::int64_t size = c.fixed(0, dim), each = c.integer("split_size");
    Numbers sizes;
    for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::min(each, size - i * each));
    return split_into(c, sizes);
  }
  const Term each = c.size_of(c.value("split_size"));
  Terms results;
  Term begin = c.constants({0});
  for (std::int64_t i = 0; i < count; ++i) {
    const Term end = i + 1 < count ? each * c.constants({i + 1}) : c.constants({kEnd});
    results.push_back(c.slice(c.in(0), dim, begin, end));
    begin = end;
  }
  return results;
}

/// Sizes that follow the inputs are those of slices.
Terms sized_pieces(Call& c) {
  const List& sizes = c.value("sizes").as_list();
  if (std::all_of(sizes.begin(), sizes.end(), [](const Value& v) { return v.is_int(); })) {
    return split_into(c, c.integers("sizes"));
  }
  Terms results;
  Term begin = c.constants({0});
  for (const Value& size : sizes) {
    const Term end = begin + c.size_of(size);
    results.push_back(c.slice(c.in(0), c.axis("dim", c.rank(0)), begin, end));
    begin = end;
  }
  return results;
}

/// Around a dimension, what is at its other end.
Term turned_round(Call& c, Term x, std::int64_t axis, std::int64_t before, std::int64_t after) {
  Terms parts;
  if (before > 0) parts.push_back(c.slice(x, axis, c.constants({-before}), c.constants({kEnd})));
  parts.push_back(x);
  if (after > 0) parts.push_back(c.slice(x, axis, c.constants({0}), c.constants({after})));
  return c.node("Concat", parts, {{"axis", axis}});
}

/// Negative padding is cut off.
Term cropped(Call& c, Term x, std::int64_t axis, std::int64_t before, std::int64_t after) {
  if (before >= 0 && after >= 0) return x;
  return c.slice(x, axis, c.constants({std::max(-before, std::int64_t{0})}), c.constants({after < 0 ? after : kEnd}));
}

Term padded(Call& c) {
  const Numbers padding = c.integers("padding");
  const std::string& mode = c.text("mode");
  const std::int64_t rank = c.rank(0);
  Numbers pads(static_cast<std::size_t>(2 * rank), 0);
  Term x = c.in(0);
  for (std::size_t i = 0; 2 * i < padding.size(); ++i) {
    const std::int64_t axis = rank - 1 - static_cast<std::int64_t>(i);
    const std::int64_t before = padding[2 * i], after = padding[2 * i + 1];
    x = cropped(c, x, axis, before, after);
    if (mode == "circular") x = turned_round(c, x, axis, before, after);
    pads[static_cast<std::size_t>(axis)] = std::max(before, std::int64_t{0});
    pads[static_cast<std::size_t>(axis + rank)] = std::max(after, std::int64_t{0});
  }
  if (mode == "circular") return x;
  if (mode == "constant") {
    return c.node("Pad", {x, c.constants(pads), c.constant(c.number("value"), x.dtype)}, {{"mode", "constant"}});
  }
  return c.node("Pad", {x, c.constants(pads)}, {{"mode", mode == "replicate" ? "edge" : "reflect"}});
}

Term flipped(Call& c) {
  const Numbers dims = c.integers("dims");
  if (dims.empty()) return c.in(0);
  const Numbers back(dims.size(), -1), first(dims.size(), std::numeric_limits<std::int64_t>::min());
  return c.node("Slice", {c.in(0), c.constants(back), c.constants(first), c.constants(dims), c.constants(back)});
}

template <bool upper>
Term triangle(Call& c) {
  return c.node("Trilu", {c.in(0), c.scalar(c.integer("diagonal"))}, {{"upper", upper}});
}

/// The order that puts the dimensions last.
Numbers order_with_last(std::int64_t rank, const Numbers& last) {
  Numbers order;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (std::find(last.begin(), last.end(), i) == last.end()) order.push_back(i);
  }
  order.insert(order.end(), last.begin(), last.end());
  return order;
}

Numbers inverse_of(const Numbers& order) {
  Numbers inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return inverse;
}

/// The two dimensions become one, of which the diagonal is picked.
Term diagonal_of(Call& c) {
  const std::int64_t rank = c.rank(0), first = c.axis("dim1", rank), second = c.axis("dim2", rank);
  const std::int64_t rows = c.fixed(0, first), columns = c.fixed(0, second), offset = c.integer("offset");
  Numbers places;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (i + offset >= 0 && i + offset < columns) places.push_back(i * columns + i + offset);
  }
  const Term last = c.transpose(c.in(0), order_with_last(rank, {first, second}));
  const Term flat =
      c.node("Reshape", {last, c.node("Concat",
                                      {c.slice(c.node("Shape", {last}), 0, c.constants({0}), c.constants({rank - 2})),
                                       c.constants({rows * columns})},
                                      {{"axis", 0}})});
  return c.node("Gather", {flat, c.constants(places)}, {{"axis", rank - 2}});
}

/// Zeros behind the values, then a copy for each row or column, of which the diagonal is kept.
Term embedded_diagonal(Call& c) {
  const std::int64_t rank = c.rank(0), offset = c.integer("offset"), far = std::abs(offset);
  const std::int64_t size = c.fixed(0, rank - 1) + far;
  if (size > 4096) c.refuse("expected a diagonal of at most 4096 elements, got more");
  const std::int64_t first = c.axis("dim1", rank + 1), second = c.axis("dim2", rank + 1);
  Tensor kept = zeros({size, size}, {.dtype = DType::bool_});
  for (std::int64_t i = 0; i + far < size; ++i) {
    kept.data<bool>()[offset >= 0 ? i * size + i + far : (i + far) * size + i] = true;
  }
  Numbers pads(static_cast<std::size_t>(2 * rank), 0);
  pads.back() = far;
  const Term values = c.node("Pad", {c.in(0), c.constants(pads)});
  const Term lines = c.unsqueeze(values, {offset >= 0 ? rank : rank - 1});
  const Term matrix =
      Call::as(c.node("Where", {c.constant(kept), lines, c.constant(0, c.type(0).dtype)}), c.type(0).dtype);
  return c.transpose(matrix, inverse_of(order_with_last(rank + 1, {first, second})));
}

/// Windows of a dimension, which become the last one.
Term windows(Call& c) {
  const std::int64_t rank = c.rank(0);
  if (rank == 0) return c.unsqueeze(c.in(0), {0});
  const std::int64_t dim = c.axis("dim", rank), size = c.integer("size"), step = c.integer("step");
  const std::int64_t dilation = c.integer("dilation"), whole = c.fixed(0, dim);
  const std::int64_t count = (whole - dilation * (size - 1) - 1) / step + 1;
  if (count * size > kMaxMatrix) c.refuse("expected windows of at most 2^24 elements, got more");
  Numbers places;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t k = 0; k < size; ++k) places.push_back(i * step + k * dilation);
  }
  const Term index = c.constant(tensor(places, {count, size}));
  Numbers order(static_cast<std::size_t>(rank + 1));
  for (std::int64_t i = 0; i <= rank; ++i) order[static_cast<std::size_t>(i)] = i <= dim ? i : i + 1;
  order.back() = dim + 1;
  return c.transpose(c.node("Gather", {c.in(0), index}, {{"axis", dim}}), order);
}

/// The sum of windows is a product with a matrix that says which place each element belongs to.
Term added_windows(Call& c) {
  const std::int64_t rank = c.rank(0) - 1, dim = c.axis("dim", rank), whole = c.integer("output_size");
  const std::int64_t step = c.integer("step"), dilation = c.integer("dilation");
  const std::int64_t count = c.fixed(0, dim), size = c.fixed(0, rank);
  if (count * size > kMaxMatrix / std::max(whole, std::int64_t{1}))
    c.refuse("expected windows of less elements, got more");
  const DType dtype = c.type(0).dtype;
  Tensor places = zeros({count * size, whole});
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t k = 0; k < size; ++k) places.data<float>()[(i * size + k) * whole + i * step + k * dilation] = 1;
  }
  const Term last = c.transpose(c.in(0), order_with_last(rank + 1, {dim, rank}));
  const Term outer = c.slice(c.node("Shape", {last}), 0, c.constants({0}), c.constants({rank - 1}));
  const Term flat = c.node("Reshape", {last, c.node("Concat", {outer, c.constants({count * size})}, {{"axis", 0}})});
  const Term sums = c.node("MatMul", {flat, c.constant(places.to(dtype))});
  return c.transpose(sums, inverse_of(order_with_last(rank, {dim})));
}

constexpr ExportRow kOutShapeRows[] = {
    {"cat", "Concat", joined},
    {"diag_embed", "Pad, Where, Transpose", embedded_diagonal, "of a dimension of fixed size"},
    {"diagonal", "Reshape, Gather", diagonal_of, "of dimensions of fixed size"},
    {"expand", "Expand", expanded},
    {"flip", "Slice", flipped},
    {"fold", "Transpose, MatMul", added_windows, "of dimensions of fixed size"},
    {"index_select", "Gather", picked},
    {"pad", "Pad", padded, "circular padding is Slice, Concat"},
    {"permute", "Transpose", permuted},
    {"select", "Gather", selected},
    {"slice", "Slice", sliced},
    {"split", "Split", pieces, "of a free size Slice"},
    {"split_with_sizes", "Split", sized_pieces, "of a free size Slice"},
    {"tril", "Trilu", triangle<false>},
    {"triu", "Trilu", triangle<true>},
    {"unfold", "Gather, Transpose", windows, "of a dimension of fixed size"},
    {"view", "Reshape", viewed},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_shapes = outgoing::kOutShapeRows;

}  // namespace teff::serialize
