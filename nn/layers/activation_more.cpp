// SPDX-License-Identifier: MIT
#include "teff/nn/layers/activation_more.h"

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::nn {

using detail::inplace_repr;
using detail::python_float;
using detail::whole_or_float;

Tensor CELU::forward(const Tensor& input) { return celu(input, alpha_); }
std::string CELU::extra_repr() const { return inplace_repr(inplace_, "alpha=" + python_float(alpha_)); }

Tensor SELU::forward(const Tensor& input) { return selu(input); }
std::string SELU::extra_repr() const { return inplace_repr(inplace_); }

Tensor Mish::forward(const Tensor& input) { return mish(input); }
std::string Mish::extra_repr() const { return inplace_repr(inplace_); }

Tensor RReLU::forward(const Tensor& input) { return rrelu(input, lower_, upper_, is_training()); }
std::string RReLU::extra_repr() const {
  return inplace_repr(inplace_, "lower=" + python_float(lower_) + ", upper=" + python_float(upper_));
}

Tensor Threshold::forward(const Tensor& input) { return threshold(input, threshold_, value_); }
std::string Threshold::extra_repr() const {
  return inplace_repr(inplace_, "threshold=" + whole_or_float(threshold_) + ", value=" + whole_or_float(value_));
}

Tensor LogSigmoid::forward(const Tensor& input) { return logsigmoid(input); }

Tensor Hardshrink::forward(const Tensor& input) { return hardshrink(input, lambd_); }
std::string Hardshrink::extra_repr() const { return whole_or_float(lambd_); }

Tensor Softshrink::forward(const Tensor& input) { return softshrink(input, lambd_); }
std::string Softshrink::extra_repr() const { return whole_or_float(lambd_); }

Tensor Softsign::forward(const Tensor& input) { return softsign(input); }

Tensor Tanhshrink::forward(const Tensor& input) { return tanhshrink(input); }

Tensor GLU::forward(const Tensor& input) { return glu(input, dim_); }
std::string GLU::extra_repr() const { return "dim=" + std::to_string(dim_); }

Tensor Softmin::forward(const Tensor& input) { return softmin(input, dim_); }
std::string Softmin::extra_repr() const { return "dim=" + std::to_string(dim_); }

Tensor Softmax2d::forward(const Tensor& input) {
  if (input.dim() != 3 && input.dim() != 4) {
    throw ShapeError("Softmax2d: expected input [N, C, H, W] or [C, H, W], got " + to_string(input.shape()));
  }
  return softmax(input, -3);
}

}  // namespace teff::nn
