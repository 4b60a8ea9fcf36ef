// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/elements/elements_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::Binary;
using kernels::Unary;

namespace {

double reference(Unary op, double x, double a, double b) {
  switch (op) {
    case Unary::relu:
      return x <= 0 ? 0 : x;
    case Unary::leaky_relu:
      return x > 0 ? x : x * a;
    case Unary::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Unary::tanh:
      return std::tanh(x);
    case Unary::exp:
      return std::exp(x);
    case Unary::log:
      return std::log(x);
    case Unary::sqrt:
      return std::sqrt(x);
    case Unary::abs:
      return std::fabs(x);
    case Unary::neg:
      return -x;
    case Unary::clamp:
      return x < a ? a : x > b ? b : x;
    case Unary::pow:
      return std::pow(x, a);
  }
  return 0;
}

double reference_derivative(Unary op, double x, double a, double b) {
  const double y = reference(op, x, a, b);
  switch (op) {
    case Unary::relu:
      return x > 0;
    case Unary::leaky_relu:
      return x > 0 ? 1 : a;
    case Unary::sigmoid:
      return y * (1 - y);
    case Unary::tanh:
      return 1 - y * y;
    case Unary::exp:
      return y;
    case Unary::log:
      return 1 / x;
    case Unary::sqrt:
      return 0.5 / y;
    case Unary::abs:
      return (x > 0) - (x < 0);
    case Unary::neg:
      return -1;
    case Unary::clamp:
      return x >= a && x <= b;
    case Unary::pow:
      return a == 0 ? 0 : a * std::pow(x, a - 1);
  }
  return 0;
}

const std::vector<Unary> kAll = {Unary::relu, Unary::leaky_relu, Unary::sigmoid, Unary::tanh,  Unary::exp, Unary::log,
                                 Unary::sqrt, Unary::abs,        Unary::neg,     Unary::clamp, Unary::pow};

template <class T>
std::vector<T> apply(Unary op, const std::vector<T>& x, T a = 0, T b = 0) {
  std::vector<T> y(x.size());
  kernels::elementwise_kernels<T>().unary(op, static_cast<int64_t>(x.size()), a, b, x.data(), y.data());
  return y;
}

template <class T>
std::vector<T> apply(Binary op, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out(a.size());
  kernels::elementwise_kernels<T>().binary(op, static_cast<int64_t>(a.size()), a.data(), 1, b.data(), 1, out.data());
  return out;
}

/// The worst relative error over the values of x, in units of epsilon.
template <class T>
double worst_error(Unary op, const std::vector<T>& x) {
  const std::vector<T> y = apply(op, x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = static_cast<double>(static_cast<T>(reference(op, static_cast<double>(x[i]), 0, 0)));
    const double smallest = static_cast<double>(std::numeric_limits<T>::min());
    const double error = std::fabs(static_cast<double>(y[i]) - exact) / std::fmax(std::fabs(exact), smallest);
    worst = std::fmax(worst, error);
  }
  return worst / static_cast<double>(std::numeric_limits<T>::epsilon());
}

}  // namespace

TEST_CASE_TEMPLATE("unary operations agree with the C library at every size", T, float, double) {
  for (Unary op : kAll) {
    for (int64_t n : kAwkwardSizes) {
      CAPTURE(static_cast<int>(op));
      CAPTURE(n);
      const bool positive = op == Unary::log || op == Unary::sqrt || op == Unary::pow;
      const std::vector<T> x = random_values<T>(n, positive ? T(0.01) : T(-3), 3);
      const T a = op == Unary::pow ? T(1.7) : T(-0.5), b = 1;
      std::vector<double> expected;
      for (T v : x) {
        expected.push_back(reference(op, static_cast<double>(v), static_cast<double>(a), static_cast<double>(b)));
      }
      check_close(apply(op, x, a, b), expected, kTolerance<T>, 0.1);
    }
  }
}

TEST_CASE_TEMPLATE("unary operations write nothing beyond the end and work in place", T, float, double) {
  for (Unary op : kAll) {
    for (int64_t n : kAwkwardSizes) {
      const std::vector<T> x = random_values<T>(n, T(0.1), 3);
      std::vector<T> y = x;
      y.push_back(42);
      kernels::elementwise_kernels<T>().unary(op, n, T(0.3), 2, y.data(), y.data());
      CHECK(y.back() == 42);
      y.pop_back();
      CHECK(same_bits(y, apply(op, x, T(0.3), T(2))));
    }
  }
}

TEST_CASE_TEMPLATE("a value's result does not depend on its place in the array", T, float, double) {
  const std::vector<T> x = random_values<T>(70, T(0.01), 5);
  for (Unary op : kAll) {
    const std::vector<T> y = apply(op, x, T(1.7), T(2));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(apply(op, std::vector<T>{x[i]}, T(1.7), T(2))[0] == y[i]);
    }
  }
}

TEST_CASE_TEMPLATE("exp, log, tanh, sigmoid and sqrt are right to a few units in the last place", T, float, double) {
  const T highest = sizeof(T) == 4 ? T(88.7) : T(709.7);
  CHECK(worst_error(Unary::exp, random_values<T>(100000, -highest - 20, highest)) < 3);
  CHECK(worst_error(Unary::exp, random_values<T>(100000, -2, 2)) < 3);
  CHECK(worst_error(Unary::log, random_values<T>(100000, 0, 4)) < 3);
  CHECK(worst_error(Unary::log, random_values<T>(100000, 0, std::numeric_limits<T>::max())) < 3);
  CHECK(worst_error(Unary::log, random_values<T>(1000, 0, std::numeric_limits<T>::min())) < 3);
  CHECK(worst_error(Unary::tanh, random_values<T>(100000, -10, 10)) < 6);
  CHECK(worst_error(Unary::tanh, random_values<T>(100000, T(-0.01), T(0.01))) < 6);
  CHECK(worst_error(Unary::sigmoid, random_values<T>(100000, -80, 80)) < 4);
  CHECK(worst_error(Unary::sqrt, random_values<T>(1000, 0, 100)) == 0);
  CHECK(worst_error(Unary::sqrt, random_values<T>(1000, 0, std::numeric_limits<T>::min())) == 0);
}

TEST_CASE_TEMPLATE("unary operations treat special values as the C library does", T, float, double) {
  const T inf = kInf<T>, nan = kNan<T>, tiny = std::numeric_limits<T>::denorm_min();
  const T big = std::numeric_limits<T>::max();
  const std::vector<T> special = {T(0), T(-0.0), inf, -inf, nan, 1, -1, big, -big, tiny, -tiny, 100, -110, 750, -750};
  for (Unary op : kAll) {
    if (op == Unary::pow) continue;
    const std::vector<T> y = apply(op, special, T(-1.5), T(1.5));
    for (std::size_t i = 0; i < special.size(); ++i) {
      CAPTURE(static_cast<int>(op));
      CAPTURE(special[i]);
      const double expected =
          static_cast<double>(static_cast<T>(reference(op, static_cast<double>(special[i]), -1.5, 1.5)));
      CAPTURE(expected);
      CAPTURE(y[i]);
      const bool right = close(y[i], expected, kTolerance<T>) || std::fabs(y[i] - static_cast<T>(expected)) <= tiny;
      CHECK(right);
    }
  }
  CHECK(std::signbit(apply<T>(Unary::neg, {0})[0]));
  CHECK_FALSE(std::signbit(apply<T>(Unary::abs, {T(-0.0)})[0]));
}

TEST_CASE_TEMPLATE("pow has the values of std::pow for every exponent, the fast ones included", T, float, double) {
  const T inf = kInf<T>, nan = kNan<T>;
  const std::vector<T> x = {0, T(-0.0), 1, -1, 2, T(-2.5), T(0.3), inf, -inf, nan, 5, 6, 7, 8, 9, 10, 11};
  for (T exponent : {T(2), T(0.5), T(1), T(3), T(-1), T(-2), T(0), T(-0.5), T(1.5), T(4), inf, nan}) {
    const std::vector<T> y = apply(Unary::pow, x, exponent);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(exponent);
      CAPTURE(x[i]);
      CHECK(close(y[i], static_cast<double>(std::pow(x[i], exponent)), kTolerance<T>));
    }
  }
  CHECK_FALSE(std::signbit(apply<T>(Unary::pow, {T(-0.0)}, T(0.5))[0]));
}

TEST_CASE_TEMPLATE("unary gradients follow their formulas at every size", T, float, double) {
  for (Unary op : kAll) {
    for (int64_t n : kAwkwardSizes) {
      for (T a : {T(0.5), T(2), T(3), T(0), T(1.7)}) {
        const bool positive = op == Unary::log || op == Unary::sqrt || op == Unary::pow;
        const std::vector<T> x = random_values<T>(n, positive ? T(0.1) : T(-3), 3);
        const std::vector<T> grad = random_values<T>(n, -2, 2, 2), y = apply(op, x, a, T(2));
        std::vector<T> grad_x = zeros<T>(n);
        kernels::elementwise_kernels<T>().unary_backward(op, n, a, T(2), grad.data(), x.data(), y.data(),
                                                         grad_x.data());
        std::vector<double> expected;
        for (std::size_t i = 0; i < x.size(); ++i) {
          expected.push_back(static_cast<double>(grad[i]) *
                             reference_derivative(op, static_cast<double>(x[i]), static_cast<double>(a), 2));
        }
        CAPTURE(static_cast<int>(op));
        check_close(grad_x, expected, 4 * kTolerance<T>, 1);
      }
    }
  }
}

TEST_CASE_TEMPLATE("gradients where the derivative jumps are PyTorch's", T, float, double) {
  const auto gradient = [](Unary op, T x, T a, T b) {
    const T one = 1, y = apply<T>(op, {x}, a, b)[0];
    T result = 42;
    kernels::elementwise_kernels<T>().unary_backward(op, 1, a, b, &one, &x, &y, &result);
    return result;
  };
  CHECK(gradient(Unary::relu, 0, 0, 0) == 0);
  CHECK(gradient(Unary::abs, 0, 0, 0) == 0);
  CHECK(gradient(Unary::leaky_relu, 0, T(0.25), 0) == T(0.25));
  CHECK(gradient(Unary::clamp, -1, -1, 2) == 1);
  CHECK(gradient(Unary::clamp, 2, -1, 2) == 1);
  CHECK(gradient(Unary::clamp, T(2.5), -1, 2) == 0);
  CHECK(gradient(Unary::pow, 0, 0, 0) == 0);
  CHECK(gradient(Unary::pow, 0, 1, 0) == 1);
  CHECK(gradient(Unary::sqrt, 0, 0, 0) == kInf<T>);
}

TEST_CASE_TEMPLATE("binary operations work with arrays and with single values on either side", T, float, double) {
  const auto expected = [](Binary op, T a, T b) {
    switch (op) {
      case Binary::add:
        return a + b;
      case Binary::sub:
        return a - b;
      case Binary::mul:
        return a * b;
      case Binary::div:
        return a / b;
      case Binary::maximum:
        return a < b ? b : a;
      case Binary::minimum:
        return a < b ? a : b;
      case Binary::pow:
        return std::pow(a, b);
      case Binary::prelu:
        return a > 0 ? a : a * b;
      case Binary::prelu_slope:
        return a > 0 ? T(1) : b;
    }
    return T(0);
  };
  for (Binary op : {Binary::add, Binary::sub, Binary::mul, Binary::div, Binary::maximum, Binary::minimum, Binary::pow,
                    Binary::prelu, Binary::prelu_slope}) {
    for (int64_t n : kAwkwardSizes) {
      const T low = op == Binary::pow ? T(0.1) : T(-1);
      const std::vector<T> a = random_values<T>(n + 1, low, 2), b = random_values<T>(n + 1, T(0.1), 2, 2);
      for (int a_step : {0, 1}) {
        for (int b_step : {0, 1}) {
          std::vector<T> out = zeros<T>(n);
          kernels::elementwise_kernels<T>().binary(op, n, a.data(), a_step, b.data(), b_step, out.data());
          for (int64_t i = 0; i < n; ++i) {
            const std::size_t at = static_cast<std::size_t>(i);
            CHECK(out[at] ==
                  expected(op, a[at * static_cast<std::size_t>(a_step)], b[at * static_cast<std::size_t>(b_step)]));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("maximum and minimum give NaN if either side is NaN", T, float, double) {
  const T nan = kNan<T>;
  for (Binary op : {Binary::maximum, Binary::minimum}) {
    for (T v : apply<T>(op, {nan, 1, nan, nan, -kInf<T>}, {1, nan, nan, kInf<T>, nan})) CHECK(std::isnan(v));
  }
}

TEST_CASE_TEMPLATE("axpy adds a multiple in place", T, float, double) {
  for (int64_t n : kAwkwardSizes) {
    const std::vector<T> x = random_values<T>(n), before = random_values<T>(n, -2, 2, 2);
    std::vector<T> y = before;
    kernels::elementwise_kernels<T>().axpy(n, T(0.3), x.data(), y.data());
    std::vector<double> expected;
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected.push_back(static_cast<double>(before[i]) + static_cast<double>(T(0.3)) * static_cast<double>(x[i]));
    }
    check_close(y, expected, kTolerance<T>, 1);
  }
}

TEST_CASE("large arrays have the same bits for any number of threads") {
  const std::vector<float> x = random_values<float>(200001);
  check_any_thread_count([&] { return apply(Unary::tanh, x); });
  check_any_thread_count([&] { return apply(Binary::div, x, x); });
}
