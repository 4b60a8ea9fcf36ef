// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>

#include "teff/engine/dict.h"
#include "teff/nn/data/dataset.h"
#include "teff/nn/load_report.h"

namespace TEFF_EXPORT teff {
class Generator;
}

namespace TEFF_EXPORT teff {
namespace data {

class Sampler;

struct DataLoaderOptions {
  std::int64_t batch_size = 1;
  /// A new random order for each epoch.
  bool shuffle = false;
  /// What chooses the examples instead, and their order; it must live as long as the loader.
  Sampler* sampler = nullptr;
  /// Leaves out the last batch if it is smaller than the others.
  bool drop_last = false;
  /// Where random numbers come from; default_generator() if null. It must live as long as the loader.
  Generator* generator = nullptr;
  /// Batches that a thread in the background makes in advance; 0: each is made when it is asked for. They are the same
  /// batches: see Dataset::batch_with.
  std::int64_t prefetch = 2;
  /// Threads in the background, each of which makes whole batches; 0: as prefetch 0. With more than one
  /// Dataset::batch_with is called by several at once, and at least as many batches as threads are made in advance. The
  /// batches, and their order, are the same for any number.
  std::int64_t num_workers = 1;
};

/// Goes through a dataset in batches; each range-for is an epoch:
///
///   data::DataLoader loader(dataset, {.batch_size = 32, .shuffle = true});
///   for (auto [images, labels] : loader) ...
///
/// The order is that of PyTorch's DataLoader after the same manual_seed, and as many random numbers are drawn. One of
/// them is the epoch's base seed: for batch number k Dataset::batch_with gets a generator seeded with base seed + k, as
/// PyTorch's worker number k has it. What dataset or sampler throws comes out of the loop, in the place of its batch. A
/// loop that ends early waits for the batches that are being made, and leaves nothing running.
///
/// A loader knows its place in the epoch that began last, which state_dict() writes down; copies share it. Loops of one
/// loader, and of its copies, begin in one thread at a time.
class DataLoader {
 public:
  class Iterator;

  /// @throws ValueError for a batch size below 1, a negative prefetch or num_workers, or both a sampler and shuffle;
  /// TypeError for a null dataset.
  explicit DataLoader(std::shared_ptr<Dataset> dataset, const DataLoaderOptions& options = {});
  /// Refers to the dataset, which must live as long as the loader and its loops.
  explicit DataLoader(Dataset& dataset, const DataLoaderOptions& options = {});

  /// Number of batches.
  std::int64_t size() const;

  /// Starts an epoch, or goes on with the one that load_state_dict() has brought.
  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }

  /// The place: how many batches of the epoch its loop has been given, the one it holds included, and the generator as
  /// it was before the epoch's order was drawn. What a prefetching thread has made beyond that does not count. The
  /// state of the user's generator, if there is one, is part of it; that of default_generator() is not.
  Dict state_dict() const;
  /// Takes over a place, all or nothing: the next loop goes on with the batch after it, in the same order, with the
  /// same random numbers for Dataset::batch_with. Exact if the generators are what they were then, and the epoch of a
  /// DistributedSampler too.
  /// @throws StateDictError unless the dict is that of a loader of equal batch_size, shuffle and drop_last, with or
  /// without a generator as this one, with an equal sampler or none, for a dataset of this size.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 private:
  struct Place;
  struct Progress;

  Dict settings() const;
  Commit prepare(const Dict& state_dict);

  std::shared_ptr<Dataset> dataset_;
  DataLoaderOptions options_;
  std::shared_ptr<Sampler> sampler_;
  std::shared_ptr<Progress> progress_;
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

}  // namespace data
}  // namespace teff
