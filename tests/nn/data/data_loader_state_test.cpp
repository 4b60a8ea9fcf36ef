// SPDX-License-Identifier: MIT
#include <optional>

#include "nn/nets.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t kExamples = 11, kBatchSize = 3, kBatches = 4;

struct Setup {
  bool shuffle = true;
  bool own_generator = false;
  std::int64_t prefetch = 0;
};

/// A program that goes through epochs of a loader and can stop after any batch.
class Program {
 public:
  explicit Program(const Setup& setup)
      : loader(dataset_, {.batch_size = kBatchSize,
                          .shuffle = setup.shuffle,
                          .generator = setup.own_generator ? &generator_ : nullptr,
                          .prefetch = setup.prefetch}) {}

  /// Goes on until `last` batches have been seen in all. A program draws other numbers between the batches.
  void run_to(std::int64_t last) {
    while (batches < last) {
      for (const data::Example& batch : loader) {
        for (const std::int64_t number : batch.data.span<std::int64_t>()) seen.push_back(number);
        seen.push_back(randint(0, 1000, {1}).item<std::int64_t>());
        if (++batches == last) return;
      }
      seen.push_back(-1);  // an epoch ended
    }
  }

  Dict checkpoint() const {
    return {{"loader", loader.state_dict()}, {"generator", tensor(default_generator().get_state())}};
  }

  void resume(const Dict& state, std::int64_t done) {
    default_generator().set_state(state.at("generator").as_tensor().span<std::uint8_t>());
    loader.load_state_dict(state.at("loader").as_dict());
    batches = done;
  }

 private:
  data::TensorDataset dataset_{arange(kExamples)};
  Generator generator_{5};

 public:
  data::DataLoader loader;
  Numbers seen;
  std::int64_t batches = 0;
};

std::string refusal(data::DataLoader& loader, const Dict& state) {
  const Dict before = loader.state_dict();
  const std::string text = error_of<StateDictError>([&] { loader.load_state_dict(state); });
  CHECK(loader.state_dict() == before);
  const std::string prefix = "DataLoader: loaded state dict is not valid: ";
  REQUIRE(text.starts_with(prefix));
  return text.substr(prefix.size());
}

}  // namespace

TEST_CASE("an epoch goes on where it stopped, after any batch, with and without prefetching") {
  for (const bool shuffle : {false, true}) {
    for (const bool own_generator : {false, true}) {
      for (const std::int64_t prefetch : {0, 2}) {
        const Setup setup{shuffle, own_generator, prefetch};
        manual_seed(3);
        Program whole(setup);
        whole.run_to(3 * kBatches);
        for (std::int64_t stop = 1; stop <= 2 * kBatches + 1; ++stop) {
          CAPTURE(shuffle);
          CAPTURE(own_generator);
          CAPTURE(prefetch);
          CAPTURE(stop);
          manual_seed(3);
          Program first(setup);
          first.run_to(stop);
          const Dict state = first.checkpoint();
          manual_seed(99);
          Program second(setup);
          second.resume(state, stop);
          CHECK(second.loader.state_dict() == state.at("loader").as_dict());
          second.run_to(3 * kBatches);
          Numbers all = first.seen;
          all.insert(all.end(), second.seen.begin(), second.seen.end());
          CHECK(all == whole.seen);
        }
      }
    }
  }
}

TEST_CASE("between two epochs there is no place to go on from") {
  manual_seed(1);
  Program program({});
  const Dict fresh = program.loader.state_dict();
  CHECK(fresh.at("epoch_start").is_none());
  for (const data::Example& batch : program.loader) CHECK(batch.data.defined());
  CHECK(program.loader.state_dict() == fresh);
  program.loader.load_state_dict(fresh);
  int batches = 0;
  for (const data::Example& batch : program.loader) batches += batch.data.defined() ? 1 : 0;
  CHECK(batches == kBatches);
}

TEST_CASE("only the next loop goes on; the one after it is an epoch of its own") {
  manual_seed(1);
  Program program({});
  program.run_to(3);
  program.loader.load_state_dict(program.loader.state_dict());
  Numbers counts;
  for (int epoch = 0; epoch < 2; ++epoch) {
    counts.push_back(0);
    for (const data::Example& batch : program.loader) counts.back() += batch.data.numel();
  }
  CHECK(counts == Numbers{2, kExamples});
}

TEST_CASE("a running loop is not disturbed by loading") {
  manual_seed(1);
  Program program({});
  auto batch = program.loader.begin();
  const Dict state = program.loader.state_dict();
  ++batch;
  program.loader.load_state_dict(state);
  ++batch;
  CHECK(program.loader.state_dict() == state);
  auto again = program.loader.begin();
  CHECK(same_bits(again->data, batch->data) == false);
  ++again;
  CHECK(same_bits(again->data, batch->data));
}

TEST_CASE("a place in other data, or in another order, is refused") {
  manual_seed(1);
  Program program({}), other({.own_generator = true});
  program.run_to(2);
  const Dict state = program.loader.state_dict();
  const auto changed = [&](const char* key, const Value& value) {
    Dict copy = state;
    copy[key] = value;
    return refusal(program.loader, copy);
  };
  CHECK(changed("dataset_size", 12) == "expected dataset_size 11, got 12");
  CHECK(changed("batch_size", 4) == "expected batch_size 3, got 4");
  CHECK(changed("shuffle", false) == "expected shuffle True, got False");
  CHECK(changed("drop_last", true) == "expected drop_last False, got True");
  CHECK(changed("batches", 5) == "DataLoader: expected batches in [0, 4], got 5");
  CHECK(changed("batches", -1) == "DataLoader: expected batches in [0, 4], got -1");
  CHECK(refusal(other.loader, state) == "expected own_generator True, got False");
  const Tensor no_state = tensor(std::vector<std::uint8_t>(Generator::kStateBytes));
  for (const Value& bad : {Value(3), Value(zeros({3})), Value(Tensor()), Value(no_state)}) {
    CHECK_FALSE(changed("epoch_start", bad).empty());
    Dict copy = other.loader.state_dict();
    copy["generator"] = bad;
    CHECK_FALSE(refusal(other.loader, copy).empty());
  }
  Dict incomplete = state;
  incomplete.erase("batches");
  CHECK(refusal(program.loader, incomplete).find("\"batches\"") != std::string::npos);
}
