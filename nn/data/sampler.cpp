// SPDX-License-Identifier: MIT
#include "teff/nn/data/sampler.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "teff/engine/random.h"
#include "teff/nn/fnv.h"
#include "teff/nn/text.h"

namespace teff::data {
namespace {

using Indices = std::vector<std::int64_t>;
using nn::detail::expect;
using nn::detail::expect_at_least;
using nn::detail::python_bool;

/// Places for so many indices.
Indices places(std::int64_t count) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  expect(count >= 0 && count <= kMost, "Sampler", "a number of examples from 0 to 2^48", std::to_string(count));
  return Indices(static_cast<std::size_t>(count));
}

Indices in_order(std::int64_t count) {
  Indices indices = places(count);
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

Indices permutation(std::int64_t count, Generator& generator) {
  Indices indices = places(count);
  randperm(indices.data(), count, generator);
  return indices;
}

/// Of the values' bits: the values themselves may be too many to be kept with each checkpoint.
template <class T>
std::string fingerprint(const std::vector<T>& values) {
  nn::detail::Fnv1a hash;
  for (const T value : values) hash.add_word(std::bit_cast<std::uint64_t>(value));
  return std::to_string(values.size()) + " of hash " + std::to_string(hash.value());
}

}  // namespace

Indices SequentialSampler::sample(Generator&) { return in_order(dataset_->size()); }

RandomSampler::RandomSampler(const Dataset& dataset, const RandomSamplerOptions& options)
    : dataset_(&dataset), options_(options) {
  if (options.num_samples) expect_at_least(1, "RandomSampler", "num_samples", *options.num_samples);
}

Indices RandomSampler::sample(Generator& generator) {
  const std::int64_t examples = dataset_->size(), count = size();
  if (count == 0) return {};
  expect(examples > 0, "RandomSampler", "examples to draw from", "none");
  if (options_.replacement) {
    Indices drawn = places(count);
    random_(drawn.data(), count, 0, examples, generator);
    return drawn;
  }
  Indices all;
  for (std::int64_t left = count; left > 0; left -= examples) {
    const Indices order = permutation(examples, generator);
    all.insert(all.end(), order.begin(), order.begin() + std::min(left, examples));
  }
  return all;
}

Indices RandomSampler::sample_from_default(Generator& generator) {
  std::int64_t seed = 0;
  random_(&seed, 1, generator);
  Generator seeded(static_cast<std::uint64_t>(seed));
  return sample(seeded);
}

/// After the last whole permutation PyTorch draws one more, of which it uses nothing.
void RandomSampler::finish(Generator& generator) {
  const std::int64_t examples = dataset_->size();
  if (!options_.replacement && examples > 0 && size() % examples == 0) permutation(examples, generator);
}

std::string RandomSampler::repr() const {
  return "RandomSampler(replacement=" + python_bool(options_.replacement) +
         ", num_samples=" + (options_.num_samples ? std::to_string(*options_.num_samples) : "None") + ")";
}

Indices SubsetRandomSampler::sample(Generator& generator) {
  Indices order = permutation(size(), generator);
  for (std::int64_t& index : order) index = indices_[static_cast<std::size_t>(index)];
  return order;
}

std::string SubsetRandomSampler::repr() const { return "SubsetRandomSampler(" + fingerprint(indices_) + ")"; }

WeightedRandomSampler::WeightedRandomSampler(std::vector<double> weights, Integer num_samples, bool replacement)
    : weights_(std::move(weights)), num_samples_(num_samples), replacement_(replacement) {
  expect_at_least(1, "WeightedRandomSampler", "num_samples", num_samples);
  check_multinomial(weights_, num_samples, replacement);
}

Indices WeightedRandomSampler::sample(Generator& generator) {
  Indices drawn = places(num_samples_);
  multinomial(drawn.data(), num_samples_, weights_, replacement_, generator);
  return drawn;
}

std::string WeightedRandomSampler::repr() const {
  return "WeightedRandomSampler(" + fingerprint(weights_) + ", num_samples=" + std::to_string(num_samples_) +
         ", replacement=" + python_bool(replacement_) + ")";
}

DistributedSampler::DistributedSampler(const Dataset& dataset, const DistributedSamplerOptions& options)
    : dataset_(&dataset), options_(options) {
  expect_at_least(1, "DistributedSampler", "num_replicas", options.num_replicas);
  expect(options.rank >= 0 && options.rank < options.num_replicas, "DistributedSampler",
         "rank in [0, " + std::to_string(options.num_replicas - 1) + "]", std::to_string(options.rank));
}

std::int64_t DistributedSampler::size() const {
  const std::int64_t examples = dataset_->size(), replicas = options_.num_replicas;
  return examples / replicas + (!options_.drop_last && examples % replicas != 0 ? 1 : 0);
}

Indices DistributedSampler::sample(Generator&) {
  const std::int64_t examples = dataset_->size();
  Generator generator(options_.seed + static_cast<std::uint64_t>(epoch_));
  const Indices order = options_.shuffle ? permutation(examples, generator) : in_order(examples);
  Indices own = places(size());
  std::int64_t place = options_.rank;
  for (std::int64_t& index : own) {
    index = order[static_cast<std::size_t>(place % examples)];  // from the end on again from the beginning
    place += options_.num_replicas;
  }
  return own;
}

std::string DistributedSampler::repr() const {
  return "DistributedSampler(num_replicas=" + std::to_string(options_.num_replicas) +
         ", shuffle=" + python_bool(options_.shuffle) + ", seed=" + std::to_string(options_.seed) +
         ", drop_last=" + python_bool(options_.drop_last) + ")";
}

}  // namespace teff::data
