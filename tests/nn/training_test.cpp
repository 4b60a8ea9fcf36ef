// SPDX-License-Identifier: MIT
// The training loop as a whole: memory and threads.
#include <doctest/doctest.h>

#include "nn/nets.h"
#include "support/threads_guard.h"
#include "teff/engine/allocator.h"
#include "teff/engine/dict.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"

namespace teff::nn_testing {
namespace {

using testing::ThreadsGuard;

void step(Net& net, optim::SGD& optimizer, const Tensor& images, const Tensor& labels) {
  optimizer.zero_grad();
  cross_entropy(net(images), labels).backward();
  optimizer.step();
}

/// State dict after some steps with a number of threads.
Dict state_after_training(int threads) {
  const ThreadsGuard guard(threads);
  manual_seed(3);
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.01, .momentum = 0.9});
  const Tensor images = randn({48, 3, 32, 32}), labels = randint(0, 10, {48});
  for (int i = 0; i < 3; ++i) step(net, optimizer, images, labels);
  return net.state_dict();
}

}  // namespace

TEST_CASE("training gives the same bits for any number of threads") {
  const Dict expected = state_after_training(1);
  for (const int threads : {2, 3, 4}) {
    CAPTURE(threads);
    CHECK(state_after_training(threads) == expected);
  }
}

TEST_CASE("training in a steady state asks the system for no memory, and holds no more of it") {
  const ThreadsGuard guard(1);
  manual_seed(0);
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.01, .momentum = 0.9});
  const Tensor images = randn({8, 3, 32, 32}), labels = randint(0, 10, {8});
  for (int i = 0; i < 3; ++i) step(net, optimizer, images, labels);
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 5; ++i) step(net, optimizer, images, labels);
  const MemoryStats after = memory_stats();
  CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.bytes_in_use == before.bytes_in_use);
}

}  // namespace teff::nn_testing
