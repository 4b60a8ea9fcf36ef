// SPDX-License-Identifier: MIT
// Shared by all benchmark programs. TEFF_NUM_THREADS sets the number of threads; without it there is one, so
// that results can be compared from machine to machine.

#include <cstdlib>
#include <string>

#include "bench/bench.h"

int main(int argc, char** argv) {
  if (std::getenv("TEFF_NUM_THREADS") == nullptr) teff::set_num_threads(1);
  benchmark::AddCustomContext("teff_threads", std::to_string(teff::get_num_threads()));
  bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
