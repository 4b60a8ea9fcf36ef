// SPDX-License-Identifier: MIT
#include "teff/nn/data/data_loader.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/generator_state.h"
#include "teff/engine/random.h"
#include "teff/nn/data/prefetcher.h"
#include "teff/nn/data/sampler.h"
#include "teff/nn/text.h"

namespace teff::data {
namespace {

using State = std::vector<std::uint8_t>;  // of a generator

std::uint64_t draw_seed(Generator& generator) {
  std::int64_t seed = 0;
  random_(&seed, 1, generator);
  return static_cast<std::uint64_t>(seed);
}

}  // namespace

/// Where the loop of one epoch is.
struct DataLoader::Place {
  State start;             // of the generator, before it drew the order
  std::int64_t given = 0;  // batches that the loop has had
  bool ended = false;
};

struct DataLoader::Progress {
  std::shared_ptr<Place> place;  // in the epoch that began last, or was loaded
  bool loaded = false;           // the next epoch goes on from there
};

class DataLoader::Iterator::Epoch {
 public:
  /// Draws base seed and order from `source`.
  Epoch(const DataLoader& loader, std::shared_ptr<Place> place, Generator& source)
      : dataset_(loader.dataset_),
        sampler_(loader.sampler_),
        options_(loader.options_),
        place_(std::move(place)),
        next_(place_->given),
        batches_(loader.size()),
        base_seed_(draw_seed(source)),
        order_(options_.generator != nullptr ? sampler_->sample(source) : sampler_->sample_from_default(source)) {
    if (options_.prefetch == 0 || options_.num_workers == 0) return;
    using Batches = detail::Prefetcher<Example>;
    const bool record = is_grad_enabled();
    const auto make_as_here = [this, record](std::int64_t number) {
      const GradModeGuard mode(record);
      return make(number);
    };
    prefetcher_.emplace(make_as_here, Batches::Plan{next_, batches_, options_.prefetch, options_.num_workers});
  }

  /// Nothing at the end.
  std::optional<Example> next() {
    std::optional<Example> batch;
    if (prefetcher_) {
      batch = prefetcher_->take();
    } else if (next_ < batches_) {
      batch = make(next_++);
    }
    if (batch) {
      ++place_->given;
    } else {
      place_->ended = true;
      if (options_.generator != nullptr) sampler_->finish(*options_.generator);
    }
    return batch;
  }

 private:
  /// A batch by its number: of its own generator, so it does not matter who makes it, or when.
  Example make(std::int64_t number) const {
    const auto size = static_cast<std::size_t>(options_.batch_size), first = static_cast<std::size_t>(number) * size;
    if (first >= order_.size()) throw Error("DataLoader: expected a sampler to give as many examples as its size()");
    const std::span<const std::int64_t> indices(order_.data() + first, std::min(size, order_.size() - first));
    Generator generator(base_seed_ + static_cast<std::uint64_t>(number));
    return dataset_->batch_with(indices, generator);
  }

  std::shared_ptr<Dataset> dataset_;
  std::shared_ptr<Sampler> sampler_;
  DataLoaderOptions options_;
  std::shared_ptr<Place> place_;  // written by the loop's thread alone
  std::int64_t next_;             // batch that the loop's thread makes
  std::int64_t batches_;
  std::uint64_t base_seed_;
  std::vector<std::int64_t> order_;
  std::optional<detail::Prefetcher<Example>> prefetcher_;  // last: its threads use the others
};

DataLoader::DataLoader(std::shared_ptr<Dataset> dataset, const DataLoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options), progress_(std::make_shared<Progress>()) {
  if (dataset_ == nullptr) throw TypeError("DataLoader: expected a dataset, got a null pointer");
  nn::detail::expect_at_least(1, "DataLoader", "batch_size", options.batch_size);
  nn::detail::expect_at_least(0, "DataLoader", "prefetch", options.prefetch);
  nn::detail::expect_at_least(0, "DataLoader", "num_workers", options.num_workers);
  nn::detail::expect(options.sampler == nullptr || !options.shuffle, "DataLoader", "a sampler or shuffle", "both");
  if (options.sampler != nullptr) {
    sampler_ = std::shared_ptr<Sampler>(std::shared_ptr<Sampler>(), options.sampler);
  } else if (options.shuffle) {
    sampler_ = std::make_shared<RandomSampler>(*dataset_);
  } else {
    sampler_ = std::make_shared<SequentialSampler>(*dataset_);
  }
}

DataLoader::DataLoader(Dataset& dataset, const DataLoaderOptions& options)
    : DataLoader(std::shared_ptr<Dataset>(std::shared_ptr<Dataset>(), &dataset), options) {}

std::int64_t DataLoader::size() const {
  const std::int64_t examples = sampler_->size(), batches = examples / options_.batch_size;
  return batches + (!options_.drop_last && examples % options_.batch_size != 0 ? 1 : 0);
}

DataLoader::Iterator DataLoader::begin() const {
  if (progress_->loaded) {
    // The generator itself has drawn this order already.
    Generator source;
    source.set_state(progress_->place->start);
    auto epoch = std::make_unique<Iterator::Epoch>(*this, progress_->place, source);
    progress_->loaded = false;
    return Iterator(std::move(epoch));
  }
  Generator& source = options_.generator != nullptr ? *options_.generator : default_generator();
  progress_->place = std::make_shared<Place>(Place{.start = teff::detail::copy_of(source).get_state()});
  return Iterator(std::make_unique<Iterator::Epoch>(*this, progress_->place, source));
}

/// What must be equal for a place to mean the same.
Dict DataLoader::settings() const {
  Dict settings{{"dataset_size", dataset_->size()},
                {"batch_size", options_.batch_size},
                {"shuffle", options_.shuffle},
                {"drop_last", options_.drop_last},
                {"own_generator", options_.generator != nullptr}};
  if (options_.sampler != nullptr) settings.insert("sampler", sampler_->repr());
  return settings;
}

Dict DataLoader::state_dict() const {
  Dict state = settings();
  const std::shared_ptr<Place>& place = progress_->place;
  const bool inside = place != nullptr && !place->ended;
  state.insert("batches", inside ? place->given : 0);
  state.insert("epoch_start", inside ? Value(tensor(place->start)) : Value());
  state.insert("generator", options_.generator != nullptr
                                ? Value(tensor(teff::detail::copy_of(*options_.generator).get_state()))
                                : Value());
  return state;
}

Commit DataLoader::prepare_load(const Dict& state_dict) {
  try {
    return prepare(state_dict);
  } catch (const Error& error) {
    throw StateDictError(std::string("DataLoader: loaded state dict is not valid: ") + error.what());
  }
}

Commit DataLoader::prepare(const Dict& state_dict) {
  for (const auto& [key, expected] : settings()) {
    if (state_dict.at(key) == expected) continue;
    std::ostringstream text;
    text << "expected " << key << ' ' << expected << ", got " << state_dict.at(key);
    throw ValueError(text.str());
  }
  nn::detail::expect(options_.sampler != nullptr || !state_dict.contains("sampler"), "DataLoader", "no sampler", "one");
  const std::int64_t given = state_dict.at("batches").as_int();
  nn::detail::expect(given >= 0 && given <= size(), "DataLoader", "batches in [0, " + std::to_string(size()) + ']',
                     std::to_string(given));
  std::shared_ptr<Place> place;
  if (const Value& start = state_dict.at("epoch_start"); !start.is_none()) {
    place = std::make_shared<Place>(Place{.start = teff::detail::to_generator(start).get_state(), .given = given});
  }
  std::optional<Generator> generator;
  if (options_.generator != nullptr) generator = teff::detail::to_generator(state_dict.at("generator"));
  return [this, place, generator] {
    progress_->place = place;
    progress_->loaded = place != nullptr;
    if (generator) teff::detail::assign(*options_.generator, *generator);
  };
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
