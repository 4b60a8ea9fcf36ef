// SPDX-License-Identifier: MIT
#include "teff/nn/layers/linear.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {

Linear::Linear(Integer in_features, Integer out_features, const LinearOptions& options) {
  detail::expect_at_least(1, "Linear", "in_features", in_features);
  detail::expect_at_least(1, "Linear", "out_features", out_features);
  weight = empty({out_features, in_features});
  if (options.bias) bias = empty({out_features});
  init::reset_affine_(weight, bias);
}

Tensor Linear::forward(const Tensor& input) { return linear(input, weight, bias); }

std::string Linear::extra_repr() const {
  return "in_features=" + std::to_string(weight.size(1)) + ", out_features=" + std::to_string(weight.size(0)) +
         ", bias=" + detail::python_bool(bias.defined());
}

}  // namespace teff::nn
