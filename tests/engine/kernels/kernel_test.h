// SPDX-License-Identifier: MIT
#pragma once

// Data and comparisons for the tests of kernels.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "teff/engine/parallel.h"

namespace teff::testing {

using std::int64_t;

template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

inline const std::vector<int64_t> kAwkwardSizes = {0, 1, 3, 7, 8, 17, 1000};

template <class T>
std::vector<T> random_values(int64_t n, T low = -2, T high = 2, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<T> distribution(low, high);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (T& value : values) value = distribution(generator);
  return values;
}

template <class T>
std::vector<T> zeros(int64_t n) {
  return std::vector<T>(static_cast<std::size_t>(n));
}

/// The same value, or two NaN, or different by at most `tolerance` relative to the larger of |expected| and
/// `scale`.
template <class T>
bool close(T actual, double expected, double tolerance, double scale = 0) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (static_cast<double>(actual) == expected) return true;
  return std::fabs(static_cast<double>(actual) - expected) <= tolerance * std::fmax(std::fabs(expected), scale);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// A few roundings of T.
template <class T>
constexpr double kTolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());

template <class T>
void check_close(const std::vector<T>& actual, const std::vector<double>& expected, double tolerance,
                 double scale = 0) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!close(actual[i], expected[i], tolerance, scale)) {
      FAIL_CHECK("value " << i << ": expected " << expected[i] << ", got " << actual[i]);
      return;
    }
  }
}

/// Runs compute() with 1, 2 and 5 threads and checks that its result has the same bits.
template <class Compute>
void check_any_thread_count(const Compute& compute) {
  const int before = get_num_threads();
  set_num_threads(1);
  const auto expected = compute();
  for (int threads : {2, 5}) {
    set_num_threads(threads);
    CHECK(same_bits(compute(), expected));
  }
  set_num_threads(before);
}

}  // namespace teff::testing
