// SPDX-License-Identifier: MIT
#pragma once

// What the programs of this folder print: one line for each promise, which run.sh puts into a table.

#include <cstdarg>
#include <cstdio>
#include <string>

namespace teff::reliability {

inline int failures = 0;

/// A broken promise; the program goes on and fails at its end.
inline void check(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "BROKEN: %s\n", what.c_str());
}

/// `R5 | what was done | figure`
inline void report(const char* promise, const std::string& test, const std::string& figure) {
  std::printf("%s | %s | %s\n", promise, test.c_str(), figure.c_str());
  std::fflush(stdout);
}

/// "10 of 10", and a broken promise if it is not all.
inline std::string all(const std::string& what, long good, long of, const char* word) {
  check(good == of, what);
  return std::to_string(good) + " of " + std::to_string(of) + ' ' + word;
}

}  // namespace teff::reliability
