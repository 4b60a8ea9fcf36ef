// SPDX-License-Identifier: MIT
#include <algorithm>

#include "support/onnx_operators.h"
#include "teff/engine/ops.h"

namespace teff::testing {
namespace {

using Case = OnnxTestCase;
using Numbers = std::vector<std::int64_t>;
using Places = std::vector<indexing::TensorIndex>;

/// Indices as int64, counted from the front.
Tensor from_front(const Tensor& index, std::int64_t size) {
  const Tensor result = index.to(DType::int64).clone();
  for (std::int64_t& value : result.span<std::int64_t>()) value += value < 0 ? size : 0;
  return result;
}

std::int64_t axis_of(const Case& c, std::int64_t otherwise) {
  const std::int64_t axis = c.node.number("axis", otherwise);
  return axis < 0 ? axis + c.inputs[0].dim() : axis;
}

Tensor gathered(const Case& c) {
  Places places(static_cast<std::size_t>(axis_of(c, 0)), indexing::Slice());
  places.push_back(c.inputs[1].to(DType::int64));
  return c.inputs[0].index(std::span<const indexing::TensorIndex>(places));
}

/// The last dimension of an index as places of the first dimensions of x.
Places columns_of(const Tensor& index) {
  Places places;
  for (std::int64_t i = 0; i < index.size(-1); ++i) places.push_back(index.select(-1, i).to(DType::int64));
  return places;
}

Tensor gathered_nd(const Case& c) {
  expect_covered(c.node.number("batch_dims", 0) == 0, "batch_dims");
  const Places places = columns_of(c.inputs[1]);
  return c.inputs[0].index(std::span<const indexing::TensorIndex>(places));
}

Tensor gathered_elements(const Case& c) {
  const std::int64_t axis = axis_of(c, 0);
  return gather(c.inputs[0], axis, from_front(c.inputs[1], c.inputs[0].size(axis)));
}

Tensor scattered(const Case& c) {
  const std::string reduction = c.node.text("reduction", "none");
  expect_covered(reduction == "none" || reduction == "add", "a reduction other than add");
  const std::int64_t axis = axis_of(c, 0);
  const Tensor index = from_front(c.inputs[1], c.inputs[0].size(axis));
  return reduction == "add" ? scatter_add(c.inputs[0], axis, index, c.inputs[2])
                            : scatter(c.inputs[0], axis, index, c.inputs[2]);
}

Tensor scattered_nd(const Case& c) {
  const std::string reduction = c.node.text("reduction", "none");
  expect_covered(reduction == "none" || reduction == "add", "a reduction other than add");
  return index_put(c.inputs[0], columns_of(c.inputs[1]), c.inputs[2], reduction == "add");
}

std::vector<Tensor> largest(const Case& c) {
  expect_covered(c.inputs.size() == 2, "k as an attribute");
  const auto [values, indices] =
      topk(c.inputs[0], numbers_of(c.inputs[1])[0], axis_of(c, -1), c.node.number("largest", 1) != 0);
  return {values, indices};
}

Tensor one_hot_of(const Case& c) {
  const std::int64_t depth = numbers_of(c.inputs[1].view({1}).to(DType::int64))[0];
  const Tensor index = from_front(c.inputs[0].to(DType::int64), depth), values = c.inputs[2];
  const Tensor hot =
      one_hot(clamp(index.to(DType::float64), 0, static_cast<double>(depth) - 1).to(DType::int64), depth);
  const std::int64_t axis = c.node.number("axis", -1);
  const Tensor result = take(values, axis == -1 ? hot : movedim(hot, -1, axis));
  return result;
}

Tensor triangle(const Case& c) {
  const std::int64_t diagonal = c.inputs.size() > 1 ? numbers_of(c.inputs[1].view({1}))[0] : 0;
  return c.node.number("upper", 1) != 0 ? triu(c.inputs[0], diagonal) : tril(c.inputs[0], diagonal);
}

std::vector<Tensor> uniques(const Case& c) {
  expect_covered(c.node.number("sorted", 1) != 0, "values in the order of the input");
  const bool has_axis = c.node.has("axis");
  const UniqueResult result = unique(c.inputs[0], has_axis ? std::optional<Integer>(axis_of(c, 0)) : std::nullopt);
  const Tensor inverse = result.inverse.flatten(), firsts = full_like(result.counts, -1);
  for (std::int64_t i = inverse.numel(); i-- > 0;) {
    firsts.data<std::int64_t>()[inverse.data<std::int64_t>()[i]] = i;
  }
  return {result.values, firsts, inverse, result.counts};
}

Tensor sampled(const Case& c) {
  expect_covered(c.inputs[0].dim() == 4, "other than two dimensions");
  GridSampleOptions options{.align_corners = c.node.number("align_corners", 0) != 0};
  const std::string mode = c.node.text("mode", "bilinear");
  from_string(mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : mode, options.mode);
  expect_covered(options.mode != GridSampleMode::bicubic, "results that are written with four digits");
  from_string(c.node.text("padding_mode", "zeros"), options.padding_mode);
  return grid_sample(c.inputs[0], c.inputs[1], options);
}

Tensor depth_to_space(const Case& c) {
  const Tensor& x = c.inputs[0];
  const std::int64_t r = c.node.number("blocksize", 1), channels = x.size(1) / (r * r);
  if (c.node.text("mode", "DCR") == "CRD") return pixel_shuffle(x, r);
  const Tensor apart = view(x, {x.size(0), r, r, channels, x.size(2), x.size(3)});
  return view(permute(apart, {0, 3, 4, 1, 5, 2}), {x.size(0), channels, x.size(2) * r, x.size(3) * r});
}

Tensor space_to_depth(const Case& c) {
  const Tensor& x = c.inputs[0];
  const std::int64_t r = c.node.number("blocksize", 1), rows = x.size(2) / r, columns = x.size(3) / r;
  const Tensor apart = view(x, {x.size(0), x.size(1), rows, r, columns, r});
  return view(permute(apart, {0, 3, 5, 1, 2, 4}), {x.size(0), -1, rows, columns});
}

}  // namespace

void add_indexing_operators(OnnxOperators& ops) {
  ops["Gather"] = one(gathered);
  ops["GatherND"] = one(gathered_nd);
  ops["GatherElements"] = one(gathered_elements);
  ops["Scatter"] = ops["ScatterElements"] = one(scattered);
  ops["ScatterND"] = one(scattered_nd);
  ops["TopK"] = largest;
  ops["OneHot"] = one(one_hot_of);
  ops["Trilu"] = one(triangle);
  ops["Unique"] = uniques;
  ops["GridSample"] = one(sampled);
  ops["DepthToSpace"] = one(depth_to_space);
  ops["SpaceToDepth"] = one(space_to_depth);
  ops["NonZero"] = one([](const Case& c) { return nonzero(c.inputs[0]).t(); });
  ops["Tile"] = one(
      [](const Case& c) { return tile(c.inputs[0], IntList(std::span<const std::int64_t>(numbers_of(c.inputs[1])))); });
  ops["Einsum"] = one([](const Case& c) { return einsum(c.node.text("equation", ""), c.inputs); });
}

}  // namespace teff::testing
