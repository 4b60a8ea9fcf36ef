// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct Sizes {
  int64_t outer, n, inner;
};

const std::vector<Sizes> kShapes = {{1, 1, 1},  {32, 10, 1},  {3, 7, 1}, {2, 8, 1},     {2, 16, 1},
                                    {2, 17, 1}, {1, 1000, 1}, {2, 5, 3}, {3, 10, 16},   {1, 21, 1000},
                                    {0, 10, 1}, {4, 0, 1},    {2, 3, 0}, {5000, 10, 1}, {100, 3, 200}};

/// Calls row(get) for every row along the middle dimension; get(k) is the place of its value k.
template <class Row>
void for_each_row(Sizes s, const Row& row) {
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < s.inner; ++i) {
      row([=](int64_t k) { return static_cast<std::size_t>((o * s.n + k) * s.inner + i); });
    }
  }
}

template <class T>
std::vector<double> reference(Sizes s, bool log, const std::vector<T>& x) {
  std::vector<double> y(x.size());
  for_each_row(s, [&](const auto& at) {
    double largest = -kInf<double>, total = 0;
    for (int64_t k = 0; k < s.n; ++k) largest = std::fmax(largest, static_cast<double>(x[at(k)]));
    for (int64_t k = 0; k < s.n; ++k) total += std::exp(static_cast<double>(x[at(k)]) - largest);
    for (int64_t k = 0; k < s.n; ++k) {
      const double shifted = static_cast<double>(x[at(k)]) - largest;
      y[at(k)] = log ? shifted - std::log(total) : std::exp(shifted) / total;
    }
  });
  return y;
}

template <class T>
std::vector<double> reference_backward(Sizes s, bool log, const std::vector<T>& grad, const std::vector<T>& y) {
  std::vector<double> grad_x(y.size());
  for_each_row(s, [&](const auto& at) {
    double total = 0;
    for (int64_t k = 0; k < s.n; ++k) {
      total += static_cast<double>(grad[at(k)]) * (log ? 1 : static_cast<double>(y[at(k)]));
    }
    for (int64_t k = 0; k < s.n; ++k) {
      const double g = static_cast<double>(grad[at(k)]), v = static_cast<double>(y[at(k)]);
      grad_x[at(k)] = log ? g - std::exp(v) * total : v * (g - total);
    }
  });
  return grad_x;
}

template <class T>
std::vector<T> run(Sizes s, bool log, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  (log ? kernels::softmax_kernels<T>().log_softmax : kernels::softmax_kernels<T>().softmax)(s.outer, s.n, s.inner,
                                                                                            x.data(), y.data());
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("softmax and log_softmax agree with their formulas", T, float, double) {
  for (const Sizes& s : kShapes) {
    CAPTURE(s.outer);
    CAPTURE(s.n);
    CAPTURE(s.inner);
    const std::vector<T> x = random_values<T>(s.outer * s.n * s.inner, -20, 20);
    check_close(run(s, false, x), reference(s, false, x), 10 * kTolerance<T>, 1e-30);
    check_close(run(s, true, x), reference(s, true, x), kTolerance<T>, 10);
  }
}

TEST_CASE_TEMPLATE("softmax and log_softmax gradients agree with their formulas", T, float, double) {
  for (const Sizes& s : kShapes) {
    CAPTURE(s.n);
    CAPTURE(s.inner);
    const int64_t size = s.outer * s.n * s.inner;
    const std::vector<T> x = random_values<T>(size, -3, 3), grad = random_values<T>(size, -1, 1, 2);
    for (bool log : {false, true}) {
      const std::vector<T> y = run(s, log, x);
      std::vector<T> grad_x(x.size());
      (log ? kernels::softmax_kernels<T>().log_softmax_backward : kernels::softmax_kernels<T>().softmax_backward)(
          s.outer, s.n, s.inner, grad.data(), y.data(), grad_x.data());
      check_close(grad_x, reference_backward(s, log, grad, y), kTolerance<T>, 30);
    }
  }
}

TEST_CASE_TEMPLATE("softmax of huge values does not overflow", T, float, double) {
  const T big = std::numeric_limits<T>::max();
  CHECK(run<T>({1, 3, 1}, false, {big, 0, big}) == std::vector<T>{T(0.5), 0, T(0.5)});
  CHECK(run<T>({1, 2, 1}, true, {1000, 0}) == std::vector<T>{0, -1000});
  CHECK(run<T>({1, 2, 1}, false, {0, -kInf<T>}) == std::vector<T>{1, 0});
  CHECK(run<T>({1, 2, 1}, true, {0, -kInf<T>})[1] == -kInf<T>);
}

TEST_CASE_TEMPLATE("NaN, +inf and a row of -inf make the whole row NaN", T, float, double) {
  for (int64_t n : {2, 10, 16, 40}) {
    for (int64_t inner : {1, 2}) {
      for (T bad : {kNan<T>, kInf<T>}) {
        for (int64_t place : {int64_t{0}, n - 1}) {
          std::vector<T> x = random_values<T>(n * inner);
          x[static_cast<std::size_t>(place * inner)] = bad;
          for (bool log : {false, true}) {
            const std::vector<T> y = run({1, n, inner}, log, x);
            CHECK((std::isnan(y[0]) && std::isnan(y[y.size() - static_cast<std::size_t>(inner)])));
            if (inner == 2) CHECK_FALSE(std::isnan(y[1]));
          }
        }
      }
      const std::vector<T> empty(static_cast<std::size_t>(n * inner), -kInf<T>);
      CHECK(std::isnan(run({1, n, inner}, false, empty)[0]));
    }
  }
}

TEST_CASE("softmax has the same bits for any number of threads and in place") {
  for (const Sizes& s : {Sizes{20000, 10, 1}, Sizes{50, 20, 300}}) {
    const std::vector<float> x = random_values<float>(s.outer * s.n * s.inner);
    for (bool log : {false, true}) {
      check_any_thread_count([&] { return run(s, log, x); });
      std::vector<float> y = x;
      (log ? kernels::softmax_kernels<float>().log_softmax : kernels::softmax_kernels<float>().softmax)(
          s.outer, s.n, s.inner, y.data(), y.data());
      CHECK(same_bits(y, run(s, log, x)));
    }
  }
}
