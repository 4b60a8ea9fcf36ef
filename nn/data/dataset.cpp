// SPDX-License-Identifier: MIT
#include "teff/nn/data/dataset.h"

#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"

namespace teff::data {

Example Dataset::batch(std::span<const std::int64_t> indices) {
  std::vector<Tensor> data, targets;
  for (const std::int64_t index : indices) {
    Example example = get(index);
    data.push_back(std::move(example.data));
    if (example.target.defined()) targets.push_back(std::move(example.target));
  }
  if (!targets.empty() && targets.size() != data.size()) {
    throw TypeError("Dataset: expected a target for each example of a batch, or for none, got " +
                    std::to_string(targets.size()) + " for " + std::to_string(data.size()));
  }
  return {stack(data), targets.empty() ? Tensor() : stack(targets)};
}

Example Dataset::batch_with(std::span<const std::int64_t> indices, Generator&) { return batch(indices); }

TensorDataset::TensorDataset(Tensor data, Tensor target) : data_(std::move(data)), target_(std::move(target)) {
  const bool rows = data_.dim() > 0;
  if (rows && (!target_.defined() || (target_.dim() > 0 && target_.size(0) == data_.size(0)))) return;
  throw ShapeError("TensorDataset: expected data [N, ...] and target [N, ...], got " + to_string(data_.shape()) +
                   (target_.defined() ? " and " + to_string(target_.shape()) : std::string()));
}

Example TensorDataset::get(std::int64_t index) {
  return {data_.select(0, index), target_.defined() ? target_.select(0, index) : Tensor()};
}

Example TensorDataset::batch(std::span<const std::int64_t> indices) {
  const Tensor rows = tensor<std::int64_t>(indices, {static_cast<std::int64_t>(indices.size())});
  return {index_select(data_, 0, rows), target_.defined() ? index_select(target_, 0, rows) : Tensor()};
}

}  // namespace teff::data
