// SPDX-License-Identifier: MIT

// How much time loads of hostile files take. run.sh runs it with little stack, too.
// Usage: teff_reliability_hostile CORPUS

#include <algorithm>
#include <ctime>
#include <sstream>

#include "reliability/files.h"
#include "reliability/hostile_files.h"
#include "reliability/report.h"

using namespace teff;
using namespace teff::reliability;

namespace {

constexpr int kRounds = 3;

/// Several times the longest load, and far below what quadratic work takes. A build with assertions or sanitizers is
/// ten times slower.
#ifdef NDEBUG
constexpr double kMostMilliseconds = 1000;
#else
constexpr double kMostMilliseconds = 10'000;
#endif

void load_any(const std::string& bytes) {
  try {
    load(bytes_of(bytes));
    return;
  } catch (const Error&) {
  }
  try {
    load_model(bytes_of(bytes));
  } catch (const Error&) {
  }
}

/// Of the processor: other programs do not count.
double milliseconds(const std::string& bytes) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const std::clock_t start = std::clock();
    load_any(bytes);
    best = std::min(best, 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  set_num_threads(1);
  long files = 0;
  double longest = 0;
  std::string slowest;
  for_each_hostile_file(argv[1], [&](const std::string& name, const std::string& bytes) {
    const double time = milliseconds(bytes);
    ++files;
    if (bytes.size() > 100'000) std::fprintf(stderr, "%8.1f ms %8zu bytes  %s\n", time, bytes.size(), name.c_str());
    if (time > longest) {
      longest = time;
      slowest = name;
    }
  });
  check(longest < kMostMilliseconds, "R10: " + slowest + " takes " + std::to_string(longest) + " ms");
  char text[32];
  std::snprintf(text, sizeof text, "%.0f ms", longest);
  report("R10", "processor time of loads of " + std::to_string(files) + " hostile files and worst cases of 1 MB",
         std::string("at most ") + text + " (" + slowest + ")");
  return failures == 0 ? 0 : 1;
}
