// SPDX-License-Identifier: MIT
#include "teff/nn/data/data_loader.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/random.h"
#include "teff/nn/data/prefetcher.h"
#include "teff/nn/text.h"

namespace teff::data {
namespace {

std::uint64_t draw_seed(Generator& generator) {
  std::int64_t seed = 0;
  random_(&seed, 1, generator);
  return static_cast<std::uint64_t>(seed);
}

}  // namespace

class DataLoader::Iterator::Epoch {
 public:
  Epoch(std::shared_ptr<Dataset> dataset, const DataLoaderOptions& options, std::int64_t batches)
      : dataset_(std::move(dataset)), options_(options), left_(batches), order_(draw_order()) {
    if (options_.prefetch == 0) return;
    const bool record = is_grad_enabled();
    prefetcher_.emplace(
        [this, record] {
          const GradModeGuard mode(record);
          return make();
        },
        static_cast<std::size_t>(options_.prefetch));
  }

  /// Nothing at the end.
  std::optional<Example> next() {
    std::optional<Example> batch = prefetcher_ ? prefetcher_->take() : make();
    if (!batch) finish();
    return batch;
  }

 private:
  /// As PyTorch does: a seed for workers, which nobody uses here, then the order: from a generator that is seeded by
  /// the default one, or from the user's generator itself.
  std::vector<std::int64_t> draw_order() {
    Generator& source = options_.generator != nullptr ? *options_.generator : default_generator();
    draw_seed(source);
    std::vector<std::int64_t> order(static_cast<std::size_t>(dataset_->size()));
    if (!options_.shuffle) {
      std::iota(order.begin(), order.end(), std::int64_t{0});
    } else if (options_.generator != nullptr) {
      draw_permutation(order, source);
    } else {
      Generator generator(draw_seed(source));
      draw_permutation(order, generator);
    }
    return order;
  }

  static void draw_permutation(std::vector<std::int64_t>& order, Generator& generator) {
    randperm(order.data(), static_cast<std::int64_t>(order.size()), generator);
  }

  std::optional<Example> make() {
    if (left_ == 0) return std::nullopt;
    --left_;
    const std::size_t count = std::min(static_cast<std::size_t>(options_.batch_size), order_.size() - next_);
    const std::span<const std::int64_t> indices(order_.data() + next_, count);
    next_ += count;
    return dataset_->batch(indices);
  }

  /// At its end PyTorch's sampler draws a second permutation, of which it uses nothing.
  void finish() {
    if (!options_.shuffle || options_.generator == nullptr) return;
    std::vector<std::int64_t> unused(order_.size());
    draw_permutation(unused, *options_.generator);
  }

  std::shared_ptr<Dataset> dataset_;
  DataLoaderOptions options_;
  std::int64_t left_;  // batches
  std::vector<std::int64_t> order_;
  std::size_t next_ = 0;
  std::optional<detail::Prefetcher<Example>> prefetcher_;  // last: its thread uses the others
};

DataLoader::DataLoader(std::shared_ptr<Dataset> dataset, const DataLoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options) {
  if (dataset_ == nullptr) throw TypeError("DataLoader: expected a dataset, got a null pointer");
  nn::detail::expect_at_least(1, "DataLoader", "batch_size", options.batch_size);
  nn::detail::expect_at_least(0, "DataLoader", "prefetch", options.prefetch);
}

DataLoader::DataLoader(Dataset& dataset, const DataLoaderOptions& options)
    : DataLoader(std::shared_ptr<Dataset>(std::shared_ptr<Dataset>(), &dataset), options) {}

std::int64_t DataLoader::size() const {
  const std::int64_t examples = dataset_->size(), batches = examples / options_.batch_size;
  return batches + (!options_.drop_last && examples % options_.batch_size != 0 ? 1 : 0);
}

DataLoader::Iterator DataLoader::begin() const {
  return Iterator(std::make_unique<Iterator::Epoch>(dataset_, options_, size()));
}

DataLoader::Iterator::Iterator(std::unique_ptr<Epoch> epoch) : epoch_(std::move(epoch)) { ++*this; }
DataLoader::Iterator::Iterator(Iterator&&) noexcept = default;
DataLoader::Iterator& DataLoader::Iterator::operator=(Iterator&&) noexcept = default;
DataLoader::Iterator::~Iterator() = default;

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  batch_ = {};
  std::optional<Example> batch = epoch_->next();
  if (batch) {
    batch_ = std::move(*batch);
  } else {
    epoch_.reset();
  }
  return *this;
}

}  // namespace teff::data
