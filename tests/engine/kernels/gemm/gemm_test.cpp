// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/parallel.h"

using teff::kernels::Gemm;
using teff::testing::random_values;

namespace {

struct Options {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  bool accumulate = false, row_bias = false, column_bias = false, relu = false;
  int64_t gap = 0;  // elements between the end of a row and the next
};

/// The arrays of a product. They end with their last element, so that a sanitizer sees a read beyond it.
template <class T>
struct Product {
  Options o;
  std::vector<T> a, b, c, row_bias, column_bias;

  explicit Product(const Options& options) : o(options) {
    const int64_t a_rows = o.transpose_a ? o.k : o.m, b_rows = o.transpose_b ? o.n : o.k;
    a = random_values<T>(a_rows == 0 ? 0 : a_rows * lda() - o.gap, -1, 1, 1);
    b = random_values<T>(b_rows == 0 ? 0 : b_rows * ldb() - o.gap, -1, 1, 2);
    c = random_values<T>(o.m * ldc() - o.gap, -1, 1, 3);
    row_bias = random_values<T>(o.m, -1, 1, 4);
    column_bias = random_values<T>(o.n, -1, 1, 5);
  }

  int64_t lda() const { return (o.transpose_a ? o.m : o.k) + o.gap; }
  int64_t ldb() const { return (o.transpose_b ? o.k : o.n) + o.gap; }
  int64_t ldc() const { return o.n + o.gap; }

  std::vector<T> run() const {
    std::vector<T> result = c;
    teff::kernels::gemm_kernels<T>().gemm(
        {.m = o.m,
         .n = o.n,
         .k = o.k,
         .a = a.data(),
         .lda = lda(),
         .transpose_a = o.transpose_a,
         .b = b.data(),
         .ldb = ldb(),
         .transpose_b = o.transpose_b,
         .c = result.data(),
         .ldc = ldc(),
         .accumulate = o.accumulate,
         .row_bias = o.row_bias ? row_bias.data() : nullptr,
         .column_bias = o.column_bias ? column_bias.data() : nullptr,
         .clamp = o.relu ? teff::kernels::Clamp<T>{.low = 0} : teff::kernels::Clamp<T>{}});
    return result;
  }

  /// The definition, in double precision; what lies between the rows of C stays.
  std::vector<double> expected() const {
    std::vector<double> result(c.begin(), c.end());
    for (int64_t i = 0; i < o.m; ++i) {
      for (int64_t j = 0; j < o.n; ++j) {
        double& value = result[index(i * ldc() + j)];
        double sum = o.accumulate ? value : 0;
        for (int64_t kk = 0; kk < o.k; ++kk) {
          const T x = a[index(o.transpose_a ? kk * lda() + i : i * lda() + kk)];
          const T y = b[index(o.transpose_b ? j * ldb() + kk : kk * ldb() + j)];
          sum += static_cast<double>(x) * static_cast<double>(y);
        }
        if (o.row_bias) sum += row_bias[index(i)];
        if (o.column_bias) sum += column_bias[index(j)];
        value = o.relu && sum < 0 ? 0 : sum;
      }
    }
    return result;
  }

  static std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }
};

template <class T>
void check(const Options& o) {
  CAPTURE(o.m);
  CAPTURE(o.n);
  CAPTURE(o.k);
  CAPTURE(o.transpose_a);
  CAPTURE(o.transpose_b);
  CAPTURE(o.accumulate);
  CAPTURE(o.gap);
  const Product<T> product(o);
  const std::vector<T> result = product.run();
  const std::vector<double> expected = product.expected();
  const double tolerance = std::numeric_limits<T>::epsilon() * (8 + static_cast<double>(o.k));
  double worst = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double error = std::abs(static_cast<double>(result[i]) - expected[i]);
    worst = error <= worst ? worst : error;  // NaN counts
  }
  CHECK(worst <= tolerance);
}

template <class T>
void check_transpositions(Options o) {
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      o.transpose_a = a;
      o.transpose_b = b;
      check<T>(o);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("gemm equals the definition for every small size and transposition", T, float, double) {
  for (int64_t m = 1; m <= 18; ++m) {
    for (const int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 35}) {
      for (const int64_t k : {1, 2, 5, 17}) check_transpositions<T>({.m = m, .n = n, .k = k});
    }
  }
}

TEST_CASE_TEMPLATE("gemm equals the definition for one row or column of any length", T, float, double) {
  for (int64_t length = 1; length <= 140; ++length) {
    check_transpositions<T>({.m = 1, .n = length, .k = 19});
    check_transpositions<T>({.m = length, .n = 1, .k = 19});
  }
}

TEST_CASE_TEMPLATE("gemm equals the definition across cache blocks", T, float, double) {
  check_transpositions<T>({.m = 37, .n = 70, .k = 600});
  check_transpositions<T>({.m = 300, .n = 65, .k = 300, .row_bias = true, .relu = true});
  check_transpositions<T>({.m = 29, .n = 1100, .k = 257, .accumulate = true, .column_bias = true});
  check_transpositions<T>({.m = 470, .n = 45, .k = 600, .accumulate = true});
  check_transpositions<T>({.m = 500, .n = 1100, .k = 30, .gap = 2});
  check_transpositions<T>({.m = 1, .n = 333, .k = 1000, .column_bias = true, .relu = true});
  check_transpositions<T>({.m = 333, .n = 1, .k = 1000, .accumulate = true, .row_bias = true});
}

TEST_CASE_TEMPLATE("gemm reads and writes only inside its leading dimensions", T, float, double) {
  for (const int64_t m : {1, 5, 20}) {
    for (const int64_t n : {1, 6, 40}) check_transpositions<T>({.m = m, .n = n, .k = 23, .gap = 3});
  }
}

TEST_CASE_TEMPLATE("gemm applies accumulate, biases and relu in every combination", T, float, double) {
  for (const int64_t m : {1, 7}) {
    for (const int64_t n : {1, 19}) {
      for (int flags = 0; flags < 16; ++flags) {
        check_transpositions<T>({.m = m,
                                 .n = n,
                                 .k = 11,
                                 .accumulate = (flags & 1) != 0,
                                 .row_bias = (flags & 2) != 0,
                                 .column_bias = (flags & 4) != 0,
                                 .relu = (flags & 8) != 0});
      }
    }
  }
}

TEST_CASE_TEMPLATE("gemm with k = 0 gives the bias, zero or what was there", T, float, double) {
  for (const int64_t m : {1, 3}) {
    for (const int64_t n : {1, 20}) {
      check<T>({.m = m, .n = n, .k = 0});
      check<T>({.m = m, .n = n, .k = 0, .accumulate = true});
      check<T>({.m = m, .n = n, .k = 0, .row_bias = true, .column_bias = true});
    }
  }
}

TEST_CASE_TEMPLATE("gemm with m = 0 or n = 0 does nothing", T, float, double) {
  teff::kernels::gemm_kernels<T>().gemm({.m = 0,
                                         .n = 3,
                                         .k = 2,
                                         .a = nullptr,
                                         .lda = 2,
                                         .transpose_a = false,
                                         .b = nullptr,
                                         .ldb = 3,
                                         .transpose_b = false,
                                         .c = nullptr,
                                         .ldc = 3});
  teff::kernels::gemm_kernels<T>().gemm({.m = 3,
                                         .n = 0,
                                         .k = 2,
                                         .a = nullptr,
                                         .lda = 2,
                                         .transpose_a = false,
                                         .b = nullptr,
                                         .ldb = 1,
                                         .transpose_b = false,
                                         .c = nullptr,
                                         .ldc = 1});
}

TEST_CASE_TEMPLATE("gemm's relu keeps NaN", T, float, double) {
  for (const int64_t m : {1, 4}) {
    for (const int64_t n : {1, 21}) {
      Product<T> product({.m = m, .n = n, .k = 3, .relu = true});
      product.a[0] = std::numeric_limits<T>::quiet_NaN();
      const std::vector<T> result = product.run();
      for (int64_t j = 0; j < n; ++j) CHECK(std::isnan(result[static_cast<std::size_t>(j)]));
      for (std::size_t i = static_cast<std::size_t>(n); i < result.size(); ++i) CHECK(result[i] >= 0);
    }
  }
}

TEST_CASE_TEMPLATE("gemm gives the same bits for any number of threads", T, float, double) {
  const int before = teff::get_num_threads();
  for (const Options& o : {Options{.m = 150, .n = 200, .k = 520}, Options{.m = 1, .n = 2000, .k = 300},
                           Options{.m = 700, .n = 33, .k = 300, .transpose_b = true}}) {
    const Product<T> product(o);
    teff::set_num_threads(1);
    const std::vector<T> one = product.run();
    for (const int threads : {2, 3, 8}) {
      teff::set_num_threads(threads);
      CHECK(std::memcmp(product.run().data(), one.data(), one.size() * sizeof(T)) == 0);
    }
  }
  teff::set_num_threads(before);
}
