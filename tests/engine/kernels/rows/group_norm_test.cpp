// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::GroupNorm;

namespace {

struct Sizes {
  int64_t rows, groups, channels, spatial;
  int64_t length() const { return channels * spatial; }
  int64_t size() const { return rows * length(); }
  /// Of value i, in weight and bias.
  std::size_t channel(std::size_t i) const {
    const auto at = static_cast<int64_t>(i);
    return static_cast<std::size_t>(at / length() % groups * channels + at % length() / spatial);
  }
  std::size_t row(std::size_t i) const { return i / static_cast<std::size_t>(length()); }
};

const std::vector<Sizes> kShapes = {{1, 1, 1, 1},  {5, 1, 7, 1},    {3, 1, 64, 1}, {40, 1, 300, 1}, {4, 2, 3, 5},
                                    {6, 3, 2, 49}, {2, 1, 3, 5000}, {8, 4, 5, 1},  {300, 1, 129, 1}};

template <class T>
struct Result {
  std::vector<T> y, mean, inverse_std;
};

template <class T>
Result<T> normalise(Sizes s, const std::vector<T>& x, const T* weight, const T* bias, double eps = 1e-5) {
  Result<T> result{zeros<T>(s.size()), zeros<T>(s.rows), zeros<T>(s.rows)};
  kernels::group_norm_kernels<T>().group_norm({s.rows, s.groups, s.channels, s.spatial, weight, bias}, eps, x.data(),
                                              result.y.data(), result.mean.data(), result.inverse_std.data());
  return result;
}

struct Statistics {
  std::vector<double> mean, inverse_std;
};

template <class T>
Statistics reference(Sizes s, const std::vector<T>& x, double eps = 1e-5) {
  Statistics result;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T* const row = x.data() + r * s.length();
    long double mean = 0, variance = 0;
    for (int64_t i = 0; i < s.length(); ++i) mean += row[i];
    mean /= s.length();
    for (int64_t i = 0; i < s.length(); ++i) variance += (row[i] - mean) * (row[i] - mean);
    result.mean.push_back(static_cast<double>(mean));
    result.inverse_std.push_back(1 / std::sqrt(static_cast<double>(variance / s.length()) + eps));
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("group_norm normalises every row, with or without weight and bias", T, float, double) {
  for (const Sizes& s : kShapes) {
    CAPTURE(s.channels);
    CAPTURE(s.spatial);
    const std::vector<T> x = random_values<T>(s.size()), w = random_values<T>(s.groups * s.channels, -1, 1, 2);
    const std::vector<T> b = random_values<T>(s.groups * s.channels, -1, 1, 3);
    const Statistics exact = reference(s, x);
    for (int parts = 0; parts < 4; ++parts) {
      const bool weighs = (parts & 1) != 0, shifts = (parts & 2) != 0;
      const Result<T> actual = normalise<T>(s, x, weighs ? w.data() : nullptr, shifts ? b.data() : nullptr);
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double z = (static_cast<double>(x[i]) - exact.mean[s.row(i)]) * exact.inverse_std[s.row(i)];
        expected.push_back(z * (weighs ? static_cast<double>(w[s.channel(i)]) : 1) +
                           (shifts ? static_cast<double>(b[s.channel(i)]) : 0));
      }
      check_close(actual.y, expected, kTolerance<T>, s.length() == 1 ? 300 : 4);
    }
  }
}

TEST_CASE("the variance of a row far from zero is not lost") {
  const Sizes s{1, 1, 2000, 1};
  std::vector<float> x;
  for (int i = 0; i < 2000; ++i) x.push_back(i % 2 == 0 ? 10000.5f : 9999.5f);
  const Result<float> result = normalise<float>(s, x, nullptr, nullptr, 0);
  CHECK(result.mean[0] == 10000.0f);
  CHECK(close(result.inverse_std[0], 2, 1e-5));
}

TEST_CASE_TEMPLATE("group_norm gradients agree with their formulas, whichever are asked for", T, float, double) {
  for (const Sizes& s : kShapes) {
    if (s.length() < 4) continue;
    CAPTURE(s.channels);
    CAPTURE(s.spatial);
    const std::vector<T> x = random_values<T>(s.size()), grad = random_values<T>(s.size(), -1, 1, 2);
    const std::vector<T> w = random_values<T>(s.groups * s.channels, T(0.5), 2, 3);
    const Result<T> forward = normalise<T>(s, x, w.data(), nullptr);
    const Statistics exact = reference(s, x);
    const auto z = [&](std::size_t i) {
      return (static_cast<double>(x[i]) - exact.mean[s.row(i)]) * exact.inverse_std[s.row(i)];
    };
    const auto g = [&](std::size_t i) { return static_cast<double>(grad[i]) * static_cast<double>(w[s.channel(i)]); };
    std::vector<long double> sums(static_cast<std::size_t>(s.rows)), products = sums, bias(w.size()), weight = bias;
    std::vector<double> expected;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sums[s.row(i)] += g(i) / static_cast<double>(s.length());
      products[s.row(i)] += g(i) * z(i) / static_cast<double>(s.length());
      bias[s.channel(i)] += static_cast<double>(grad[i]);
      weight[s.channel(i)] += static_cast<double>(grad[i]) * z(i);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected.push_back(exact.inverse_std[s.row(i)] *
                         static_cast<double>(g(i) - sums[s.row(i)] - z(i) * products[s.row(i)]));
    }
    for (int wanted = 0; wanted < 8; ++wanted) {
      std::vector<T> gx = zeros<T>(s.size()), gw = zeros<T>(s.groups * s.channels), gb = gw;
      kernels::group_norm_kernels<T>().group_norm_backward(
          {s.rows, s.groups, s.channels, s.spatial, w.data(), nullptr}, grad.data(), x.data(), forward.mean.data(),
          forward.inverse_std.data(), (wanted & 1) != 0 ? gx.data() : nullptr, (wanted & 2) != 0 ? gw.data() : nullptr,
          (wanted & 4) != 0 ? gb.data() : nullptr);
      const double scale = 10 + std::sqrt(static_cast<double>(s.size()));
      if ((wanted & 1) != 0) check_close(gx, expected, kTolerance<T>, 10);
      if ((wanted & 2) != 0) check_close(gw, {weight.begin(), weight.end()}, kTolerance<T>, scale);
      if ((wanted & 4) != 0) check_close(gb, {bias.begin(), bias.end()}, kTolerance<T>, scale);
    }
  }
}
