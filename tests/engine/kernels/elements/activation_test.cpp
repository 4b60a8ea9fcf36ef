// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/elements/elements_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::Activation;

namespace {

double reference(Activation op, double x, double a, double b) {
  switch (op) {
    case Activation::hardtanh:
      return x < a ? a : x > b ? b : x;
    case Activation::elu:
      return x > 0 ? x : a * std::expm1(x);
    case Activation::gelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::hardswish:
      return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
    case Activation::hardsigmoid:
      return x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6;
    case Activation::softplus:
      return a * x > b ? x : std::log1p(std::exp(a * x)) / a;
  }
  return 0;
}

/// By central differences.
double reference_derivative(Activation op, double x, double a, double b) {
  const double step = 1e-6;
  return (reference(op, x + step, a, b) - reference(op, x - step, a, b)) / (2 * step);
}

struct Case {
  Activation op;
  double a = 0, b = 0;
};

const std::vector<Case> kAll = {{Activation::hardtanh, -1.25, 2}, {Activation::elu, 0.75},     {Activation::gelu},
                                {Activation::gelu_tanh},          {Activation::silu},          {Activation::hardswish},
                                {Activation::hardsigmoid},        {Activation::softplus, 2, 5}};

template <class T>
std::vector<T> apply(const Case& c, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  kernels::activation_kernels<T>().activation(c.op, static_cast<int64_t>(x.size()), static_cast<T>(c.a),
                                              static_cast<T>(c.b), x.data(), y.data());
  return y;
}

template <class T>
std::vector<T> derivative(const Case& c, const std::vector<T>& grad, const std::vector<T>& x) {
  std::vector<T> dx(x.size());
  kernels::activation_kernels<T>().activation_backward(c.op, static_cast<int64_t>(x.size()), static_cast<T>(c.a),
                                                       static_cast<T>(c.b), grad.data(), x.data(), dx.data());
  return dx;
}

}  // namespace

TEST_CASE_TEMPLATE("activations agree with their formulas at every size", T, float, double) {
  for (const Case& c : kAll) {
    for (const T range : {T(0.01), T(5), T(100)}) {
      for (int64_t n : kAwkwardSizes) {
        CAPTURE(static_cast<int>(c.op));
        CAPTURE(range);
        const std::vector<T> x = random_values<T>(n, -range, range);
        std::vector<double> expected;
        for (T v : x) expected.push_back(reference(c.op, static_cast<double>(v), c.a, c.b));
        // Relative to x, too: gelu and silu far below 0 are small differences of numbers near 1.
        check_close(apply(c, x), expected, kTolerance<T>, static_cast<double>(range));
      }
    }
  }
}

TEST_CASE_TEMPLATE("the derivatives of activations agree with differences at every size", T, float, double) {
  for (const Case& c : kAll) {
    for (int64_t n : kAwkwardSizes) {
      CAPTURE(static_cast<int>(c.op));
      const std::vector<T> x = random_values<T>(n, -8, 8), grad = random_values<T>(n, -2, 2, 2);
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        expected.push_back(static_cast<double>(grad[i]) *
                           reference_derivative(c.op, static_cast<double>(x[i]), c.a, c.b));
      }
      check_close(derivative(c, grad, x), expected, std::max(kTolerance<T>, 1e-8), 8);
    }
  }
}

TEST_CASE_TEMPLATE("elu and softplus keep small results, in full precision", T, float, double) {
  const std::vector<T> x = {T(-1e-5), T(-1e-3), T(-20), T(-60)};
  const std::vector<T> elu = apply<T>({Activation::elu, 1}, x), softplus = apply<T>({Activation::softplus, 1, 20}, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(close(elu[i], std::expm1(static_cast<double>(x[i])), kTolerance<T>));
    CHECK(close(softplus[i], std::log1p(std::exp(static_cast<double>(x[i]))), kTolerance<T>));
  }
}

TEST_CASE_TEMPLATE("activations of NaN are NaN, and infinity goes where the formula goes", T, float, double) {
  const T inf = kInf<T>, nan = kNan<T>;
  for (const Case& c : kAll) {
    CAPTURE(static_cast<int>(c.op));
    CHECK(std::isnan(apply<T>(c, {nan})[0]));
    const T above = apply<T>(c, {inf})[0];
    CHECK(above == (c.op == Activation::hardtanh ? T(2) : c.op == Activation::hardsigmoid ? T(1) : inf));
  }
  CHECK(apply<T>({Activation::elu, 0.5}, {-inf})[0] == T(-0.5));
  CHECK(apply<T>({Activation::softplus, 1, 20}, {-inf})[0] == 0);
}

TEST_CASE_TEMPLATE("where a derivative jumps it is PyTorch's", T, float, double) {
  const auto at = [](const Case& c, T x) { return derivative<T>(c, {1}, {x})[0]; };
  CHECK(at({Activation::hardtanh, -1, 2}, -1) == 0);
  CHECK(at({Activation::hardtanh, -1, 2}, 2) == 0);
  CHECK(at({Activation::elu, 0.5}, 0) == T(0.5));
  CHECK(at({Activation::hardswish}, -3) == T(-0.5));
  CHECK(at({Activation::hardswish}, 3) == T(1.5));
  CHECK(at({Activation::hardsigmoid}, -3) == 0);
  CHECK(at({Activation::hardsigmoid}, 3) == 0);
}

TEST_CASE_TEMPLATE("an activation's result does not depend on its place in the array", T, float, double) {
  const std::vector<T> x = random_values<T>(70, -4, 4);
  for (const Case& c : kAll) {
    const std::vector<T> y = apply(c, x);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(apply(c, std::vector<T>{x[i]})[0] == y[i]);
  }
}

TEST_CASE("gelu in single precision is right to a few units of its argument's last place") {
  const std::vector<float> x = random_values<float>(100000, -6, 6);
  const std::vector<float> y = apply<float>({Activation::gelu}, x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = reference(Activation::gelu, static_cast<double>(x[i]), 0, 0);
    worst = std::max(worst, std::fabs(static_cast<double>(y[i]) - exact) / std::fabs(static_cast<double>(x[i])));
  }
  CHECK(worst < 2 * static_cast<double>(std::numeric_limits<float>::epsilon()));
}
