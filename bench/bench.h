// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include <benchmark/benchmark.h>

#include <teff/teff.h>

namespace bench {

/// Registers `name`, timed by the clock on the wall: processor time would not show what threads save.
inline benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> function) {
  return benchmark::RegisterBenchmark(name.c_str(),
                                      [function = std::move(function)](benchmark::State& state) { function(state); })
      ->UseRealTime();
}

/// Reports floating-point operations as FLOP/s. A multiplication with its addition counts as two.
inline void report_flops(benchmark::State& state, double flop_per_iteration) {
  state.counters["FLOP/s"] = benchmark::Counter(flop_per_iteration, benchmark::Counter::kIsIterationInvariantRate,
                                                benchmark::Counter::kIs1000);
}

/// Registers the benchmarks of the program. Each bench file defines it.
void register_all();

}  // namespace bench
