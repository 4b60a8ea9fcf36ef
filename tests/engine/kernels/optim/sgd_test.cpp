// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/optim/optim_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::SgdFactors;

namespace {

/// PyTorch's step, one value at a time.
template <class T>
void reference_step(const SgdFactors& o, T grad, double& buffer, double& parameter) {
  double g = o.maximize ? -static_cast<double>(grad) : static_cast<double>(grad);
  g += o.weight_decay * parameter;
  if (o.momentum != 0) {
    buffer = o.first_step ? g : o.momentum * buffer + (1 - o.dampening) * g;
    g = o.nesterov ? g + o.momentum * buffer : buffer;
  }
  parameter -= o.lr * g;
}

}  // namespace

TEST_CASE_TEMPLATE("sgd_step follows PyTorch's formula for every combination of options", T, float, double) {
  for (int64_t n : {0, 1, 3, 7, 8, 17, 1000, 100000}) {
    for (double momentum : {0.0, 0.9}) {
      for (double dampening : {0.0, 0.1}) {
        for (double weight_decay : {0.0, 0.01}) {
          for (int flags = 0; flags < 4; ++flags) {
            std::vector<T> parameter = random_values<T>(n), buffer = zeros<T>(n);
            std::vector<double> p(parameter.begin(), parameter.end()), b(buffer.begin(), buffer.end());
            for (unsigned step = 0; step < 3; ++step) {
              const SgdFactors options{0.1,      momentum, dampening, weight_decay, (flags & 1) != 0, (flags & 2) != 0,
                                       step == 0};
              const std::vector<T> grad = random_values<T>(n, -1, 1, step + 2);
              kernels::sgd_kernels<T>().sgd_step(options, n, grad.data(), momentum == 0 ? nullptr : buffer.data(),
                                                 parameter.data());
              for (std::size_t i = 0; i < p.size(); ++i) reference_step(options, grad[i], b[i], p[i]);
            }
            check_close(parameter, p, kTolerance<T>, 2);
            if (momentum != 0) check_close(buffer, b, kTolerance<T>, 2);
          }
        }
      }
    }
  }
}

TEST_CASE("the first step of sgd does not read the momentum buffer") {
  const std::vector<float> grad = {1, 2, 3};
  std::vector<float> buffer(3, kNan<float>), parameter = {1, 1, 1};
  kernels::sgd_kernels<float>().sgd_step({0.5, 0.9, 0.5, 0, false, false, true}, 3, grad.data(), buffer.data(),
                                         parameter.data());
  CHECK(buffer == grad);
  CHECK(parameter == std::vector<float>{0.5f, 0, -0.5f});
}
