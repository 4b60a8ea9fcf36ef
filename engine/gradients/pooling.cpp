// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

/// Indices within a plane [H, W] as indices of all planes.
TensorList put_back(const RecordedCall& call, const Tensor& indices) {
  const Tensor& x = call.inputs[0];
  const Tensor places = indices.clone();
  const std::int64_t plane = x.size(2) * x.size(3), count = std::max<std::int64_t>(1, places.size(2) * places.size(3));
  std::int64_t i = 0;
  for (std::int64_t& place : places.span<std::int64_t>()) place += i++ / count * plane;
  return {put(call.grad(), places, x.type())};
}

/// Where the maxima of windows of 2 x 2 side by side are: where backward, which finds them in x, puts ones.
Tensor tile_indices(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], ones = ones_like(call.grad());
  const bool wanted[] = {true};
  const Tensor found = call.op.backward({ones, call.inputs, {}, wanted})[0].to(DType::float64);
  const Tensor indices = empty(call.grad().shape(), {.dtype = DType::int64});
  const std::int64_t height = x.size(2), width = x.size(3), rows = indices.size(2), columns = indices.size(3);
  std::int64_t i = 0;
  for (std::int64_t& index : indices.span<std::int64_t>()) {
    const std::int64_t plane = i / (rows * columns), row = i / columns % rows * 2, column = i % columns * 2;
    const double* const values = found.data<double>() + plane * height * width;
    index = row * width + column;
    for (const std::int64_t step : {std::int64_t{1}, width, width + 1}) {
      if (values[row * width + column + step] != 0) index = row * width + column + step;
    }
    ++i;
  }
  return indices;
}

TensorList max_pool2d_grads(const RecordedCall& call) {
  if (!call.saved.empty()) return put_back(call, call.saved[0]);
  if (call.grad().numel() == 0) return linear(call);
  return put_back(call, tile_indices(call));
}

TensorList adaptive_max_pool2d_grads(const RecordedCall& call) { return put_back(call, call.saved[0]); }

/// Of volumes [N, C, D, H, W], where a window in the padding alone has the index -1 and no gradient.
TensorList indexed_pool_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &indices = call.saved[0], places = indices.clone();
  TensorList grads(call.inputs.size());
  if (places.numel() == 0) {
    grads[0] = x * 0.0;
    return grads;
  }
  const std::int64_t planes = x.size(0) * x.size(1), volume = x.numel() / planes, count = places.numel() / planes;
  std::int64_t i = 0;
  for (std::int64_t& place : places.span<std::int64_t>())
    place = i++ / count * volume + std::max<std::int64_t>(0, place);
  grads[0] = put(call.grads[0] * mask(indices >= 0.0, call.grads[0]), places, x.type());
  return grads;
}

}  // namespace

std::span<const FormulaEntry> pooling_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"avg_pool2d", linear},
      {"adaptive_avg_pool2d", linear},
      {"interpolate", linear},
      {"max_pool2d", max_pool2d_grads},
      {"adaptive_max_pool2d", adaptive_max_pool2d_grads},
      {"max_pool_with_indices", indexed_pool_grads},
      {"adaptive_max_pool_with_indices", indexed_pool_grads},
      {"fractional_max_pool", indexed_pool_grads},
      {"max_unpool", linear},
  };
  return kEntries;
}

}  // namespace teff::gradients
