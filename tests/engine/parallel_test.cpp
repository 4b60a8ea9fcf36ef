// SPDX-License-Identifier: MIT
#include "teff/engine/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/threads_guard.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"

using namespace teff;
using Threads = teff::testing::ThreadsGuard;

namespace {

/// How often each index was called.
std::vector<int> calls(std::int64_t count) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
  parallel_for(count, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
  return {seen.begin(), seen.end()};
}

}  // namespace

TEST_SUITE("parallel") {
  TEST_CASE("every index is called once, for any number of threads") {
    for (const int threads : {1, 2, 3, 8}) {
      const Threads guard(threads);
      for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
        CHECK(calls(count) == std::vector<int>(static_cast<std::size_t>(count), 1));
      }
    }
  }

  TEST_CASE("ranges cover everything once, the last may be shorter") {
    const Threads guard(3);
    for (const std::int64_t count : {0, 1, 9, 10, 11}) {
      std::vector<int> seen(static_cast<std::size_t>(count));
      parallel_ranges(count, 10, [&](std::int64_t begin, std::int64_t end) {
        CHECK(begin % 10 == 0);
        CHECK(end <= count);
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      CHECK(seen == std::vector<int>(static_cast<std::size_t>(count), 1));
    }
  }

  TEST_CASE("a thread whose own share is done helps the others") {
    const Threads guard(2);
    using std::chrono::steady_clock;
    bool helped = false;  // not in a try in which the other thread sleeps
    for (int tries = 0; tries < 100 && !helped; ++tries) {
      std::atomic<int> others = 0;
      parallel_for(10, [&](std::int64_t i) {
        if (i > 0) {
          ++others;
        } else {  // until others have done all the rest, also of this task's share
          const auto end = steady_clock::now() + std::chrono::milliseconds(100);
          while (!helped && steady_clock::now() < end) {
            helped = others == 9;
            std::this_thread::yield();
          }
        }
      });
      CHECK(others == 9);
    }
    CHECK(helped);
  }

  TEST_CASE("an exception of a task comes out, and the pool works afterwards") {
    for (const int threads : {1, 4}) {
      const Threads guard(threads);
      CHECK_THROWS_WITH_AS(parallel_for(100,
                                        [](std::int64_t i) {
                                          if (i == 42) throw std::out_of_range("42");
                                        }),
                           "42", std::out_of_range);
      CHECK(calls(100) == std::vector<int>(100, 1));
    }
  }

  TEST_CASE("if all tasks throw one exception comes out") {
    const Threads guard(4);
    CHECK_THROWS_AS(parallel_for(100, [](std::int64_t) { throw std::runtime_error("all"); }), std::runtime_error);
  }

  TEST_CASE("a parallel_for inside a task runs on its thread") {
    const Threads guard(4);
    std::vector<std::int64_t> sums(8);
    parallel_for(8, [&](std::int64_t i) {
      const auto outer = std::this_thread::get_id();
      parallel_for(100, [&](std::int64_t j) {
        if (std::this_thread::get_id() == outer) sums[static_cast<std::size_t>(i)] += j;
      });
    });
    CHECK(sums == std::vector<std::int64_t>(8, 4950));
  }

  TEST_CASE("workers that sleep are woken by a job that goes on") {
    const Threads guard(2);
    calls(2);  // starts them
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(teff::testing::on_another_thread([] {}));
  }

  TEST_CASE("CallerOnly keeps tasks on the caller, also those of a parallel_for inside a task") {
    const Threads guard(4);
    const auto caller = std::this_thread::get_id();
    const auto all_here = [&] {
      std::atomic<bool> here = true;
      parallel_for(100, [&](std::int64_t) {
        if (std::this_thread::get_id() != caller) here = false;
      });
      return here.load();
    };
    const detail::CallerOnly outer(true);
    CHECK(all_here());
    {
      const detail::CallerOnly inner(false);  // does not let go of what the outer one holds
      CHECK(all_here());
    }
    CHECK(all_here());
    CHECK_FALSE(detail::threads_are_far());
  }

  TEST_CASE("set_num_threads refuses counts out of range and calls from a task") {
    const int before = get_num_threads();
    CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads: expected a count from 1 to 1024, got 0", ValueError);
    CHECK_THROWS_AS(set_num_threads(-1), ValueError);
    CHECK_THROWS_AS(set_num_threads(1025), ValueError);
    CHECK(get_num_threads() == before);
    const Threads guard(2);
    CHECK_THROWS_AS(parallel_for(4, [](std::int64_t) { set_num_threads(3); }), Error);
    CHECK(get_num_threads() == 2);
  }

  TEST_CASE("two user threads at once both get their results") {
    const Threads guard(2);
    std::vector<std::vector<int>> results(2);
    std::vector<std::thread> users;
    for (std::vector<int>& result : results) {
      users.emplace_back([&result] {
        for (int i = 0; i < 200; ++i) result = calls(50);
      });
    }
    for (std::thread& user : users) user.join();
    for (const std::vector<int>& result : results) CHECK(result == std::vector<int>(50, 1));
  }

  TEST_CASE("one user thread may change the number of threads while another works") {
    const Threads guard(2);
    std::thread user([] {
      for (int i = 0; i < 100; ++i) set_num_threads(1 + i % 4);
    });
    bool right = true;
    for (int i = 0; i < 300; ++i) right = right && calls(20) == std::vector<int>(20, 1);
    user.join();
    CHECK(right);
  }

  TEST_CASE("forward is safe from several user threads at once") {
    const Threads guard(2);
    Generator generator(1);
    const Tensor w = randn({8, 4, 3, 3}, generator), x = randn({6, 4, 30, 30}, generator);
    const auto forward = [&] { return relu(conv2d(x, w, {}, {.padding = 1})); };
    const Tensor expected = forward();
    std::vector<Tensor> results(3);
    std::vector<std::thread> users;
    for (Tensor& result : results) {
      users.emplace_back([&] {
        for (int i = 0; i < 10; ++i) result = forward();
      });
    }
    for (std::thread& user : users) user.join();
    for (const Tensor& result : results) CHECK(Value(result) == Value(expected));
  }
}
