// SPDX-License-Identifier: MIT
#include "teff/engine/allocator.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "teff/engine/ops.h"
#include "teff/engine/optim_steps.h"
#include "teff/engine/parallel.h"
#include "teff/engine/random.h"

using namespace teff;

TEST_SUITE("allocator") {
  TEST_CASE("blocks are aligned, apart from each other, and all of them can be written") {
    std::vector<std::pair<char*, std::size_t>> blocks;
    for (const std::size_t bytes : {0, 1, 63, 64, 65, 1000, 4096, 100000, 5000000}) {
      auto* block = static_cast<char*>(allocate(bytes));
      CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
      std::memset(block, static_cast<int>(blocks.size()), bytes);
      blocks.emplace_back(block, bytes);
    }
    char mark = 0;
    for (const auto& [block, bytes] : blocks) {
      if (bytes > 0) {
        CHECK(block[0] == mark);
        CHECK(block[bytes - 1] == mark);
      }
      ++mark;
    }
    for (const auto& [block, bytes] : blocks) deallocate(block, bytes);
  }

  TEST_CASE("every size between two size classes is large enough") {
    for (std::size_t bytes = 1; bytes < 20000; bytes += 61) {
      void* block = allocate(bytes);
      std::memset(block, 1, bytes);
      deallocate(block, bytes);
    }
  }

  TEST_CASE("a block that was given back is used again") {
    void* first = allocate(12345);
    deallocate(first, 12345);
    void* second = allocate(12345);
    CHECK(second == first);
    deallocate(second, 12345);
  }

  TEST_CASE("a null pointer is ignored") { deallocate(nullptr, 100); }

  TEST_CASE("what no machine has is bad_alloc") {
    CHECK_THROWS_AS(allocate(std::size_t{1} << 60), std::bad_alloc);
    CHECK_THROWS_AS(allocate(static_cast<std::size_t>(-1)), std::bad_alloc);
  }

  TEST_CASE("the statistics follow what is in use, kept and asked for") {
    empty_cache();
    reset_peak_memory_stats();
    const MemoryStats before = memory_stats();
    CHECK(before.bytes_cached == 0);
    void* block = allocate(1 << 20);
    const MemoryStats during = memory_stats();
    CHECK(during.bytes_in_use == before.bytes_in_use + (1 << 20));
    CHECK(during.peak_bytes_in_use == during.bytes_in_use);
    CHECK(during.system_allocations == before.system_allocations + 1);
    deallocate(block, 1 << 20);
    const MemoryStats after = memory_stats();
    CHECK(after.bytes_in_use == before.bytes_in_use);
    CHECK(after.bytes_cached == 1 << 20);
    CHECK(after.peak_bytes_in_use == during.peak_bytes_in_use);
    reset_peak_memory_stats();
    CHECK(memory_stats().peak_bytes_in_use == before.bytes_in_use);
    empty_cache();
    CHECK(memory_stats().bytes_cached == 0);
  }

  // With several threads the most scratch memory is in use when by chance all work at once, in whichever
  // step.
  TEST_CASE("a training loop in steady state, on one thread, asks the system for no memory") {
    const int threads = get_num_threads();
    set_num_threads(1);
    Generator generator(1);
    const Tensor x = randn({8, 3, 12, 12}, generator), labels = tensor<std::int64_t>({1, 0, 3, 2, 1, 1, 0, 3});
    const Tensor w = randn({5, 3, 3, 3}, generator).requires_grad_();
    const Tensor v = randn({4, 5 * 5 * 5}, generator).requires_grad_();
    const auto step = [&] {
      for (const Tensor& parameter : {w, v}) parameter.set_grad({});
      const Tensor y = max_pool2d(relu(conv2d(x, w)), 2);
      cross_entropy(linear(y.flatten(1), v), labels).backward();
      for (const Tensor& parameter : {w, v}) sgd_step_(parameter, parameter.grad(), {}, {.lr = 0.01});
    };
    step();
    step();
    const std::uint64_t before = memory_stats().system_allocations;
    for (int i = 0; i < 5; ++i) step();
    CHECK(memory_stats().system_allocations == before);
    set_num_threads(threads);
  }

  TEST_CASE("blocks may be given back by other threads, and threads may allocate at once") {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 300; ++i) {
          const auto bytes = static_cast<std::size_t>(64 * (1 + (i * 7 + t) % 20));
          void* block = allocate(bytes);
          std::memset(block, t, bytes);
          deallocate(block, bytes);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    void* block = allocate(100);
    std::thread([&] { deallocate(block, 100); }).join();
  }

  TEST_CASE("containers can draw on it") {
    std::vector<int, CachingAllocator<int>> values;
    for (int i = 0; i < 1000; ++i) values.push_back(i);
    CHECK(values[999] == 999);
    CHECK(CachingAllocator<int>() == CachingAllocator<double>());
  }
}
