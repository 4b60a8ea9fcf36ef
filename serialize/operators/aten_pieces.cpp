// SPDX-License-Identifier: MIT

// ATen's operators that join tensors, and take them apart.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using PieceCall = OperatorCall;

TensorList listed(const std::vector<Tensor>& tensors) { return {tensors.begin(), tensors.end()}; }

/// All but the last of the shapes broadcast.
TensorList broadcast_all(const PieceCall& c) {
  std::vector<Tensor> tensors = aten_tensors(c, "tensors");
  std::size_t rank = 0;
  for (const Tensor& tensor : tensors) rank = std::max(rank, tensor.shape().size());
  Shape shape;
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(1);
  for (const Tensor& tensor : tensors) {
    for (std::size_t i = 0; i < tensor.shape().size(); ++i) {
      std::int64_t& size = shape[rank - 1 - i];
      const std::int64_t own = tensor.shape()[tensor.shape().size() - 1 - i];
      if (own != 1) size = own;
    }
  }
  for (Tensor& tensor : tensors) tensor = tensor.shape() == shape ? tensor : expand(tensor, shape);
  return listed(tensors);
}

std::vector<Tensor> of_one_dtype(std::vector<Tensor> tensors) {
  for (const Tensor& other : std::vector<Tensor>(tensors)) {
    tensors[0] = promoted(tensors[0], other).first;
  }
  for (Tensor& tensor : tensors) tensor = aten_to(tensor, tensors[0].dtype());
  return tensors;
}

std::vector<Tensor> several(const PieceCall& c) {
  std::vector<Tensor> tensors = aten_tensors(c, "tensors");
  if (tensors.empty()) throw FormatError("expected at least one tensor, got none");
  return of_one_dtype(std::move(tensors));
}

Tensor joined_along(const PieceCall& c) { return cat(several(c), c.integer("dim", 0)); }
Tensor stacked(const PieceCall& c) { return stack(several(c), c.integer("dim", 0)); }

Tensor with_rank(Tensor x, std::int64_t rank) {
  if (x.dim() == 0) x = view(x, {1});
  if (x.dim() == 1 && rank > 1) x = unsqueeze(x, 0);
  return x.dim() == 2 && rank > 2 ? unsqueeze(x, 2) : x;
}

template <std::int64_t rank>
Tensor at_least(const PieceCall& c) {
  return with_rank(c.tensor(0), rank);
}

Tensor joined_of_rank(const PieceCall& c, std::int64_t rank, std::int64_t dim) {
  std::vector<Tensor> parts = several(c);
  for (Tensor& part : parts) part = with_rank(part, rank);
  return cat(parts, std::min(dim, parts[0].dim() - 1));
}
Tensor joined_rows(const PieceCall& c) { return joined_of_rank(c, 2, 0); }
Tensor joined_columns(const PieceCall& c) { return joined_of_rank(c, 1, 1); }
Tensor joined_depths(const PieceCall& c) { return joined_of_rank(c, 3, 2); }

/// Vectors are columns.
Tensor joined_as_columns(const PieceCall& c) {
  std::vector<Tensor> columns = several(c);
  for (Tensor& column : columns) column = column.dim() < 2 ? view(column, {-1, 1}) : column;
  return cat(columns, 1);
}

/// A tensor that nobody has computed may have any size.
void check_pieces(std::int64_t count) {
  expect_supported(count <= kMaxConstant, "expected at most 65536 pieces, got " + std::to_string(count));
}

TensorList split_by_sizes_in(const PieceCall& c, std::string_view name) {
  const AtenNumbers sizes = aten_numbers(c, name);
  return listed(split(c.tensor(0), std::span<const std::int64_t>(sizes), c.integer("dim", 0)));
}
TensorList split_by_sizes(const PieceCall& c) { return split_by_sizes_in(c, "split_sizes"); }

TensorList split_evenly(const PieceCall& c) {
  const std::optional<Value> sizes = c.option("split_size");
  if (sizes && sizes->is_list()) return split_by_sizes_in(c, "split_size");
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim()), each = c.integer("split_size", 0);
  check_pieces(x.size(dim) / std::max(each, std::int64_t{1}));
  return listed(split(x, each, dim));
}

/// tensor_split(sections): of nearly equal sizes, the first ones larger. tensor_split(indices): the places of the cuts.
TensorList split_anywhere(const PieceCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim()), size = x.size(dim);
  AtenNumbers cuts = aten_numbers(c, "indices_or_sections");
  const std::optional<Value> given = c.option("indices_or_sections");
  if (given && !given->is_list()) {
    const std::int64_t sections = cuts.at(0);
    if (sections < 1) throw FormatError("expected sections, got " + std::to_string(sections));
    check_pieces(sections);
    cuts.clear();
    for (std::int64_t i = 1; i < sections; ++i) cuts.push_back(i * (size / sections) + std::min(i, size % sections));
  }
  TensorList parts;
  std::int64_t start = 0;
  const auto cut = [&](std::int64_t place) {
    const std::int64_t end = std::clamp(place < 0 ? std::max(place, -size) + size : place, std::int64_t{0}, size);
    parts.push_back(slice(x, dim, start, std::max(start, end)));
    start = end;
  };
  for (const std::int64_t place : cuts) cut(place);
  cut(size);
  return parts;
}

TensorList chunked(const PieceCall& c) {
  const std::int64_t chunks = c.integer("chunks", 0);
  check_pieces(chunks);
  return listed(chunk(c.tensor(0), chunks, c.integer("dim", 0)));
}

TensorList unbound(const PieceCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim());
  check_pieces(x.size(dim));
  return listed(unbind(x, dim));
}

/// The source in the place of entries start to end of a dimension, or of one entry.
Tensor replaced_between(const PieceCall& c, const Tensor& source, std::int64_t dim, std::int64_t start,
                        std::int64_t end) {
  const Tensor x = c.tensor(0);
  return cat({slice(x, dim, 0, start), aten_to(source, x.dtype()), slice(x, dim, end)}, dim);
}

Tensor put_slice(const PieceCall& c) {
  const std::int64_t dim = c.axis(c.integer("dim", 0), c.tensor(0).dim()), size = c.tensor(0).size(dim);
  expect_supported(c.integer("step", 1) == 1, "expected slice_scatter with the step 1, got another");
  const auto place = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t at = std::clamp(aten_integer(c, name).value_or(otherwise), -size, size);
    return at < 0 ? at + size : at;
  };
  const std::int64_t start = place("start", 0);
  return replaced_between(c, c.tensor(1), dim, start, std::max(start, place("end", size)));
}

Tensor put_entry(const PieceCall& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", 0), x.dim()), index = c.axis(c.integer("index", 0), x.size(dim));
  return replaced_between(c, unsqueeze(c.tensor(1), dim), dim, index, index + 1);
}

Tensor differences(const PieceCall& c) {
  expect_supported(c.integer("n", 1) == 1 && !c.has(3) && !c.has(4),
                   "expected diff of neighbours alone, got one with more");
  const Tensor x = c.tensor(0);
  const std::int64_t dim = c.axis(c.integer("dim", -1), x.dim()), size = x.size(dim);
  const Tensor later = slice(x, dim, std::min(size, std::int64_t{1})), earlier = slice(x, dim, 0, size - 1);
  return x.dtype() == DType::bool_ ? logical_xor(later, earlier) : sub(later, earlier);
}

constexpr AtenRow kAtenPieces[] = {
    {"atleast_1d", "self", at_least<1>},
    {"atleast_2d", "self", at_least<2>},
    {"atleast_3d", "self", at_least<3>},
    {"broadcast_tensors", "tensors", broadcast_all, true},
    {"cat", "tensors dim", joined_along},
    {"chunk", "self chunks dim", chunked, true},
    {"column_stack", "tensors", joined_as_columns},
    {"diff", "self n dim prepend append", differences},
    {"dstack", "tensors", joined_depths},
    {"hstack", "tensors", joined_columns},
    {"select_scatter", "self src dim index", put_entry},
    {"slice_scatter", "self src dim start end step", put_slice},
    {"split", "self split_size dim", split_evenly, true},
    {"split_with_sizes", "self split_sizes dim", split_by_sizes, true},
    {"stack", "tensors dim", stacked},
    {"tensor_split", "self indices_or_sections dim", split_anywhere, true},
    {"unbind", "self dim", unbound, true},
    {"vstack", "tensors", joined_rows},
};
static_assert(is_in_order(kAtenPieces));

}  // namespace

const std::span<const AtenRow> operators::aten_pieces = kAtenPieces;

}  // namespace teff::serialize
