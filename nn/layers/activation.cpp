// SPDX-License-Identifier: MIT
#include "teff/nn/layers/activation.h"

#include "teff/nn/text.h"

namespace teff::nn {
using detail::inplace_repr;
using detail::whole_or_float;

Tensor ReLU::forward(const Tensor& input) { return relu(input); }
std::string ReLU::extra_repr() const { return inplace_repr(inplace_); }

Tensor ReLU6::forward(const Tensor& input) { return relu6(input); }
std::string ReLU6::extra_repr() const { return inplace_repr(inplace_); }

Tensor LeakyReLU::forward(const Tensor& input) { return leaky_relu(input, negative_slope_); }
std::string LeakyReLU::extra_repr() const {
  return inplace_repr(inplace_, "negative_slope=" + detail::python_float(negative_slope_));
}

PReLU::PReLU(Integer num_parameters, double init) {
  detail::expect_at_least(1, "PReLU", "num_parameters", num_parameters);
  weight = full({num_parameters}, init);
}
Tensor PReLU::forward(const Tensor& input) { return prelu(input, weight); }
std::string PReLU::extra_repr() const { return "num_parameters=" + std::to_string(weight.numel()); }

Hardtanh::Hardtanh(double min_val, double max_val, bool inplace)
    : min_val_(min_val), max_val_(max_val), inplace_(inplace) {
  detail::expect(min_val < max_val, "Hardtanh", "min_val < max_val",
                 detail::python_float(min_val) + " and " + detail::python_float(max_val));
}
Tensor Hardtanh::forward(const Tensor& input) { return hardtanh(input, min_val_, max_val_); }
std::string Hardtanh::extra_repr() const {
  return inplace_repr(inplace_,
                      "min_val=" + detail::python_float(min_val_) + ", max_val=" + detail::python_float(max_val_));
}

Tensor ELU::forward(const Tensor& input) { return elu(input, alpha_); }
std::string ELU::extra_repr() const { return inplace_repr(inplace_, "alpha=" + detail::python_float(alpha_)); }

Tensor GELU::forward(const Tensor& input) { return gelu(input, approximate_); }
std::string GELU::extra_repr() const {
  return approximate_ == GeluApproximation::none ? "approximate='none'" : "approximate='tanh'";
}

Tensor SiLU::forward(const Tensor& input) { return silu(input); }
std::string SiLU::extra_repr() const { return inplace_repr(inplace_); }

Tensor Hardswish::forward(const Tensor& input) { return hardswish(input); }

Tensor Hardsigmoid::forward(const Tensor& input) { return hardsigmoid(input); }

Softplus::Softplus(double beta, double threshold) : beta_(beta), threshold_(threshold) {
  detail::expect(beta > 0, "Softplus", "beta > 0", detail::python_float(beta));
}
Tensor Softplus::forward(const Tensor& input) { return softplus(input, beta_, threshold_); }
std::string Softplus::extra_repr() const {
  return "beta=" + whole_or_float(beta_) + ", threshold=" + whole_or_float(threshold_);
}

Tensor Sigmoid::forward(const Tensor& input) { return sigmoid(input); }

Tensor Tanh::forward(const Tensor& input) { return tanh(input); }

Tensor Softmax::forward(const Tensor& input) { return softmax(input, dim_); }
std::string Softmax::extra_repr() const { return "dim=" + std::to_string(dim_); }

Tensor LogSoftmax::forward(const Tensor& input) { return log_softmax(input, dim_); }
std::string LogSoftmax::extra_repr() const { return "dim=" + std::to_string(dim_); }

}  // namespace teff::nn
