// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/optim/optim_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::AdagradFactors;
using kernels::AdamFactors;
using kernels::RmspropFactors;

namespace {

const std::vector<int64_t> kSizes = {0, 1, 3, 7, 8, 17, 1000, 100000};
constexpr unsigned kSteps = 3;

/// A parameter and its state as the kernel and as a slow reference see them.
template <class T>
struct Array {
  explicit Array(std::vector<T> start) : values(std::move(start)), expected(values.begin(), values.end()) {}
  void check(double scale = 1) const { check_close(values, expected, 4 * kTolerance<T>, scale); }

  std::vector<T> values;
  std::vector<double> expected;
};

template <class Step>
double direction(const Step& o, double grad, double p) {
  return (o.maximize ? -grad : grad) + o.weight_decay * p;
}

}  // namespace

TEST_CASE_TEMPLATE("adam_step follows its formula for every combination of options", T, float, double) {
  for (const int64_t n : kSizes) {
    for (int flags = 0; flags < 8; ++flags) {
      const bool amsgrad = (flags & 1) != 0;
      AdamFactors o{.step_size = 0,
                    .root_correction = 1,
                    .beta1 = 0.75,
                    .beta2 = 0.875,
                    .eps = 1e-3,
                    .weight_decay = (flags & 2) != 0 ? 0.1 : 0,
                    .shrink = (flags & 2) != 0 ? 1 : 0.99,
                    .maximize = (flags & 4) != 0};
      Array<T> p(random_values<T>(n)), m(zeros<T>(n)), v(zeros<T>(n)), w(zeros<T>(n));
      for (unsigned t = 1; t <= kSteps; ++t) {
        o.step_size = 0.1 / (1 - std::pow(o.beta1, t));
        o.root_correction = std::sqrt(1 - std::pow(o.beta2, t));
        const std::vector<T> grad = random_values<T>(n, T(-1), T(1), t + 2);
        kernels::adam_kernels<T>().adam_step(o, n, grad.data(), m.values.data(), v.values.data(),
                                             amsgrad ? w.values.data() : nullptr, p.values.data());
        for (std::size_t i = 0; i < grad.size(); ++i) {
          const double g = direction(o, grad[i], p.expected[i]);
          m.expected[i] = o.beta1 * m.expected[i] + (1 - o.beta1) * g;
          v.expected[i] = o.beta2 * v.expected[i] + (1 - o.beta2) * g * g;
          if (amsgrad) w.expected[i] = std::max(w.expected[i], v.expected[i]);
          const double root = std::sqrt(amsgrad ? w.expected[i] : v.expected[i]) / o.root_correction + o.eps;
          p.expected[i] = o.shrink * p.expected[i] - o.step_size * m.expected[i] / root;
        }
      }
      p.check(4);
      m.check();
      v.check();
      w.check();
    }
  }
}

TEST_CASE_TEMPLATE("rmsprop_step follows its formula for every combination of options", T, float, double) {
  for (const int64_t n : kSizes) {
    for (int flags = 0; flags < 8; ++flags) {
      const bool centered = (flags & 1) != 0;
      const RmspropFactors o{.lr = 0.1,
                             .alpha = 0.75,
                             .eps = 0.25,
                             .weight_decay = 0.1,
                             .momentum = (flags & 2) != 0 ? 0.5 : 0,
                             .maximize = (flags & 4) != 0};
      Array<T> p(random_values<T>(n)), v(zeros<T>(n)), a(zeros<T>(n)), b(zeros<T>(n));
      for (unsigned t = 1; t <= kSteps; ++t) {
        const std::vector<T> grad = random_values<T>(n, T(-1), T(1), t + 2);
        kernels::adam_kernels<T>().rmsprop_step(o, n, grad.data(), v.values.data(),
                                                centered ? a.values.data() : nullptr,
                                                o.momentum != 0 ? b.values.data() : nullptr, p.values.data());
        for (std::size_t i = 0; i < grad.size(); ++i) {
          const double g = direction(o, grad[i], p.expected[i]);
          v.expected[i] = o.alpha * v.expected[i] + (1 - o.alpha) * g * g;
          if (centered) a.expected[i] = o.alpha * a.expected[i] + (1 - o.alpha) * g;
          const double square = v.expected[i] - a.expected[i] * a.expected[i];
          const double ratio = g / (std::sqrt(square) + o.eps);
          b.expected[i] = o.momentum * b.expected[i] + ratio;
          p.expected[i] -= o.lr * b.expected[i];
        }
      }
      p.check(8);
      v.check();
      a.check();
      if (o.momentum != 0) b.check(8);
    }
  }
}

TEST_CASE_TEMPLATE("adagrad_step follows its formula for every combination of options", T, float, double) {
  for (const int64_t n : kSizes) {
    for (int flags = 0; flags < 4; ++flags) {
      const AdagradFactors o{
          .lr = 0.1, .eps = 1e-3, .weight_decay = (flags & 1) != 0 ? 0.1 : 0, .maximize = (flags & 2) != 0};
      Array<T> p(random_values<T>(n)), s(std::vector<T>(static_cast<std::size_t>(n), T(0.5)));
      for (unsigned t = 1; t <= kSteps; ++t) {
        const std::vector<T> grad = random_values<T>(n, T(-1), T(1), t + 2);
        kernels::adam_kernels<T>().adagrad_step(o, n, grad.data(), s.values.data(), p.values.data());
        for (std::size_t i = 0; i < grad.size(); ++i) {
          const double g = direction(o, grad[i], p.expected[i]);
          s.expected[i] += g * g;
          p.expected[i] -= o.lr * g / (std::sqrt(s.expected[i]) + o.eps);
        }
      }
      p.check(4);
      s.check();
    }
  }
}

TEST_CASE("NaN in a gradient reaches the parameter") {
  const std::vector<float> grad(11, kNan<float>);
  std::vector<float> p(11, 1), m(11), v(11), w(11);
  kernels::adam_kernels<float>().adam_step({1, 1, 0.5, 0.5, 0, 0, 1, false}, 11, grad.data(), m.data(), v.data(),
                                           w.data(), p.data());
  CHECK(std::all_of(p.begin(), p.end(), [](float x) { return std::isnan(x); }));
  CHECK(std::all_of(w.begin(), w.end(), [](float x) { return std::isnan(x); }));
}
