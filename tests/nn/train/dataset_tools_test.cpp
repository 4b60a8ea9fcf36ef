// SPDX-License-Identifier: MIT
#include "teff/nn/train/dataset_tools.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "golden/train_golden.h"
#include "support/error_of.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"

using namespace teff;
using testing::error_of;
using Indices = std::vector<std::int64_t>;

namespace {

std::shared_ptr<data::Dataset> numbers_from(std::int64_t first, std::int64_t n) {
  const Tensor rows = arange(first, first + n);
  return std::make_shared<data::TensorDataset>(rows, rows * Scalar(10));
}

/// What a random dataset draws: one number an example.
struct DrawingDataset : data::Dataset {
  std::int64_t size() const override { return 4; }
  data::Example get(std::int64_t) override { return {zeros({}), {}}; }
  data::Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override {
    return {rand({static_cast<std::int64_t>(indices.size())}, generator), {}};
  }
};

Indices indices_of(const std::vector<std::shared_ptr<data::Subset>>& parts) {
  Indices all;
  for (const auto& part : parts) all.insert(all.end(), part->indices().begin(), part->indices().end());
  return all;
}

Indices left_in_default_generator() {
  Indices left(2);
  random_(left.data(), 2, 0, 1000000, default_generator());
  return left;
}

}  // namespace

TEST_CASE("random_split draws PyTorch's parts") {
  const auto dataset = numbers_from(0, 11);
  manual_seed(5);
  const auto parts = data::random_split(dataset, {6, 0, 5});
  CHECK(parts.size() == 3);
  CHECK(parts[0]->size() == 6);
  CHECK(parts[1]->size() == 0);
  CHECK(indices_of(parts) == golden::train::kSplit);
  CHECK(left_in_default_generator() == golden::train::kSplitLeft);
  Generator own(3);
  CHECK(indices_of(data::random_split(dataset, {4, 7}, own)) == golden::train::kSplitOwn);
  CHECK(data::split_lengths(11, {0.35, 0.35, 0.3}) == golden::train::kSplitLengths);
}

TEST_CASE("a subset is the examples of its indices") {
  data::Subset subset(numbers_from(0, 9), {7, 2, 2, 0});
  CHECK(subset.size() == 4);
  CHECK(subset.get(1).target.item<std::int64_t>() == 20);
  const data::Example batch = subset.batch(Indices{0, 3, 2});
  CHECK(Value(batch.data) == Value(tensor<std::int64_t>({7, 0, 2})));
  CHECK(Value(batch.target) == Value(tensor<std::int64_t>({70, 0, 20})));
}

TEST_CASE("concatenated datasets are one, in any order of a batch") {
  data::ConcatDataset all({numbers_from(0, 3), numbers_from(0, 0), numbers_from(100, 2)});
  CHECK(all.size() == 5);
  CHECK(all.get(3).data.item<std::int64_t>() == 100);
  const data::Example batch = all.batch(Indices{4, 0, 1, 3, 2});
  CHECK(Value(batch.data) == Value(tensor<std::int64_t>({101, 0, 1, 100, 2})));
  CHECK(Value(batch.target) == Value(tensor<std::int64_t>({1010, 0, 10, 1000, 20})));
}

TEST_CASE("subsets and concatenations hand on the generator of the loader") {
  const auto drawing = std::make_shared<DrawingDataset>();
  Generator once(1), again(1);
  const Tensor expected = rand({3}, once);
  data::Subset subset(drawing, {3, 1, 2});
  CHECK(Value(subset.batch_with(Indices{0, 1, 2}, again).data) == Value(expected));
  Generator third(1);
  data::ConcatDataset all({drawing, drawing});
  const Tensor mixed = all.batch_with(Indices{0, 5, 1}, third).data;
  CHECK(Value(mixed) == Value(expected));
}

TEST_CASE("parts of datasets that cannot be are refused") {
  const auto dataset = numbers_from(0, 4);
  CHECK(error_of<IndexError>([&] { data::Subset(dataset, {4}); }) == "Subset: expected an index in [0, 4), got 4");
  CHECK(error_of<TypeError>([&] { data::Subset(nullptr, {}); }) == "Subset: expected a dataset, got a null pointer");
  data::Subset subset(dataset, {1});
  CHECK(error_of<IndexError>([&] { subset.get(1); }) == "Subset: expected an index in [0, 1), got 1");
  CHECK(error_of<ValueError>([&] {
          data::random_split(dataset, {1, 2});
        }) == "random_split: expected lengths whose sum is the dataset's 4, got 3");
  CHECK(error_of<ValueError>([&] {
          data::random_split(dataset, {INT64_MAX, INT64_MAX});
        }) == "random_split: expected lengths whose sum is the dataset's 4, got more");
  CHECK(error_of<ValueError>([&] {
          data::random_split(dataset, {5, -1});
        }) == "random_split: expected lengths whose sum is the dataset's 4, got more");
  CHECK(error_of<ValueError>([&] {
          data::random_split(dataset, {-1, 5});
        }) == "random_split: expected length >= 0, got -1");
  CHECK(error_of<ValueError>([&] {
          data::split_lengths(10, {0.5, 0.25});
        }) == "split_lengths: expected fractions whose sum is 1, got 0.75");
  CHECK(error_of<ValueError>([&] { data::ConcatDataset({}); }) ==
        "ConcatDataset: expected at least one dataset, got none");
  data::ConcatDataset mixed({dataset, std::make_shared<data::TensorDataset>(arange(0, 3))});
  CHECK(error_of<TypeError>([&] {
          mixed.batch(Indices{0, 5});
        }) == "ConcatDataset: expected a target for each example of a batch, or for none, got some with");
}
