// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// One operation that ran while a Profiler was on.
struct ProfilerEvent {
  std::string op;             // "conv2d", "conv2d backward"
  std::string scope;          // path of the module that called it, where the profiler knows its name
  std::int64_t start_ns = 0;  // since the profiler began
  std::int64_t duration_ns = 0;
  double flop = 0;          // floating-point operations, as Op::flop counts them
  double bytes = 0;         // size of inputs and result, each once
  std::int64_t thread = 0;  // of the caller, counted from 0
};

/// Records every operation of the process from its construction to stop() or its end: forward as it runs, and backward
/// by the module that forward ran in. Costs nothing while there is none.
///
///   Profiler profiler(nn::scope_names(net));
///   cross_entropy(net(images), labels).backward();
///   std::cout << profiler;
class Profiler {
 public:
  /// @throws Error if another profiler is recording.
  explicit Profiler(std::vector<std::pair<const void*, std::string>> scope_names = {});
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// Ends the recording. Operations that other threads have begun are still recorded.
  void stop();
  /// What was recorded so far, by time of start in each thread.
  std::vector<ProfilerEvent> events() const;

  /// Writes the events in the format that chrome://tracing and ui.perfetto.dev show.
  void write_chrome_trace(std::ostream& out) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  friend struct ProfilerAccess;
};

/// One line for each operation of each module, the costliest first: calls, total and mean time, its share, GFLOP/s,
/// GB/s.
std::ostream& operator<<(std::ostream& out, const Profiler& profiler);

}  // namespace teff
