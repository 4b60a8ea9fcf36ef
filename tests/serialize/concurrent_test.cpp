// SPDX-License-Identifier: MIT
#include <thread>
#include <vector>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 5;

/// Calls task(thread) in several threads at once.
template <class Task>
void at_once(const Task& task) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(task, thread);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("threads load one file and save files of their own at once") {
  const TempFolder folder;
  const std::string shared = folder / "shared.teff";
  const Dict dict = {{"weight", arange(100000).to(DType::float32)}, {"epoch", 3}, {"list", List{ones({3}), "text"}}};
  save(dict, shared, {.durable = false});

  std::vector<int> equal(kThreads);
  at_once([&](int thread) {
    const std::string own = folder / std::to_string(thread) + ".pt";
    for (int round = 0; round < kRounds; ++round) {
      const Dict loaded = load(shared);
      save(loaded, own, {.durable = false});
      equal[static_cast<std::size_t>(thread)] += same(loaded, dict) && same(load(own), dict);
    }
  });
  CHECK(equal == std::vector<int>(kThreads, kRounds));
}

TEST_CASE("threads load and run a model of one file at once") {
  const TempFile path;
  TinyNet net;
  const Tensor input = arange(2).to(DType::float32).view({1, 2});
  save_model(net, input, path, {.durable = false});
  const Value expected = Value(net(input).detach());

  std::vector<int> equal(kThreads);
  at_once([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      nn::GraphModule loaded = load_model(path);
      const NoGradGuard no_grad;
      equal[static_cast<std::size_t>(thread)] += Value(loaded(input)) == expected;
    }
  });
  CHECK(equal == std::vector<int>(kThreads, kRounds));
}
