// SPDX-License-Identifier: MIT

// ATen's operators that find, sort and move elements by index.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_index.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using IndexCall = OperatorCall;

/// index(self, indices): None is all of a dimension.
std::vector<indexing::TensorIndex> places_of(const IndexCall& c) {
  std::vector<indexing::TensorIndex> places;
  const std::optional<Value> indices = c.option("indices");
  if (!indices) return places;
  for (const Value& index : indices->as_list()) {
    if (index.is_none()) {
      places.emplace_back(indexing::Slice());
    } else {
      const Tensor& tensor = index.as_tensor();
      places.emplace_back(tensor.defined() && tensor.dtype() == DType::int32 ? to(tensor, DType::int64) : tensor);
    }
  }
  return places;
}

Tensor indexed(const IndexCall& c) { return index(c.tensor(0), places_of(c)); }

Tensor put_at(const IndexCall& c) {
  c.ignore("unsafe");
  return index_put(c.tensor(0), places_of(c), aten_to(c.tensor(2), c.tensor(0).dtype()), c.flag("accumulate", false));
}

Tensor gathered_along(const IndexCall& c) {
  c.ignore("sparse_grad");
  return gather(c.tensor(0), c.integer("dim", 0), c.tensor(2));
}

/// The source, or a number.
Tensor scattered(const IndexCall& c) {
  const std::string reduce = c.text("reduce", "");
  const Tensor x = c.tensor(0), index = c.tensor(2);
  const std::int64_t dim = c.integer("dim", 0);
  if (!is_tensor(c, "src")) {
    expect_supported(reduce.empty(), "expected scatter of a tensor with reduce, got one of a number");
    return scatter(x, dim, index, c.number(c.option("src") ? "src" : "value", 0));
  }
  if (reduce.empty()) return scatter(x, dim, index, c.tensor(3));
  expect_supported(reduce == "add" || reduce == "multiply", "expected add or multiply, got " + reduce);
  return scatter_reduce(x, dim, index, c.tensor(3), reduce == "add" ? "sum" : "prod");
}

Tensor scattered_and_reduced(const IndexCall& c) {
  return scatter_reduce(c.tensor(0), c.integer("dim", 0), c.tensor(2), c.tensor(3), c.text("reduce", ""),
                        c.flag("include_self", true));
}

Tensor scattered_sum(const IndexCall& c) {
  return scatter_add(c.tensor(0), c.integer("dim", 0), c.tensor(2), c.tensor(3));
}

Tensor one_hot_rows(const IndexCall& c) {
  const std::int64_t classes = c.integer("num_classes", -1);
  expect_supported(classes > 0, "expected one_hot with a number of classes, got none: it would depend on the values");
  return one_hot(c.tensor(0), classes);
}

TensorList top_values(const IndexCall& c) {
  c.ignore("sorted");
  const ValuesAndIndices found = topk(c.tensor(0), c.integer("k", 1), c.integer("dim", -1), c.flag("largest", true));
  return {found.values, found.indices};
}

/// sort(self, dim, descending), or sort(self, *, stable, dim, descending)
TensorList sorted(const IndexCall& c) {
  c.ignore("stable");
  const ValuesAndIndices found = sort(c.tensor(0), c.integer("dim", -1), c.flag("descending", false));
  return {found.values, found.indices};
}

Tensor sorted_places(const IndexCall& c) {
  c.ignore("stable");
  return argsort(c.tensor(0), c.integer("dim", -1), c.flag("descending", false));
}

Tensor taken_along(const IndexCall& c) {
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  return take_along_dim(c.tensor(0), c.tensor(1), dim ? std::optional<Integer>(*dim) : std::nullopt);
}

TensorList grid_of(const IndexCall& c) {
  const std::vector<Tensor> vectors = aten_tensors(c, "tensors");
  const std::vector<Tensor> grid = meshgrid(vectors, c.text("indexing", "ij"));
  return {grid.begin(), grid.end()};
}

Tensor diagonal_of(const IndexCall& c) {
  return diagonal(c.tensor(0), c.integer("offset", 0), c.integer("dim1", 0), c.integer("dim2", 1));
}

Tensor filled_at(const IndexCall& c) {
  expect_supported(!is_tensor(c, "value"), "expected index_fill by a number, got a tensor");
  return index_fill(c.tensor(0), c.integer("dim", 0), aten_index(c, 2), c.number("value", 0));
}

Tensor added_at(const IndexCall& c) {
  return index_add(c.tensor(0), c.integer("dim", 0), aten_index(c, 2), c.tensor(3), c.number("alpha", 1));
}

/// Where values stand in sorted ones.
Tensor found_in(const IndexCall& c, const Tensor& sorted, const Tensor& values) {
  const std::string side = c.text("side", "left");
  expect_supported(side == "left" || side == "right", "expected the side left or right, got " + side);
  const Tensor places =
      searchsorted(sorted, aten_to(values, sorted.dtype()), c.flag("right", false) || side == "right");
  return c.flag("out_int32", false) ? to(places, DType::int32) : places;
}
Tensor found_between(const IndexCall& c) { return found_in(c, c.tensor(1), c.tensor(0)); }
Tensor found_among(const IndexCall& c) { return found_in(c, c.tensor(0), c.tensor(1)); }

Tensor places_in_triangle(const IndexCall& c, bool upper) {
  const std::int64_t rows = c.integer("row", 0), columns = c.integer("col", 0), offset = c.integer("offset", 0);
  expect_supported(rows >= 0 && columns >= 0 && rows <= 256 && columns <= 256 && offset >= -256 && offset <= 256,
                   "expected a triangle of at most 256 rows, got more");
  AtenNumbers places, second;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      if (upper ? j - i < offset : j - i > offset) continue;
      places.push_back(i);
      second.push_back(j);
    }
  }
  const auto count = static_cast<std::int64_t>(places.size());
  places.insert(places.end(), second.begin(), second.end());
  return aten_to(teff::tensor(places, {2, count}), aten_dtype_of(c));
}

constexpr std::string_view kTriangle = "row col offset dtype", kDiagonal = "self diagonal";

constexpr AtenRow kAtenIndexing[] = {
    {"argsort", "self dim descending stable", sorted_places},
    {"bucketize", "self boundaries out_int32 right", found_between},
    {"cartesian_prod", "tensors", +[](const IndexCall& c) { return cartesian_prod(aten_tensors(c, "tensors")); }},
    {"diag", kDiagonal, +[](const IndexCall& c) { return diag(c.tensor(0), c.integer("diagonal", 0)); }},
    {"diag_embed", "self offset dim1 dim2",
     +[](const IndexCall& c) {
       return diag_embed(c.tensor(0), c.integer("offset", 0), c.integer("dim1", -2), c.integer("dim2", -1));
     }},
    {"diagonal", "self offset dim1 dim2", diagonal_of},
    {"gather", "self dim index sparse_grad", gathered_along},
    {"index", "self indices", indexed},
    {"index_add", "self dim index source alpha", added_at},
    {"index_copy", "self dim index source",
     +[](const IndexCall& c) { return index_copy(c.tensor(0), c.integer("dim", 0), aten_index(c, 2), c.tensor(3)); }},
    {"index_fill", "self dim index value", filled_at},
    {"index_put", "self indices values accumulate unsafe", put_at},
    {"index_select", "self dim index",
     +[](const IndexCall& c) { return index_select(c.tensor(0), c.integer("dim", 0), aten_index(c, 2)); }},
    {"masked_scatter", "self mask source",
     +[](const IndexCall& c) { return masked_scatter(c.tensor(0), c.tensor(1), c.tensor(2)); }},
    {"meshgrid", "tensors indexing", grid_of, true},
    {"one_hot", "self num_classes", one_hot_rows},
    {"scatter", "self dim index src reduce value", scattered},
    {"scatter_add", "self dim index src", scattered_sum},
    {"scatter_reduce", "self dim index src reduce include_self", scattered_and_reduced},
    {"searchsorted", "sorted_sequence self out_int32 right side sorter", found_among},
    {"sort", "self dim descending stable", sorted},
    {"take", "self index", +[](const IndexCall& c) { return take(c.tensor(0), c.tensor(1)); }},
    {"take_along_dim", "self indices dim", taken_along},
    {"topk", "self k dim largest sorted", top_values},
    {"trace", "self", Conversion::Unary(trace)},
    {"tril", kDiagonal, +[](const IndexCall& c) { return tril(c.tensor(0), c.integer("diagonal", 0)); }},
    {"tril_indices", kTriangle, +[](const IndexCall& c) { return places_in_triangle(c, false); }},
    {"triu", kDiagonal, +[](const IndexCall& c) { return triu(c.tensor(0), c.integer("diagonal", 0)); }},
    {"triu_indices", kTriangle, +[](const IndexCall& c) { return places_in_triangle(c, true); }},
    {"unfold", "self dimension size step",
     +[](const IndexCall& c) {
       return unfold(c.tensor(0), c.integer("dimension", 0), c.integer("size", 1), c.integer("step", 1));
     }},
};
static_assert(is_in_order(kAtenIndexing));

}  // namespace

const std::span<const AtenRow> operators::aten_indexing = kAtenIndexing;

}  // namespace teff::serialize
