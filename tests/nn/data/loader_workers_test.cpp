// SPDX-License-Identifier: MIT

// Several workers of a DataLoader: who makes a batch, and when, must not be seen.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "nn/nets.h"
#include "teff/nn/data/transforms.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

/// Examples that are random, of a batch each: what a batch is depends on its generator alone.
class RandomRows : public data::Dataset {
 public:
  explicit RandomRows(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  data::Example get(std::int64_t) override { throw Error("RandomRows: expected batches, got one example"); }
  data::Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override {
    const auto n = static_cast<std::int64_t>(indices.size());
    return {randn({n, 5}, generator), tensor(std::vector<std::int64_t>(indices.begin(), indices.end()), {n})};
  }

 private:
  std::int64_t size_;
};

/// Fails for some examples; holds each batch until `together` of them are being made, or all have begun.
class Meeting : public data::Dataset {
 public:
  Meeting(std::int64_t size, int together) : size_(size), together_(together) {}
  std::int64_t size() const override { return size_; }
  data::Example get(std::int64_t) override { throw Error("Meeting: expected batches, got one example"); }
  data::Example batch(std::span<const std::int64_t> indices) override {
    {
      std::unique_lock lock(mutex_);
      ++begun;
      most_ = std::max(most_, ++running_);
      changed_.notify_all();
      changed_.wait(lock, [&] { return most_ >= together_; });
      --running_;
    }
    for (const std::int64_t index : indices) {
      if (index % 10 == bad) throw ValueError("example " + std::to_string(index) + " is damaged");
    }
    return {full({1}, static_cast<double>(indices[0])), {}};
  }
  std::int64_t bad = -1;
  std::atomic<int> begun = 0;

 private:
  std::int64_t size_;
  int together_, most_ = 0, running_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

std::vector<data::Example> examples_of(const data::DataLoader& loader) {
  std::vector<data::Example> all;
  for (const data::Example& batch : loader) all.push_back(batch);
  return all;
}

data::DataLoaderOptions with_workers(data::DataLoaderOptions options, std::int64_t workers) {
  options.num_workers = workers;
  return options;
}

}  // namespace

TEST_CASE("batches are the same, and in the same order, for any number of workers") {
  RandomRows dataset(37);
  Generator first(8);
  const data::DataLoaderOptions options{.batch_size = 3, .shuffle = true, .generator = &first};
  const auto expected = examples_of(data::DataLoader(dataset, with_workers(options, 0)));
  REQUIRE(expected.size() == 13);
  for (const std::int64_t workers : {1, 2, 3, 7, 40}) {
    for (const std::int64_t prefetch : {0, 1, 5}) {
      CAPTURE(workers);
      CAPTURE(prefetch);
      first = Generator(8);
      data::DataLoaderOptions own = with_workers(options, workers);
      own.prefetch = prefetch;
      const auto batches = examples_of(data::DataLoader(dataset, own));
      REQUIRE(batches.size() == expected.size());
      for (std::size_t i = 0; i < batches.size(); ++i) {
        CHECK(same_bits(batches[i].data, expected[i].data));
        CHECK(same_bits(batches[i].target, expected[i].target));
      }
    }
  }
}

TEST_CASE("random transforms are the same for any number of workers") {
  data::TensorDataset images(randn({25, 1, 8, 8}), arange(25));
  data::TransformedDataset augmented(
      images, transforms::Compose{transforms::RandomCrop(8, {.padding = 2}), transforms::RandomHorizontalFlip()});
  std::vector<std::vector<data::Example>> epochs;
  for (const std::int64_t workers : {0, 1, 4}) {
    manual_seed(6);
    epochs.push_back(
        examples_of(data::DataLoader(augmented, {.batch_size = 4, .shuffle = true, .num_workers = workers})));
  }
  for (std::size_t i = 0; i < epochs[0].size(); ++i) {
    CHECK(same_bits(epochs[1][i].data, epochs[0][i].data));
    CHECK(same_bits(epochs[2][i].data, epochs[0][i].data));
  }
}

TEST_CASE("as many batches are made at a time as there are workers") {
  Meeting dataset(12, 3);  // waits for ever, if fewer are
  CHECK(examples_of(data::DataLoader(dataset, {.batch_size = 1, .prefetch = 1, .num_workers = 3})).size() == 12);
}

TEST_CASE("the first exception in the order of the batches comes out of the loop, behind those before it") {
  for (const std::int64_t workers : {0, 1, 2, 5}) {
    CAPTURE(workers);
    Meeting dataset(30, 1);
    dataset.bad = 7;  // and 17, and 27
    const data::DataLoader loader(dataset, {.batch_size = 1, .prefetch = 20, .num_workers = workers});
    std::int64_t batches = 0;
    auto place = loader.begin();
    const std::string text = error_of<ValueError>([&] {
      for (; place != loader.end(); ++place) CHECK(place->data.item<float>() == static_cast<float>(batches++));
    });
    CHECK(text == "example 7 is damaged");
    CHECK(batches == 7);
    if (workers > 0) CHECK(error_of<ValueError>([&] { ++place; }) == text);
  }
}

TEST_CASE("a loop that ends early, or never asks, leaves no worker behind") {
  for (int round = 0; round < 20; ++round) {
    Meeting dataset(1000, 1);
    {
      const data::DataLoader loader(dataset, {.batch_size = 1, .prefetch = 4, .num_workers = 3});
      int batches = 0;
      for (auto place = loader.begin(); place != loader.end() && ++batches < round; ++place) {
      }
    }
    const int begun = dataset.begun;
    CHECK(begun <= std::max(round, 1) + 4);
    std::this_thread::yield();
    CHECK(dataset.begun == begun);
  }
}

TEST_CASE("the place of a loop with workers is that of the batches it gave") {
  RandomRows dataset(20);
  Generator generator(5), again(5);
  const data::DataLoaderOptions options{.batch_size = 2, .shuffle = true, .generator = &generator, .num_workers = 3};
  data::DataLoader loader(dataset, options);
  auto place = loader.begin();
  for (int i = 0; i < 3; ++i) ++place;
  const Dict state = loader.state_dict();
  data::DataLoaderOptions other_options = options;
  other_options.generator = &again;
  other_options.num_workers = 0;
  data::DataLoader other(dataset, other_options);
  other.load_state_dict(state);
  const auto left = examples_of(other);
  REQUIRE(left.size() == 6);
  for (const data::Example& batch : left) {
    ++place;
    REQUIRE(place != loader.end());
    CHECK(same_bits(place->data, batch.data));
  }
}

TEST_CASE("a negative number of workers is refused") {
  RandomRows dataset(4);
  CHECK(error_of<ValueError>([&] { data::DataLoader(dataset, {.num_workers = -1}); }) ==
        "DataLoader: expected num_workers >= 0, got -1");
}
