// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

// Functions of each element, or over one dimension; shapes stay as they are.

namespace teff::nn {

/// max(x, 0)
class ReLU : public Module {
 public:
  TEFF_MODULE(ReLU)
  Tensor forward(const Tensor& input) override;
};

/// x where x > 0, else negative_slope * x.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  TEFF_MODULE(LeakyReLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double negative_slope_;
};

/// 1 / (1 + exp(-x))
class Sigmoid : public Module {
 public:
  TEFF_MODULE(Sigmoid)
  Tensor forward(const Tensor& input) override;
};

class Tanh : public Module {
 public:
  TEFF_MODULE(Tanh)
  Tensor forward(const Tensor& input) override;
};

/// exp(x) / sum over dim of exp(x)
class Softmax : public Module {
 public:
  explicit Softmax(std::int64_t dim) : dim_(dim) {}
  TEFF_MODULE(Softmax)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

}  // namespace teff::nn
