// SPDX-License-Identifier: MIT
#pragma once

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

}  // namespace teff::testing
