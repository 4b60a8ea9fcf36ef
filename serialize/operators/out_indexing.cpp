// SPDX-License-Identifier: MIT

// The way out of what is found, moved or put by an index.

#include <cmath>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;
using Numbers = std::vector<std::int64_t>;

Dict along(Call& c) { return {{"axis", c.integer("dim")}}; }

Term gathered(Call& c) { return c.node("GatherElements", c.all(), along(c)); }

/// ONNX wants as many values as indices, Teff at least as many.
Term put_along(Call& c, Dict attributes) {
  Term values = c.in(2);
  if (c.type(1).shape != c.type(2).shape) {
    const Numbers starts(static_cast<std::size_t>(c.rank(2)), 0);
    values = c.node("Slice", {values, c.constants(starts), c.shape_of(1)});
  }
  return c.node("ScatterElements", {c.in(0), c.in(1), values}, std::move(attributes));
}

Term scattered(Call& c) { return put_along(c, along(c)); }
Term scattered_sum(Call& c) {
  Dict attributes = along(c);
  attributes.insert("reduction", "add");
  return put_along(c, std::move(attributes));
}

/// Row of the table of each index.
Term looked_up(Call& c) { return c.node("Gather", {c.in(1), c.in(0)}, {{"axis", 0}}); }

Term bags(Call& c) {
  if (c.flag("has_offsets") || c.flag("has_weights") || c.has("padding_idx")) {
    c.refuse("expected bags of one length without padding and weights, got others");
  }
  const std::string& mode = c.text("mode");
  const char* const op = mode == "sum" ? "ReduceSum" : mode == "mean" ? "ReduceMean" : "ReduceMax";
  return c.reduce(op, looked_up(c), {1}, false);
}

/// Dimensions [first, first + count) before all others.
Numbers order_with_first(std::int64_t rank, std::int64_t first, std::int64_t count) {
  Numbers order;
  for (std::int64_t i = first; i < first + count; ++i) order.push_back(i);
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i < first || i >= first + count) order.push_back(i);
  }
  return order;
}

/// All indices as one, each of whose entries names a place of several dimensions: [..., k]. `rank`: their dimensions.
Term joined_indices(Call& c, std::size_t first, std::int64_t rank) {
  if (c.input_count() == first + 1) return c.unsqueeze(c.in(first), {rank});
  Term whole = c.in(first);
  for (std::size_t i = first + 1; i < c.input_count(); ++i) whole = whole + c.in(i);  // of their common shape
  const Term size = c.node("Shape", {whole});
  Terms parts;
  for (std::size_t i = first; i < c.input_count(); ++i) {
    parts.push_back(c.unsqueeze(c.node("Expand", {c.in(i), size}), {rank}));
  }
  return c.node("Concat", parts, {{"axis", -1}});
}

std::int64_t index_rank(Call& c, std::size_t first) {
  std::int64_t rank = 0;
  for (std::size_t i = first; i < c.input_count(); ++i) rank = std::max(rank, c.rank(i));
  return rank;
}

/// Picked with the dimensions in front; what the indices have then goes to where these were.
Term indexed(Call& c) {
  const std::int64_t dim = c.axis("dim", c.rank(0)), count = static_cast<std::int64_t>(c.input_count()) - 1;
  if (count == 1) return c.node("Gather", c.all(), {{"axis", dim}});
  const std::int64_t rank = index_rank(c, 1), left = c.rank(0) - count;
  const Term x = dim == 0 ? c.in(0) : c.transpose(c.in(0), order_with_first(c.rank(0), dim, count));
  const Term found = c.node("GatherND", {x, joined_indices(c, 1, rank)});
  if (dim == 0) return found;
  Numbers back;
  for (std::int64_t i = 0; i < dim; ++i) back.push_back(rank + i);
  for (std::int64_t i = 0; i < rank; ++i) back.push_back(i);
  for (std::int64_t i = dim; i < left; ++i) back.push_back(rank + i);
  return c.transpose(found, back);
}

Numbers inverse_order(const Numbers& order) {
  Numbers inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return inverse;
}

Term put(Call& c) {
  const std::int64_t dim = c.axis("dim", c.rank(0)), count = static_cast<std::int64_t>(c.input_count()) - 2;
  const std::int64_t rank = index_rank(c, 2);
  const Numbers order = order_with_first(c.rank(0), dim, count);
  const auto in_front = [&](const Term& x, const Numbers& way) { return dim == 0 ? x : c.transpose(x, way); };
  const Term values = in_front(c.in(1), order_with_first(c.rank(1), dim, rank));
  Dict attributes;
  if (c.flag("accumulate")) attributes.insert("reduction", "add");
  const Term done =
      c.node("ScatterND", {in_front(c.in(0), order), joined_indices(c, 2, rank), values}, std::move(attributes));
  return in_front(done, inverse_order(order));
}

Term one_of(Call& c) {
  const Term classes = c.constants({c.integer("num_classes")}), values = c.constants({0, 1});
  return c.node("OneHot", {c.in(0), classes, values}, {{"axis", -1}});
}

/// How many of a row are less.
Term searched(Call& c) {
  const Term row = c.rank(0) == 1 ? c.in(0) : c.unsqueeze(c.in(0), {c.rank(0) - 1});
  const Term value = c.unsqueeze(c.in(1), {c.rank(1)});
  const Term less = c.test(c.flag("right") ? "LessOrEqual" : "Less", {row, value});
  return c.reduce("ReduceSum", c.cast(less, DType::int64), {-1}, false);
}

/// Of each pair of rows.
Term distances(Call& c) {
  const double p = c.number("p");
  if (p == 0) c.refuse("expected p above 0, got 0");
  const Term apart = c.unsqueeze(c.in(0), {c.rank(0) - 1}) - c.unsqueeze(c.in(1), {c.rank(1) - 2});
  if (p == 2) return c.node("Sqrt", {c.reduce("ReduceSum", apart * apart, {-1}, false)});
  const Term size = c.node("Abs", {apart});
  if (std::isinf(p)) return c.reduce("ReduceMax", size, {-1}, false);
  if (p == 1) return c.reduce("ReduceSum", size, {-1}, false);
  const Term power = c.node("Pow", {size, c.constant(p, size.dtype)});
  return c.node("Pow", {c.reduce("ReduceSum", power, {-1}, false), c.constant(1 / p, size.dtype)});
}

constexpr ExportRow kOutIndexingRows[] = {
    {"cdist", "Sub, ReduceSum, Sqrt", distances, "of p above 0"},
    {"embedding", "Gather", looked_up},
    {"embedding_bag", "Gather, ReduceSum", bags, "of bags of one length without padding and weights"},
    {"gather", "GatherElements", gathered},
    {"index", "Gather, GatherND", indexed},
    {"index_put", "ScatterND", put},
    {"one_hot", "OneHot", one_of},
    {"scatter", "ScatterElements", scattered},
    {"scatter_add", "ScatterElements", scattered_sum},
    {"searchsorted", "Less, ReduceSum", searched},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_indexing = outgoing::kOutIndexingRows;

}  // namespace teff::serialize
