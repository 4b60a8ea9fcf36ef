// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct Sizes {
  int64_t outer, reduced, inner;
};

std::vector<Sizes> awkward_shapes() {
  std::vector<Sizes> shapes = {{1, 200003, 1}, {2, 70001, 3}, {1, 100, 2500}, {3, 5000, 20}};
  for (int64_t outer : {0, 1, 3}) {
    for (int64_t reduced : kAwkwardSizes) {
      for (int64_t inner : {0, 1, 2, 3, 8, 17, 70}) shapes.push_back({outer, reduced, inner});
    }
  }
  return shapes;
}

/// join over the middle dimension, in long double: the plain sum of doubles is less exact than the kernel's.
template <class T, class Join>
std::vector<double> reference(Sizes s, const std::vector<T>& x, double start, const Join& join) {
  std::vector<long double> y(static_cast<std::size_t>(s.outer * s.inner), start);
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t r = 0; r < s.reduced; ++r) {
      for (int64_t i = 0; i < s.inner; ++i) {
        long double& result = y[static_cast<std::size_t>(o * s.inner + i)];
        result = join(result, x[static_cast<std::size_t>((o * s.reduced + r) * s.inner + i)]);
      }
    }
  }
  return {y.begin(), y.end()};
}

template <class T, class Kernel>
std::vector<T> run(Kernel kernel, Sizes s, const std::vector<T>& x) {
  std::vector<T> y = zeros<T>(s.outer * s.inner);
  kernel(s.outer, s.reduced, s.inner, x.data(), y.data());
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("sum, max and min agree with plain loops for every shape", T, float, double) {
  for (const Sizes& s : awkward_shapes()) {
    CAPTURE(s.outer);
    CAPTURE(s.reduced);
    CAPTURE(s.inner);
    const std::vector<T> x = random_values<T>(s.outer * s.reduced * s.inner);
    const auto add = [](long double a, long double b) { return a + b; };
    check_close(run(kernels::reduce_kernels<T>().sum, s, x), reference(s, x, 0, add), kTolerance<T>,
                4 + std::sqrt(static_cast<double>(s.reduced)));
    if (s.reduced == 0) continue;
    const auto larger = [](long double a, long double b) { return a < b ? b : a; };
    const auto smaller = [](long double a, long double b) { return b < a ? b : a; };
    check_close(run(kernels::reduce_kernels<T>().max, s, x), reference(s, x, -kInf<double>, larger), 0);
    check_close(run(kernels::reduce_kernels<T>().min, s, x), reference(s, x, kInf<double>, smaller), 0);
  }
}

TEST_CASE("the error of a long float sum does not grow with its length") {
  const int64_t n = 10'000'000;
  const std::vector<float> tenths(static_cast<std::size_t>(n), 0.1f);
  const double exact = static_cast<double>(0.1f) * static_cast<double>(n);
  for (const Sizes& s : {Sizes{1, n, 1}, Sizes{1, n / 5, 5}, Sizes{1, n / 1000, 1000}}) {
    const double expected = exact / static_cast<double>(s.inner);
    for (float y : run(kernels::reduce_kernels<float>().sum, s, tenths)) CHECK(close(y, expected, 1e-6));
  }
}

TEST_CASE_TEMPLATE("max and min find NaN wherever it is", T, float, double) {
  for (int64_t n : {1, 3, 8, 17, 100, 5000}) {
    for (int64_t inner : {1, 3, 40}) {
      for (int64_t place : {int64_t{0}, n / 2, n - 1}) {
        std::vector<T> x = random_values<T>(n * inner);
        x[static_cast<std::size_t>(place * inner)] = kNan<T>;
        const Sizes s{1, n, inner};
        CHECK(std::isnan(run(kernels::reduce_kernels<T>().max, s, x)[0]));
        CHECK(std::isnan(run(kernels::reduce_kernels<T>().min, s, x)[0]));
        if (inner > 1) CHECK_FALSE(std::isnan(run(kernels::reduce_kernels<T>().max, s, x)[1]));
        std::vector<int64_t> index(static_cast<std::size_t>(inner));
        kernels::reduce_kernels<T>().argmax(1, n, inner, x.data(), index.data());
        CHECK(index[0] == place);
      }
    }
  }
}

TEST_CASE_TEMPLATE("max and min of infinities are infinities", T, float, double) {
  const std::vector<T> low(20, -kInf<T>), high(20, kInf<T>);
  CHECK(run(kernels::reduce_kernels<T>().max, {1, 20, 1}, low)[0] == -kInf<T>);
  CHECK(run(kernels::reduce_kernels<T>().min, {2, 10, 1}, high)[1] == kInf<T>);
  CHECK(run(kernels::reduce_kernels<T>().max, {1, 10, 2}, low)[1] == -kInf<T>);
}

TEST_CASE_TEMPLATE("argmax gives the first of equal maxima", T, float, double) {
  const std::vector<T> x = {1, 3, 3, 2, 3, -kInf<T>, 0, T(-0.0)};
  int64_t index = -1;
  kernels::reduce_kernels<T>().argmax(1, 8, 1, x.data(), &index);
  CHECK(index == 1);
  std::vector<int64_t> columns(2);
  kernels::reduce_kernels<T>().argmax(1, 4, 2, x.data(), columns.data());  // columns 1 3 3 0 and 3 2 -inf 0
  CHECK(columns == std::vector<int64_t>{1, 0});
  const std::vector<T> nans = {1, kNan<T>, 5, kNan<T>}, same(9, -kInf<T>);
  kernels::reduce_kernels<T>().argmax(1, 4, 1, nans.data(), &index);
  CHECK(index == 1);
  kernels::reduce_kernels<T>().argmax(1, 9, 1, same.data(), &index);
  CHECK(index == 0);
}

TEST_CASE_TEMPLATE("argmax points at the maximum for every shape", T, float, double) {
  for (const Sizes& s : awkward_shapes()) {
    if (s.reduced == 0) continue;
    const std::vector<T> x = random_values<T>(s.outer * s.reduced * s.inner),
                         y = run(kernels::reduce_kernels<T>().max, s, x);
    std::vector<int64_t> index(y.size(), -1);
    kernels::reduce_kernels<T>().argmax(s.outer, s.reduced, s.inner, x.data(), index.data());
    bool right = true;
    for (std::size_t k = 0; k < y.size(); ++k) {
      const int64_t o = static_cast<int64_t>(k) / s.inner, i = static_cast<int64_t>(k) % s.inner;
      right = right && x[static_cast<std::size_t>((o * s.reduced + index[k]) * s.inner + i)] == y[k];
    }
    CHECK(right);
  }
}

TEST_CASE_TEMPLATE("sum_per_channel sums over batch and places", T, float, double) {
  for (int64_t batch : {0, 1, 2, 33}) {
    for (int64_t channels : {1, 3, 17}) {
      for (int64_t spatial : {0, 1, 5, 49, 1000}) {
        const std::vector<T> x = random_values<T>(batch * channels * spatial);
        std::vector<long double> exact(static_cast<std::size_t>(channels));
        for (std::size_t i = 0; i < x.size(); ++i) exact[i / static_cast<std::size_t>(spatial) % exact.size()] += x[i];
        const std::vector<double> expected(exact.begin(), exact.end());
        std::vector<T> y = zeros<T>(channels);
        kernels::reduce_kernels<T>().sum_per_channel(batch, channels, spatial, x.data(), y.data());
        check_close(y, expected, kTolerance<T>, 200);
      }
    }
  }
}

TEST_CASE("reductions have the same bits for any number of threads") {
  const std::vector<float> x = random_values<float>(600000);
  for (const Sizes& s : {Sizes{1, 600000, 1}, Sizes{300, 2000, 1}, Sizes{1, 60000, 10}, Sizes{10, 60, 1000}}) {
    check_any_thread_count([&] { return run(kernels::reduce_kernels<float>().sum, s, x); });
    check_any_thread_count([&] { return run(kernels::reduce_kernels<float>().max, s, x); });
  }
  check_any_thread_count([&] {
    std::vector<float> y(10);
    kernels::reduce_kernels<float>().sum_per_channel(60, 10, 1000, x.data(), y.data());
    return y;
  });
}
