// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>

#include "teff/nn/data/dataset.h"

namespace teff {
class Generator;
}

namespace teff::data {

struct DataLoaderOptions {
  std::int64_t batch_size = 1;
  /// A new random order for each epoch.
  bool shuffle = false;
  /// Leaves out the last batch if it is smaller than the others.
  bool drop_last = false;
  /// Where random numbers come from; default_generator() if null. It must live as long as the loader.
  Generator* generator = nullptr;
  /// Batches that a thread in the background makes in advance; 0: each is made when it is asked for. A dataset that
  /// draws random numbers itself needs 0, or a generator of its own, to give the same numbers on every run.
  std::int64_t prefetch = 2;
};

/// Goes through a dataset in batches; each range-for is an epoch:
///
///   data::DataLoader loader(dataset, {.batch_size = 32, .shuffle = true});
///   for (auto [images, labels] : loader) ...
///
/// The order is that of PyTorch's DataLoader after the same manual_seed, and as many random numbers are drawn. An
/// exception of the dataset comes out of the loop. A loop that ends early leaves nothing running.
class DataLoader {
 public:
  class Iterator;

  /// @throws ValueError for a batch size below 1 or a negative prefetch; TypeError for a null dataset.
  explicit DataLoader(std::shared_ptr<Dataset> dataset, const DataLoaderOptions& options = {});
  /// Refers to the dataset, which must live as long as the loader and its loops.
  explicit DataLoader(Dataset& dataset, const DataLoaderOptions& options = {});

  /// Number of batches.
  std::int64_t size() const;

  /// Starts an epoch.
  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  std::shared_ptr<Dataset> dataset_;
  DataLoaderOptions options_;
};

/// The place in an epoch. Can be moved, not copied: two could not share the thread in the background.
class DataLoader::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Example;

  Iterator(Iterator&&) noexcept;
  Iterator& operator=(Iterator&&) noexcept;
  ~Iterator();

  const Example& operator*() const { return batch_; }
  const Example* operator->() const { return &batch_; }
  /// @throws what the dataset throws.
  Iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return iterator.epoch_ == nullptr; }

 private:
  friend class DataLoader;
  class Epoch;
  explicit Iterator(std::unique_ptr<Epoch> epoch);

  std::unique_ptr<Epoch> epoch_;  // null at the end
  Example batch_;
};

}  // namespace teff::data
