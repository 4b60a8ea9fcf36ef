// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::BatchNorm;

namespace {

struct Sizes {
  int64_t batch, channels, spatial;
  int64_t size() const { return batch * channels * spatial; }
  std::size_t channel(std::size_t i) const {
    return i / static_cast<std::size_t>(spatial) % static_cast<std::size_t>(channels);
  }
  double count() const { return static_cast<double>(batch * spatial); }
};

const std::vector<Sizes> kShapes = {{2, 1, 1},  {32, 120, 1}, {5, 3, 4},    {4, 7, 31},    {4, 7, 32},
                                    {1, 3, 49}, {3, 2, 784},  {2, 3, 5000}, {1000, 17, 1}, {40, 30, 196}};

template <class T>
struct Statistics {
  std::vector<T> mean, variance, inverse_std;
};

template <class T>
Statistics<T> statistics(Sizes s, const std::vector<T>& x) {
  Statistics<T> result{zeros<T>(s.channels), zeros<T>(s.channels), {}};
  kernels::batch_norm_kernels<T>().batch_norm_statistics({s.batch, s.channels, s.spatial, nullptr, nullptr}, x.data(),
                                                         result.mean.data(), result.variance.data());
  for (T v : result.variance) result.inverse_std.push_back(1 / std::sqrt(v + T(1e-5)));
  return result;
}

/// Per channel: sum of f(i) over all values i of the channel.
template <class F>
std::vector<double> channel_sums(Sizes s, const F& f) {
  std::vector<long double> sums(static_cast<std::size_t>(s.channels));
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.size()); ++i) sums[s.channel(i)] += f(i);
  return {sums.begin(), sums.end()};
}

}  // namespace

TEST_CASE_TEMPLATE("the statistics are the mean and the biased variance of each channel", T, float, double) {
  for (const Sizes& s : kShapes) {
    CAPTURE(s.channels);
    CAPTURE(s.spatial);
    const std::vector<T> x = random_values<T>(s.size());
    std::vector<double> mean = channel_sums(s, [&](std::size_t i) { return static_cast<double>(x[i]) / s.count(); });
    const std::vector<double> variance = channel_sums(s, [&](std::size_t i) {
      const double d = static_cast<double>(x[i]) - mean[s.channel(i)];
      return d * d / s.count();
    });
    const Statistics<T> actual = statistics(s, x);
    check_close(actual.mean, mean, kTolerance<T>, 1);
    check_close(actual.variance, variance, kTolerance<T>, 1);
  }
}

TEST_CASE("the variance of values far from zero is not lost") {
  for (int64_t spatial : {1, 2000}) {
    const Sizes s{64, 2, spatial};
    std::vector<float> x(static_cast<std::size_t>(s.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = 10000.0f + (i / static_cast<std::size_t>(2 * spatial) % 2 == 0 ? 0.5f : -0.5f);
    }
    CHECK(close(statistics(s, x).variance[1], 0.25, 1e-5));
    CHECK(statistics(s, x).mean[0] == 10000.0f);
  }
}

TEST_CASE_TEMPLATE("batch_norm scales and shifts each channel, with or without weight and bias", T, float, double) {
  for (const Sizes& s : kShapes) {
    const std::vector<T> x = random_values<T>(s.size()), w = random_values<T>(s.channels, -1, 1, 2);
    const std::vector<T> b = random_values<T>(s.channels, -1, 1, 3);
    const Statistics<T> stats = statistics(s, x);
    for (bool affine : {false, true}) {
      std::vector<T> y = zeros<T>(s.size());
      kernels::batch_norm_kernels<T>().batch_norm(
          {s.batch, s.channels, s.spatial, affine ? w.data() : nullptr, affine ? b.data() : nullptr}, x.data(),
          stats.mean.data(), stats.inverse_std.data(), y.data());
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = s.channel(i);
        const double xhat = (static_cast<double>(x[i]) - static_cast<double>(stats.mean[c])) *
                            static_cast<double>(stats.inverse_std[c]);
        expected.push_back(affine ? xhat * static_cast<double>(w[c]) + static_cast<double>(b[c]) : xhat);
      }
      check_close(y, expected, kTolerance<T>, 2);
    }
  }
}

TEST_CASE_TEMPLATE("batch_norm gradients agree with their formulas, whichever are asked for", T, float, double) {
  for (const Sizes& s : kShapes) {
    CAPTURE(s.channels);
    CAPTURE(s.spatial);
    const std::vector<T> x = random_values<T>(s.size()), grad = random_values<T>(s.size(), -1, 1, 2);
    const std::vector<T> w = random_values<T>(s.channels, T(0.5), 2, 3);
    const Statistics<T> stats = statistics(s, x);
    const auto xhat = [&](std::size_t i) {
      const std::size_t c = s.channel(i);
      return (static_cast<double>(x[i]) - static_cast<double>(stats.mean[c])) *
             static_cast<double>(stats.inverse_std[c]);
    };
    const auto g = [&](std::size_t i) { return static_cast<double>(grad[i]); };
    const std::vector<double> bias = channel_sums(s, g);
    const std::vector<double> weight = channel_sums(s, [&](std::size_t i) { return g(i) * xhat(i); });
    const double scale = 4 + std::sqrt(s.count());
    for (bool training : {false, true}) {
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = s.channel(i);
        const double through_mean = training ? (bias[c] + xhat(i) * weight[c]) / s.count() : 0;
        expected.push_back(static_cast<double>(w[c]) * static_cast<double>(stats.inverse_std[c]) *
                           (g(i) - through_mean));
      }
      for (int wanted = 0; wanted < 8; ++wanted) {
        std::vector<T> gx = zeros<T>(s.size()), gw = zeros<T>(s.channels), gb = zeros<T>(s.channels);
        kernels::batch_norm_kernels<T>().batch_norm_backward(
            {s.batch, s.channels, s.spatial, w.data(), nullptr}, training, grad.data(), x.data(), stats.mean.data(),
            stats.inverse_std.data(), (wanted & 1) != 0 ? gx.data() : nullptr, (wanted & 2) != 0 ? gw.data() : nullptr,
            (wanted & 4) != 0 ? gb.data() : nullptr);
        // Two values per channel leave nearly nothing of the gradient but a large inverse_std.
        if ((wanted & 1) != 0) check_close(gx, expected, kTolerance<T>, s.count() < 3 ? 100 : 10);
        if ((wanted & 2) != 0) check_close(gw, weight, kTolerance<T>, scale);
        if ((wanted & 4) != 0) check_close(gb, bias, kTolerance<T>, scale);
      }
    }
  }
}

TEST_CASE("batch_norm has the same bits for any number of threads") {
  for (const Sizes& s : {Sizes{16, 8, 3000}, Sizes{3000, 100, 1}}) {
    const std::vector<float> x = random_values<float>(s.size()), grad = random_values<float>(s.size(), -1, 1, 2);
    check_any_thread_count([&] { return statistics(s, x).variance; });
    const Statistics<float> stats = statistics(s, x);
    check_any_thread_count([&] {
      std::vector<float> gx = zeros<float>(s.size());
      kernels::batch_norm_kernels<float>().batch_norm_backward({s.batch, s.channels, s.spatial, nullptr, nullptr}, true,
                                                               grad.data(), x.data(), stats.mean.data(),
                                                               stats.inverse_std.data(), gx.data(), nullptr, nullptr);
      return gx;
    });
  }
}
