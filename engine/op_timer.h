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

/// One operation that has just ended.
struct TimedOp {
  std::string_view op;
  bool backward;
  const void* scope;  // the module that called it
  double flop, bytes;
  std::chrono::steady_clock::time_point start;
};

/// What takes them, while there is a profiler: a pointer, so that programs without one are linked without it.
inline constinit std::atomic<void (*)(const TimedOp&)> op_recorder{nullptr};

/// Times from its construction to report(), which is for the caller to call if on().
class OpTimer {
 public:
  OpTimer() : record_(op_recorder.load(std::memory_order_relaxed)) {
    if (on()) [[unlikely]]
      start_ = std::chrono::steady_clock::now();
  }

  bool on() const { return record_ != nullptr; }
  void report(std::string_view op, bool backward, const void* scope, double flop, double bytes) const {
    record_({op, backward, scope, flop, bytes, start_});
  }

 private:
  void (*record_)(const TimedOp&);
  std::chrono::steady_clock::time_point start_{};
};

/// Size of inputs and results, each once.
double moved_bytes(std::span<const TensorType> inputs, std::span<const TensorType> outputs);

/// Whether an operation, in either direction, is so short that threads far from each other gain nothing.
bool is_short(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);

}  // namespace teff::detail
