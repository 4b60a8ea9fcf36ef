// SPDX-License-Identifier: MIT
#pragma once

// Private: what an operation costs, and reports of it to the profiler, if there is one.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "teff/engine/op.h"

namespace teff::detail {

extern std::atomic<bool> profiling;

/// Times from its construction to report(), which is for the caller to call if on().
class OpTimer {
 public:
  OpTimer() {
    if (profiling.load(std::memory_order_relaxed)) [[unlikely]] {
      on_ = true;
      start_ = std::chrono::steady_clock::now();
    }
  }

  bool on() const { return on_; }
  void report(std::string_view op, bool backward, const void* scope, double flop, double bytes) const;

 private:
  bool on_ = false;
  std::chrono::steady_clock::time_point start_{};
};

/// Size of inputs and results, each once.
double moved_bytes(std::span<const TensorType> inputs, std::span<const TensorType> outputs);

/// Whether an operation, in either direction, is so short that threads far from each other gain nothing.
bool is_short(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);

}  // namespace teff::detail
