// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "teff/engine/parallel.h"

namespace teff::testing {

/// A number of threads for the guard's lifetime.
class ThreadsGuard {
 public:
  explicit ThreadsGuard(int count) : before_(get_num_threads()) { set_num_threads(count); }
  ~ThreadsGuard() { set_num_threads(before_); }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  int before_;
};

/// Calls work() on one of the pool's threads that is not the caller. False if none came within 10 s.
template <class Work>
bool on_another_thread(Work&& work) {
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> came = false;
  parallel_for(50'000, [&](std::int64_t) {
    if (came) return;
    if (std::this_thread::get_id() == caller) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    } else if (!came.exchange(true)) {
      work();
    }
  });
  return came;
}

}  // namespace teff::testing
