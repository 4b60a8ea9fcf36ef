// SPDX-License-Identifier: MIT
#include <cmath>
#include <memory>

#include "golden/data_golden.h"
#include "nn/nets.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

using Numbers = std::vector<std::int64_t>;

const std::vector<double> kWeights = {0.1, 2.0, 0.0, 0.7, 1.3, 0.25, 3.0, 0.0, 1e-3, 0.6};

void append(Numbers& numbers, const Tensor& tensor) {
  for (const std::int64_t number : tensor.span<std::int64_t>()) numbers.push_back(number);
}

Numbers draw(std::int64_t n, bool replacement, Generator& generator) {
  Numbers drawn(static_cast<std::size_t>(n));
  multinomial(drawn.data(), n, kWeights, replacement, generator);
  return drawn;
}

/// Two epochs of examples 0 to 9 give `order`, and leave the generators where PyTorch leaves them.
void check_epochs(data::Sampler& sampler, Generator* generator, const Numbers& order, const Numbers& left) {
  data::TensorDataset dataset(arange(10));
  for (const std::int64_t prefetch : {0, 2}) {
    CAPTURE(prefetch);
    CAPTURE(sampler.repr());
    manual_seed(7);
    if (generator != nullptr) generator->manual_seed(11);
    const data::DataLoader loader(dataset,
                                  {.batch_size = 4, .sampler = &sampler, .generator = generator, .prefetch = prefetch});
    CHECK(loader.size() == (sampler.size() + 3) / 4);
    Numbers seen, drawn;
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const auto& batch : loader) append(seen, batch.data);
    }
    CHECK(seen == order);
    append(drawn, randint(0, 1000000, {2}));
    append(drawn, randint(0, 1000000, {2}, generator != nullptr ? *generator : default_generator()));
    CHECK(drawn == left);
  }
}

}  // namespace

TEST_CASE("multinomial draws what PyTorch draws") {
  const auto check = [](std::int64_t n, bool replacement, const Numbers& expected, const Numbers& left) {
    Generator generator(21);
    Numbers drawn = draw(n, replacement, generator);
    const Numbers more = draw(n, replacement, generator);
    drawn.insert(drawn.end(), more.begin(), more.end());
    CHECK(drawn == expected);
    Numbers rest;
    append(rest, randint(0, 1000000, {2}, generator));
    CHECK(rest == left);
  };
  check(40, true, golden::kMultinomial, golden::kMultinomialLeft);
  check(8, false, golden::kMultinomialOnce, golden::kMultinomialOnceLeft);
  check(1, true, golden::kMultinomialSingle, golden::kMultinomialSingleLeft);
}

TEST_CASE("multinomial refuses what is no distribution, before it draws") {
  Generator generator(1);
  const Generator before = generator;
  std::int64_t out[4];
  const auto refusal = [&](const std::vector<double>& weights, std::int64_t n, bool replacement) {
    return error_of<ValueError>([&] { multinomial(out, n, weights, replacement, generator); });
  };
  CHECK(refusal({1, -0.5}, 1, true) == "multinomial: expected finite weights >= 0, got -0.500000");
  CHECK(refusal({1, std::nan("")}, 1, true) == "multinomial: expected finite weights >= 0, got nan");
  CHECK(refusal({0, 0}, 1, true) == "multinomial: expected weights with a finite sum above 0, got 0.000000");
  CHECK(refusal({}, 0, true) == "multinomial: expected weights with a finite sum above 0, got 0.000000");
  CHECK(refusal({1e308, 1e308}, 1, true) == "multinomial: expected weights with a finite sum above 0, got inf");
  CHECK(refusal({1}, -1, true) == "multinomial: expected n >= 0, got -1");
  CHECK(refusal({1, 0, 2}, 3, false) ==
        "multinomial: expected without replacement at most 2 draws, the number of weights above 0, got 3");
  CHECK(generator.get_state() == before.get_state());
}

TEST_CASE("samplers give PyTorch's order, with the loader's generator and without one") {
  data::TensorDataset dataset(arange(10));
  Generator own;
  data::RandomSampler replaced(dataset, {.replacement = true, .num_samples = 70});
  data::RandomSampler more(dataset, {.num_samples = 25}), twice(dataset, {.num_samples = 20});
  data::SubsetRandomSampler subset({9, 1, 4, 4, 0});
  data::WeightedRandomSampler weighted(kWeights, 40), once(kWeights, 7, false);
#define CHECK_ORDER(sampler, name)                                        \
  check_epochs(sampler, nullptr, golden::k##name, golden::k##name##Left); \
  check_epochs(sampler, &own, golden::k##name##Own, golden::k##name##OwnLeft)
  CHECK_ORDER(replaced, RandomReplaced);
  CHECK_ORDER(more, RandomMore);
  CHECK_ORDER(twice, RandomTwice);
  CHECK_ORDER(subset, SubsetRandom);
  CHECK_ORDER(weighted, Weighted);
  CHECK_ORDER(once, WeightedOnce);
#undef CHECK_ORDER
}

TEST_CASE("each process gets PyTorch's part of the epoch") {
  for (const golden::DistributedCase& part : golden::kDistributed) {
    data::TensorDataset dataset(arange(part.examples));
    data::DistributedSampler sampler(dataset, {.num_replicas = part.num_replicas,
                                               .rank = part.rank,
                                               .shuffle = part.shuffle,
                                               .seed = 5,
                                               .drop_last = part.drop_last});
    sampler.set_epoch(part.epoch);
    Generator unused;
    CAPTURE(sampler.repr());
    CAPTURE(part.rank);
    CHECK(sampler.sample(unused) == part.order);
    CHECK(sampler.size() == static_cast<std::int64_t>(part.order.size()));
    CHECK(unused.get_state() == Generator().get_state());
  }
}

TEST_CASE("the sequential sampler, and one of random order without examples") {
  data::TensorDataset dataset(arange(3)), none(zeros({0, 2}));
  Generator generator;
  CHECK(data::SequentialSampler(dataset).sample(generator) == Numbers{0, 1, 2});
  CHECK(data::RandomSampler(none).sample(generator).empty());
  CHECK(data::DistributedSampler(none, {}).sample(generator).empty());
  CHECK(error_of<ValueError>([&] { data::RandomSampler(none, {.num_samples = 2}).sample(generator); }) ==
        "RandomSampler: expected examples to draw from, got none");
}

TEST_CASE("samplers are validated") {
  data::TensorDataset dataset(arange(4));
  CHECK(error_of<ValueError>([&] { data::RandomSampler(dataset, {.num_samples = 0}); }) ==
        "RandomSampler: expected num_samples >= 1, got 0");
  CHECK(error_of<ValueError>([] {
          data::WeightedRandomSampler({1, 2}, 0);
        }) == "WeightedRandomSampler: expected num_samples >= 1, got 0");
  CHECK_THROWS_AS(data::WeightedRandomSampler({1, 0}, 2, false), ValueError);
  CHECK(error_of<ValueError>([&] { data::DistributedSampler(dataset, {.num_replicas = 2, .rank = 2}); }) ==
        "DistributedSampler: expected rank in [0, 1], got 2");
  CHECK(error_of<ValueError>([&] { data::DistributedSampler(dataset, {.num_replicas = 0}); }) ==
        "DistributedSampler: expected num_replicas >= 1, got 0");
  data::SequentialSampler sampler(dataset);
  CHECK(error_of<ValueError>([&] { data::DataLoader(dataset, {.shuffle = true, .sampler = &sampler}); }) ==
        "DataLoader: expected a sampler or shuffle, got both");
}

TEST_CASE("an example that the dataset does not have is an error of the loop") {
  data::TensorDataset dataset(arange(4));
  data::SubsetRandomSampler sampler({0, 4});
  for (const std::int64_t prefetch : {0, 2}) {
    const data::DataLoader loader(dataset, {.sampler = &sampler, .prefetch = prefetch});
    CHECK_THROWS_AS(for (const auto& batch : loader) static_cast<void>(batch), IndexError);
  }
}

TEST_CASE("an epoch of a sampler goes on where it stopped, and only of an equal sampler") {
  data::TensorDataset dataset(arange(10));
  data::WeightedRandomSampler sampler(kWeights, 20), other(kWeights, 20, true), longer(kWeights, 21);
  const auto epoch_from = [&](const Dict* state, std::int64_t stop, Numbers& seen, data::Sampler& chosen) {
    data::DataLoader loader(dataset, {.batch_size = 3, .sampler = &chosen});
    if (state != nullptr) loader.load_state_dict(*state);
    for (const auto& batch : loader) {
      append(seen, batch.data);
      if (--stop == 0) break;
    }
    return loader.state_dict();
  };
  manual_seed(3);
  Numbers whole, parts;
  epoch_from(nullptr, -1, whole, sampler);
  manual_seed(3);
  const Dict state = epoch_from(nullptr, 4, parts, sampler);
  manual_seed(99);
  epoch_from(&state, -1, parts, other);
  CHECK(parts == whole);
  CHECK(error_of<StateDictError>([&] {
          epoch_from(&state, -1, parts, longer);
        }).find("num_samples=21, replacement=True)', got 'WeightedRandomSampler(10 of hash ") != std::string::npos);
  data::DataLoader without(dataset, {.batch_size = 3});
  CHECK(error_of<StateDictError>([&] { without.load_state_dict(state); }) ==
        "DataLoader: loaded state dict is not valid: DataLoader: expected no sampler, got one");
}
