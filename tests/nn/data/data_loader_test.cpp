// SPDX-License-Identifier: MIT
#include "nn/nets.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "golden/nn_golden.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers numbers_of(const Tensor& tensor) {
  const auto span = tensor.span<std::int64_t>();
  return {span.begin(), span.end()};
}

Numbers epochs(const data::DataLoader& loader, int count) {
  Numbers all;
  for (int epoch = 0; epoch < count; ++epoch) {
    for (const auto& [batch, none] : loader) {
      for (const std::int64_t number : batch.span<std::int64_t>()) all.push_back(number);
    }
  }
  return all;
}

/// Without batch(): each example is made alone, and one may fail.
class Squares : public data::Dataset {
 public:
  explicit Squares(std::int64_t bad = -1) : bad_(bad) {}
  std::int64_t size() const override { return 10; }
  data::Example get(std::int64_t index) override {
    ++calls;
    if (index == bad_) throw IndexError("Squares: example " + std::to_string(index) + " is damaged");
    return {full({2}, static_cast<double>(index)), scalar_tensor<std::int64_t>(index * index)};
  }
  std::atomic<int> calls = 0;

 private:
  std::int64_t bad_;
};

}  // namespace

TEST_CASE("the order, and what is left in the generators, are PyTorch's") {
  data::TensorDataset dataset(arange(10));
  for (const std::int64_t prefetch : {0, 1, 3}) {
    CAPTURE(prefetch);
    const auto check = [&](const data::DataLoaderOptions& options, const Numbers& order, Numbers left) {
      manual_seed(7);
      CHECK(epochs(data::DataLoader(dataset, options), 2) == order);
      Numbers drawn = numbers_of(randint(0, 1000000, {2}));
      if (options.generator != nullptr) {
        for (const std::int64_t number : numbers_of(randint(0, 1000000, {2}, *options.generator))) {
          drawn.push_back(number);
        }
      }
      CHECK(drawn == left);
    };
    check({.batch_size = 3, .prefetch = prefetch}, golden::kOrdered, golden::kOrderedLeft);
    check({.batch_size = 3, .shuffle = true, .prefetch = prefetch}, golden::kShuffled, golden::kShuffledLeft);
    check({.batch_size = 4, .shuffle = true, .drop_last = true, .prefetch = prefetch}, golden::kDropped,
          golden::kDroppedLeft);
    Generator generator(11);
    check({.batch_size = 5, .shuffle = true, .generator = &generator, .prefetch = prefetch}, golden::kWithGenerator,
          golden::kWithGeneratorLeft);
  }
}

TEST_CASE("batches are rows of data and target") {
  const Tensor images = randn({5, 2, 3}), labels = tensor<std::int64_t>({9, 8, 7, 6, 5});
  data::DataLoader loader(std::make_shared<data::TensorDataset>(images, labels), {.batch_size = 2});
  CHECK(loader.size() == 3);
  std::int64_t row = 0;
  for (auto [data, target] : loader) {
    const std::int64_t count = std::min<std::int64_t>(2, 5 - row);
    CHECK(same_bits(data, images.slice(0, row, row + count)));
    CHECK(same_bits(target, labels.slice(0, row, row + count)));
    CHECK_FALSE(data.shares_memory_with(images));
    row += count;
  }
  CHECK(row == 5);
}

TEST_CASE("drop_last leaves out the small batch") {
  data::TensorDataset dataset(arange(10));
  CHECK(data::DataLoader(dataset, {.batch_size = 3}).size() == 4);
  CHECK(data::DataLoader(dataset, {.batch_size = 3, .drop_last = true}).size() == 3);
  CHECK(epochs(data::DataLoader(dataset, {.batch_size = 3, .drop_last = true}), 1).size() == 9);
  CHECK(data::DataLoader(dataset, {.batch_size = 5, .drop_last = true}).size() == 2);
  CHECK(epochs(data::DataLoader(dataset, {.batch_size = 11, .drop_last = true}), 1).empty());
}

TEST_CASE("examples of a dataset without batch are stacked") {
  Squares dataset;
  for (auto [data, target] : data::DataLoader(dataset, {.batch_size = 10})) {
    CHECK(data.shape() == Shape{10, 2});
    CHECK(numbers_of(target) == Numbers{0, 1, 4, 9, 16, 25, 36, 49, 64, 81});
  }
}

TEST_CASE("an exception of the dataset comes out of the loop, after the batches before it") {
  for (const std::int64_t prefetch : {0, 2}) {
    Squares dataset(5);
    int batches = 0;
    const std::string text = error_of<IndexError>([&] {
      for (const auto& batch : data::DataLoader(dataset, {.batch_size = 2, .prefetch = prefetch})) {
        CHECK(batch.data.defined());
        ++batches;
      }
    });
    CHECK(text == "Squares: example 5 is damaged");
    CHECK(batches == 2);
  }
}

TEST_CASE("a loop that ends early leaves nothing running") {
  Squares dataset;
  for (const auto& batch : data::DataLoader(dataset, {.batch_size = 1, .prefetch = 2})) {
    CHECK(batch.data.defined());
    break;
  }
  const int calls = dataset.calls;
  CHECK(calls <= 4);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(dataset.calls == calls);
}

TEST_CASE("prefetching makes no more batches than asked for") {
  Squares dataset;
  const data::DataLoader loader(dataset, {.batch_size = 1, .prefetch = 3});
  auto batch = loader.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(dataset.calls <= 5);
}

TEST_CASE("loaders and datasets are validated") {
  data::TensorDataset dataset(arange(4));
  CHECK(error_of<ValueError>([&] { data::DataLoader(dataset, {.batch_size = 0}); }) ==
        "DataLoader: expected batch_size >= 1, got 0");
  CHECK(error_of<ValueError>([&] { data::DataLoader(dataset, {.prefetch = -1}); }) ==
        "DataLoader: expected prefetch >= 0, got -1");
  CHECK(error_of<ShapeError>([] {
          data::TensorDataset(ones({3, 2}), ones({4}));
        }) == "TensorDataset: expected data [N, ...] and target [N, ...], got [3, 2] and [4]");
  CHECK_THROWS_AS(dataset.get(4), IndexError);
  CHECK_THROWS_AS(dataset.batch(std::vector<std::int64_t>{0, 4}), IndexError);
}
