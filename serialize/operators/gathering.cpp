// SPDX-License-Identifier: MIT

// What is moved, found or put by an index: gather, scatter, topk, one_hot and their kind.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/onnx/onnx_model.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

/// Indices that count from the end as those that count from the front.
Tensor from_front(const Tensor& index, std::int64_t size) {
  const Tensor places = index.dtype() == DType::int64 ? index : to(index, DType::int64);
  return where(places < 0, places + size, places);
}

Tensor gathered_elements(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.dim());
  return gather(x, axis, from_front(c.tensor(1), x.size(axis)));
}

Tensor scattered_elements(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.dim());
  const Tensor index = from_front(c.tensor(1), x.size(axis));
  const std::string reduction = c.text("reduction", "none");
  if (reduction == "add") return scatter_add(x, axis, index, c.tensor(2));
  expect_supported(reduction == "none", "expected none or add as reduction, got " + reduction);
  return scatter(x, axis, index, c.tensor(2));
}

/// The places of entries of the first dimensions, which are one after this: [..., k] -> [...].
Tensor joined_places(const Tensor& index, const Shape& shape, std::int64_t first) {
  const Tensor places = index.dtype() == DType::int64 ? index : to(index, DType::int64);
  const std::int64_t last = places.dim() - 1, count = places.size(last);
  Tensor sum;
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t size = shape[static_cast<std::size_t>(first + k)];
    const Tensor part = from_front(select(places, last, k), size);
    sum = sum.defined() ? sum * size + part : part;
  }
  return sum;
}

Tensor gathered_nd(const Call& c) {
  const Tensor x = c.tensor(0), index = c.tensor(1);
  const std::int64_t batch = c.integer("batch_dims", 0), count = index.dim() > 0 ? index.size(-1) : 0;
  if (batch < 0 || batch >= index.dim() || count < 1 || batch + count > x.dim()) {
    throw FormatError("expected indices of some dimensions of " + to_string(x.shape()) + ", got others");
  }
  Tensor places = joined_places(index, x.shape(), batch);
  std::int64_t rows = 1, picked = 1;
  Shape shape = places.shape();
  for (std::int64_t i = 0; i < batch; ++i) rows *= x.size(i);
  for (std::int64_t i = batch; i < batch + count; ++i) picked *= x.size(i);
  Shape rest;
  for (std::int64_t i = batch + count; i < x.dim(); ++i) rest.push_back(x.size(i));
  for (const std::int64_t size : rest) shape.push_back(size);
  if (batch > 0) {  // each row of the batch is a part of one list
    Numbers starts;
    for (std::int64_t i = 0; i < rows; ++i) starts.push_back(i * picked);
    const std::int64_t each = places.numel() / std::max(rows, std::int64_t{1});
    places = view(places, {rows, each}) + view(teff::tensor(starts), {rows, 1});
  }
  Shape flat{rows * picked};
  for (const std::int64_t size : rest) flat.push_back(size);
  return view(index_select(view(x, flat), 0, view(places, {-1})), shape);
}

Tensor scattered_nd(const Call& c) {
  const Tensor x = c.tensor(0), index = c.tensor(1), updates = c.tensor(2);
  const std::int64_t count = index.dim() > 0 ? index.size(-1) : 0;
  if (count < 1 || count > x.dim()) throw FormatError("expected indices of some dimensions, got others");
  const std::string reduction = c.text("reduction", "none");
  expect_supported(reduction == "none" || reduction == "add", "expected none or add as reduction, got " + reduction);
  const Tensor places = view(joined_places(index, x.shape(), 0), {-1});
  std::int64_t picked = 1;
  Shape flat{0}, source{places.numel()};
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < count) picked *= x.size(i);
    if (i >= count) flat.push_back(x.size(i)), source.push_back(x.size(i));
  }
  flat[0] = picked;
  const Tensor rows = view(x, flat), values = view(updates, source);
  return view(reduction == "add" ? index_add(rows, 0, places, values) : index_copy(rows, 0, places, values), x.shape());
}

TensorList largest(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", -1), x.dim());
  const std::int64_t k = c.opset() < 10 ? c.integer("k", 1) : c.known_integer(1);
  c.ignore("sorted");
  const ValuesAndIndices found = topk(x, k, axis, c.flag("largest", true));
  return {found.values, found.indices};
}

/// `values` has the number where there is none, and where there is one.
Tensor one_of(const Call& c) {
  const std::int64_t depth = c.known_integer(1);
  expect_supported(depth >= 1 && depth <= kMaxConstant, "expected 1 to 65536 classes, got " + std::to_string(depth));
  const Tensor index = c.tensor(0), values = c.tensor(2);
  const std::int64_t rank = index.dim() + 1, axis = c.axis(c.integer("axis", -1), rank);
  const Tensor places = from_front(index, depth);
  Shape shape(1);
  for (std::int64_t i = axis + 1; i < rank; ++i) shape.push_back(1);
  shape[0] = depth;
  const Tensor classes = view(arange(depth), shape);
  return where(eq(unsqueeze(places, axis), classes), select(values, 0, 1), select(values, 0, 0));
}

Tensor hardest(const Call& c) {
  const Tensor x = c.tensor(0);
  const bool old = c.opset() < 13;
  const std::int64_t axis = c.axis(c.integer("axis", old ? 1 : -1), x.dim());
  const auto one = [](const Tensor& rows, std::int64_t dim) {
    Shape shape(1);
    for (std::int64_t i = dim + 1; i < rows.dim(); ++i) shape.push_back(1);
    shape[0] = rows.size(dim);
    expect_supported(shape[0] <= kMaxConstant, "expected at most 65536 numbers in a row, got more");
    return to(eq(argmax(rows, dim, true), view(arange(rows.size(dim)), shape)), rows.dtype());
  };
  if (!old || axis == x.dim() - 1) return one(x, axis);
  std::int64_t rest = 1;
  IntList sizes;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < axis) sizes.push_back(x.size(i));
    if (i >= axis) rest *= x.size(i);
  }
  sizes.push_back(rest);
  return view(one(view(x, sizes), axis), x.shape());
}

Tensor tiled(const Call& c) {
  if (c.opset() >= 6) return repeat(c.tensor(0), list_of(c.known_integers(1)));
  const Tensor x = c.tensor(0);
  IntList counts;
  for (std::int64_t i = 0; i < x.dim(); ++i) counts.push_back(i == c.known_integer(2) ? c.known_integer(1) : 1);
  return repeat(x, counts);
}

Tensor triangle(const Call& c) {
  const std::int64_t diagonal = c.has(1) ? c.known_integer(1) : 0;
  return c.flag("upper", true) ? triu(c.tensor(0), diagonal) : tril(c.tensor(0), diagonal);
}

Tensor einstein_sum(const Call& c) {
  std::vector<Tensor> operands;
  for (std::size_t i = 0; i < c.input_count(); ++i) operands.push_back(c.tensor(i));
  return einsum(c.text("equation", ""), operands);
}

/// Without the element itself, or from the end.
Tensor running_sum(const Call& c) {
  Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.known_integer(1), x.dim());
  const bool excludes = c.flag("exclusive", false), backwards = c.flag("reverse", false);
  Tensor sums = backwards ? flip(cumsum(flip(x, axis), axis), axis) : cumsum(x, axis);
  if (sums.dtype() != x.dtype()) sums = to(sums, x.dtype());
  return excludes ? sums - x : sums;
}

Tensor identity_like(const Call& c) {
  const Tensor x = c.tensor(0);
  if (x.dim() != 2) throw FormatError("expected a matrix, got " + to_string(x.shape()));
  const std::int64_t diagonal = c.integer("k", 0);
  const auto code = c.integer("dtype", 0);
  expect_supported(x.numel() <= kMaxConstant, "expected a matrix of at most 65536 elements, got more");
  const Tensor rows = view(arange(x.size(0)), {x.size(0), 1}), columns = arange(x.size(1));
  const std::optional<DType> dtype = code == 0 ? x.dtype() : onnx_dtype(code);
  expect_supported(dtype.has_value(), "expected a dtype that Teff has, got " + onnx_dtype_name(code));
  return to(eq(rows + diagonal, columns), *dtype);
}

Tensor sampled(const Call& c) {
  GridSampleOptions options;
  const std::string mode = c.text("mode", "bilinear"), outside = c.text("padding_mode", "zeros");
  const bool is_cubic = mode == "bicubic" || mode == "cubic";
  expect_supported(is_cubic || mode == "bilinear" || mode == "linear" || mode == "nearest",
                   "expected bilinear, bicubic or nearest sampling, got " + mode);
  if (mode == "nearest") options.mode = GridSampleMode::nearest;
  if (is_cubic) options.mode = GridSampleMode::bicubic;
  expect_supported(outside == "zeros" || outside == "border" || outside == "reflection",
                   "expected zeros, border or reflection outside, got " + outside);
  if (outside == "border") options.padding_mode = GridSamplePadding::border;
  if (outside == "reflection") options.padding_mode = GridSamplePadding::reflection;
  options.align_corners = c.flag("align_corners", false);
  return grid_sample(c.tensor(0), c.tensor(1), options);
}

constexpr OperatorRow kGatheringRows[] = {
    {"CumSum", running_sum},
    {"Einsum", einstein_sum},
    {"EyeLike", identity_like},
    {"GatherElements", gathered_elements},
    {"GatherND", gathered_nd},
    {"GridSample", sampled},
    {"Hardmax", hardest},
    {"OneHot", one_of},
    {"Scatter", scattered_elements},
    {"ScatterElements", scattered_elements},
    {"ScatterND", scattered_nd},
    {"Tile", tiled},
    {"TopK", largest},
    {"Trilu", triangle},
};

}  // namespace

const std::span<const OperatorRow> operators::gathering = kGatheringRows;

}  // namespace teff::serialize
