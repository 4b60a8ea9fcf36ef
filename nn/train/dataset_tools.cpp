// SPDX-License-Identifier: MIT
#include "teff/nn/train/dataset_tools.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/text.h"

namespace teff::data {
namespace {

void expect_inside(const char* owner, std::int64_t index, std::int64_t size) {
  if (index >= 0 && index < size) return;
  throw IndexError(std::string(owner) + ": expected an index in [0, " + std::to_string(size) + "), got " +
                   std::to_string(index));
}

void expect_dataset(const char* owner, const std::shared_ptr<Dataset>& dataset) {
  if (dataset == nullptr) throw TypeError(std::string(owner) + ": expected a dataset, got a null pointer");
}

}  // namespace

Subset::Subset(std::shared_ptr<Dataset> dataset, std::vector<std::int64_t> indices)
    : dataset_(std::move(dataset)), indices_(std::move(indices)) {
  expect_dataset("Subset", dataset_);
  for (const std::int64_t index : indices_) expect_inside("Subset", index, dataset_->size());
}

std::vector<std::int64_t> Subset::in_dataset(std::span<const std::int64_t> indices) const {
  std::vector<std::int64_t> result;
  for (const std::int64_t index : indices) {
    expect_inside("Subset", index, size());
    result.push_back(indices_[static_cast<std::size_t>(index)]);
  }
  return result;
}

Example Subset::get(std::int64_t index) { return dataset_->get(in_dataset({&index, 1}).front()); }

Example Subset::batch(std::span<const std::int64_t> indices) { return dataset_->batch(in_dataset(indices)); }

Example Subset::batch_with(std::span<const std::int64_t> indices, Generator& generator) {
  return dataset_->batch_with(in_dataset(indices), generator);
}

std::vector<std::shared_ptr<Subset>> random_split(const std::shared_ptr<Dataset>& dataset,
                                                  const std::vector<std::int64_t>& lengths) {
  return random_split(dataset, lengths, default_generator());
}

std::vector<std::shared_ptr<Subset>> random_split(const std::shared_ptr<Dataset>& dataset,
                                                  const std::vector<std::int64_t>& lengths, Generator& generator) {
  expect_dataset("random_split", dataset);
  std::int64_t left = dataset->size();
  for (const std::int64_t length : lengths) {
    nn::detail::expect_at_least(0, "random_split", "length", length);
    nn::detail::expect(length <= left, "random_split",
                       "lengths whose sum is the dataset's " + std::to_string(dataset->size()), "more");
    left -= length;
  }
  nn::detail::expect(left == 0, "random_split", "lengths whose sum is the dataset's " + std::to_string(dataset->size()),
                     std::to_string(dataset->size() - left));
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset->size()));
  randperm(order.data(), dataset->size(), generator);
  std::vector<std::shared_ptr<Subset>> parts;
  auto first = order.begin();
  for (const std::int64_t length : lengths) {
    parts.push_back(std::make_shared<Subset>(dataset, std::vector<std::int64_t>(first, first + length)));
    first += length;
  }
  return parts;
}

std::vector<std::int64_t> split_lengths(std::int64_t size, const std::vector<double>& fractions) {
  nn::detail::expect_at_least(0, "split_lengths", "size", size);
  std::vector<std::int64_t> lengths;
  for (const double fraction : fractions) {
    nn::detail::expect(fraction >= 0 && fraction <= 1, "split_lengths", "fractions in [0, 1]",
                       nn::detail::python_float(fraction));
    lengths.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(size) * fraction)));
  }
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  nn::detail::expect(std::abs(sum - 1) <= 1e-9, "split_lengths", "fractions whose sum is 1",
                     nn::detail::python_float(sum));
  std::int64_t left = size - std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  for (std::size_t i = 0; left > 0; --left, ++i) ++lengths[i % lengths.size()];
  return lengths;
}

ConcatDataset::ConcatDataset(std::vector<std::shared_ptr<Dataset>> datasets) : datasets_(std::move(datasets)) {
  nn::detail::expect(!datasets_.empty(), "ConcatDataset", "at least one dataset", "none");
  std::int64_t end = 0;
  for (const std::shared_ptr<Dataset>& dataset : datasets_) {
    expect_dataset("ConcatDataset", dataset);
    ends_.push_back(end += dataset->size());
  }
}

std::size_t ConcatDataset::part_of(std::int64_t index) const {
  expect_inside("ConcatDataset", index, size());
  return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
}

Example ConcatDataset::get(std::int64_t index) {
  const std::size_t part = part_of(index);
  return datasets_[part]->get(index - (part == 0 ? 0 : ends_[part - 1]));
}

Example ConcatDataset::batch(std::span<const std::int64_t> indices) { return batch_with(indices, default_generator()); }

Example ConcatDataset::batch_with(std::span<const std::int64_t> indices, Generator& generator) {
  std::vector<Tensor> data, targets;
  for (std::size_t i = 0; i < indices.size();) {
    const std::size_t part = part_of(indices[i]);
    std::vector<std::int64_t> own;
    for (; i < indices.size() && part_of(indices[i]) == part; ++i) {
      own.push_back(indices[i] - (part == 0 ? 0 : ends_[part - 1]));
    }
    Example some = datasets_[part]->batch_with(own, generator);
    data.push_back(std::move(some.data));
    if (some.target.defined()) targets.push_back(std::move(some.target));
  }
  if (!targets.empty() && targets.size() != data.size()) {
    throw TypeError("ConcatDataset: expected a target for each example of a batch, or for none, got some with");
  }
  return {cat(data), targets.empty() ? Tensor() : cat(targets)};
}

}  // namespace teff::data
