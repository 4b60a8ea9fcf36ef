// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/elements/elements_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::PairLoss;

namespace {

double reference(PairLoss loss, double x, double t, double parameter) {
  const double size = std::fabs(x - t);
  switch (loss) {
    case PairLoss::mse:
      return size * size;
    case PairLoss::l1:
      return size;
    case PairLoss::smooth_l1:
      return size < parameter ? size * size / 2 / parameter : size - parameter / 2;
    case PairLoss::huber:
      return size < parameter ? size * size / 2 : parameter * (size - parameter / 2);
    case PairLoss::bce:
      return -(t * std::fmax(std::log(x), -100) + (1 - t) * std::fmax(std::log1p(-x), -100));
    case PairLoss::bce_with_logits:
      return (1 - t) * x + (x > 0 ? std::log1p(std::exp(-x)) : std::log1p(std::exp(x)) - x);
    case PairLoss::kl_div:
      return t == 0 ? 0 : t * (std::log(t) - x);
    case PairLoss::kl_div_log_target:
      return std::exp(t) * (t - x);
  }
  return 0;
}

const std::vector<PairLoss> kAll = {PairLoss::mse,       PairLoss::l1,
                                    PairLoss::smooth_l1, PairLoss::huber,
                                    PairLoss::bce,       PairLoss::bce_with_logits,
                                    PairLoss::kl_div,    PairLoss::kl_div_log_target};

/// Values that every loss takes.
template <class T>
std::vector<T> inputs(PairLoss loss, int64_t n) {
  return loss == PairLoss::bce ? random_values<T>(n, T(0.05), T(0.95)) : random_values<T>(n, -3, 3);
}
template <class T>
std::vector<T> targets(PairLoss loss, int64_t n) {
  return loss == PairLoss::kl_div_log_target ? random_values<T>(n, -3, 0, 2) : random_values<T>(n, T(0.05), 1, 2);
}

template <class T>
std::vector<T> apply(PairLoss loss, const std::vector<T>& x, const std::vector<T>& target, T parameter = T(0.7)) {
  std::vector<T> y(x.size());
  kernels::pair_loss_kernels<T>().pair_loss(loss, static_cast<int64_t>(x.size()), parameter, x.data(), target.data(),
                                            y.data());
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("losses of pairs agree with their formulas at every size", T, float, double) {
  for (PairLoss loss : kAll) {
    for (int64_t n : kAwkwardSizes) {
      CAPTURE(static_cast<int>(loss));
      const std::vector<T> x = inputs<T>(loss, n), target = targets<T>(loss, n);
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const T parameter = T(0.7);
        expected.push_back(
            reference(loss, static_cast<double>(x[i]), static_cast<double>(target[i]), static_cast<double>(parameter)));
      }
      check_close(apply(loss, x, target), expected, kTolerance<T>, 1);
    }
  }
}

TEST_CASE_TEMPLATE("gradients of losses agree with differences, for both inputs and for either alone", T, float,
                   double) {
  const double step = 1e-6, parameter = static_cast<double>(T(0.7));
  for (PairLoss loss : kAll) {
    for (int grad_step : {0, 1}) {
      CAPTURE(static_cast<int>(loss));
      const std::vector<T> x = inputs<T>(loss, 100), target = targets<T>(loss, 100);
      const std::vector<T> grad = random_values<T>(100, -2, 2, 3);
      std::vector<double> by_x, by_target;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto f = [&](double dx, double dt) {
          return reference(loss, static_cast<double>(x[i]) + dx, static_cast<double>(target[i]) + dt, parameter);
        };
        const double g = 0.25 * static_cast<double>(grad[grad_step == 0 ? 0 : i]);
        by_x.push_back(g * (f(step, 0) - f(-step, 0)) / (2 * step));
        by_target.push_back(g * (f(0, step) - f(0, -step)) / (2 * step));
      }
      for (int wanted = 1; wanted < 4; ++wanted) {
        std::vector<T> gx(100), gt(100);
        kernels::pair_loss_kernels<T>().pair_loss_backward(loss, 100, T(0.7), grad.data(), grad_step, T(0.25), x.data(),
                                                           target.data(), (wanted & 1) != 0 ? gx.data() : nullptr,
                                                           (wanted & 2) != 0 ? gt.data() : nullptr);
        const double tolerance = std::max(kTolerance<T>, 1e-7);
        if ((wanted & 1) != 0) check_close(gx, by_x, tolerance, 2);
        if ((wanted & 2) != 0) check_close(gt, by_target, tolerance, 2);
      }
    }
  }
}

TEST_CASE_TEMPLATE("losses of special values", T, float, double) {
  const T nan = kNan<T>;
  for (PairLoss loss : kAll) {
    CAPTURE(static_cast<int>(loss));
    CHECK(std::isnan(apply<T>(loss, {nan}, {T(0.5)})[0]));
    CHECK(std::isnan(apply<T>(loss, {T(0.5)}, {nan})[0]));
  }
  CHECK(apply<T>(PairLoss::bce, {0, 1}, {1, 0}) == std::vector<T>{100, 100});
  CHECK(apply<T>(PairLoss::bce, {0, 1}, {0, 1}) == std::vector<T>{0, 0});
  CHECK(apply<T>(PairLoss::bce_with_logits, {1000, -1000}, {0, 1}) == std::vector<T>{1000, 1000});
  CHECK(apply<T>(PairLoss::bce_with_logits, {1000, -1000}, {1, 0}) == std::vector<T>{0, 0});
  CHECK(apply<T>(PairLoss::kl_div, {-3}, {0})[0] == 0);
  CHECK(apply<T>(PairLoss::smooth_l1, {1, 2}, {2, 2}, 0) == std::vector<T>{1, 0});
}
