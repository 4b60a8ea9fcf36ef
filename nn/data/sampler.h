// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "teff/nn/data/dataset.h"

namespace TEFF_EXPORT teff {
class Generator;
}

namespace TEFF_EXPORT teff {
namespace data {

/// Which examples an epoch has, and in which order: PyTorch's samplers, with its order from the same seed. A sampler
/// has no generator of its own: it draws from that of its DataLoader, or from default_generator().
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// Number of examples of an epoch.
  virtual std::int64_t size() const = 0;
  /// The numbers of the examples of one epoch, size() of them.
  virtual std::vector<std::int64_t> sample(Generator& generator) = 0;
  /// The same where the loader has no generator of its own; `generator` is then default_generator(), or a copy.
  virtual std::vector<std::int64_t> sample_from_default(Generator& generator) { return sample(generator); }
  /// Called with the loader's own generator when an epoch has been gone through.
  virtual void finish(Generator& generator) { static_cast<void>(generator); }
  /// What it is, with all that makes its order: a DataLoader takes no place in an epoch of a sampler that prints
  /// otherwise.
  virtual std::string repr() const = 0;
};

/// 0, 1, ... : what a DataLoader uses by itself. Refers to the dataset, as do those below.
class SequentialSampler : public Sampler {
 public:
  explicit SequentialSampler(const Dataset& dataset) : dataset_(&dataset) {}
  std::int64_t size() const override { return dataset_->size(); }
  std::vector<std::int64_t> sample(Generator& generator) override;
  std::string repr() const override { return "SequentialSampler()"; }

 private:
  const Dataset* dataset_;
};

struct RandomSamplerOptions {
  bool replacement = false;  // each example is drawn from all of them
  /// Default: as many as the dataset has. Without replacement more of them are one permutation after the other.
  std::optional<std::int64_t> num_samples = {};
};

/// A random order, another one in each epoch: what a DataLoader with `shuffle` uses.
class RandomSampler : public Sampler {
 public:
  /// @throws ValueError for num_samples below 1.
  explicit RandomSampler(const Dataset& dataset, const RandomSamplerOptions& options = {});
  std::int64_t size() const override { return options_.num_samples.value_or(dataset_->size()); }
  /// @throws ValueError if there are samples to be drawn from no examples.
  std::vector<std::int64_t> sample(Generator& generator) override;
  /// Draws a seed, and the order from a generator of that seed.
  std::vector<std::int64_t> sample_from_default(Generator& generator) override;
  void finish(Generator& generator) override;
  std::string repr() const override;

 private:
  const Dataset* dataset_;
  RandomSamplerOptions options_;
};

/// The given examples in random order.
class SubsetRandomSampler : public Sampler {
 public:
  explicit SubsetRandomSampler(std::vector<std::int64_t> indices) : indices_(std::move(indices)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  std::vector<std::int64_t> sample(Generator& generator) override;
  std::string repr() const override;

 private:
  std::vector<std::int64_t> indices_;
};

/// Examples drawn with probability proportional to their weights: teff::multinomial.
class WeightedRandomSampler : public Sampler {
 public:
  /// @throws ValueError for num_samples below 1, or more than there are positive weights if there is no replacement;
  /// for weights that are negative, not finite, or all 0.
  WeightedRandomSampler(std::vector<double> weights, Integer num_samples, bool replacement = true);
  std::int64_t size() const override { return num_samples_; }
  std::vector<std::int64_t> sample(Generator& generator) override;
  std::string repr() const override;

 private:
  std::vector<double> weights_;
  std::int64_t num_samples_;
  bool replacement_;
};

struct DistributedSamplerOptions {
  std::int64_t num_replicas = 1;  // processes that train together
  std::int64_t rank = 0;          // of this one, in [0, num_replicas)
  bool shuffle = true;
  std::uint64_t seed = 0;  // the same in all processes
  bool drop_last = false;  // leaves out a few examples where otherwise a few are taken twice, so that all
                           // processes have equally many
};

/// The part of each epoch that one of several processes trains on: every num_replicas-th example of an order that
/// depends on the seed and the epoch alone.
///
///   data::DistributedSampler sampler(dataset, {.num_replicas = 4, .rank = rank});
///   data::DataLoader loader(dataset, {.batch_size = 32, .sampler = &sampler});
///   for (std::int64_t epoch = 0; epoch < 10; ++epoch) {
///     sampler.set_epoch(epoch);
///     for (auto [images, labels] : loader) ...
///   }
class DistributedSampler : public Sampler {
 public:
  /// @throws ValueError unless 0 <= rank < num_replicas.
  explicit DistributedSampler(const Dataset& dataset, const DistributedSamplerOptions& options);
  std::int64_t size() const override;
  std::vector<std::int64_t> sample(Generator& generator) override;
  /// Without the rank, as all processes go on from the checkpoint of one.
  std::string repr() const override;

  /// Chooses the order of the next epoch; without it all are in the same one.
  void set_epoch(std::int64_t epoch) { epoch_ = epoch; }

 private:
  const Dataset* dataset_;
  DistributedSamplerOptions options_;
  std::int64_t epoch_ = 0;
};

}  // namespace data
}  // namespace teff
