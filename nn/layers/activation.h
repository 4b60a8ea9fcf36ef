// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/ops.h"
#include "teff/nn/module.h"

// Functions of each element, or over one dimension; shapes stay as they are. Those that take `inplace` only show it
// when printed: results are always tensors of their own.

namespace TEFF_EXPORT teff {
namespace nn {

/// max(x, 0)
class ReLU : public Module {
 public:
  explicit ReLU(bool inplace = false) : inplace_(inplace) {}
  TEFF_MODULE(ReLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  bool inplace_;
};

/// min(max(x, 0), 6)
class ReLU6 : public Module {
 public:
  explicit ReLU6(bool inplace = false) : inplace_(inplace) {}
  TEFF_MODULE(ReLU6)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  bool inplace_;
};

/// x where x > 0, else negative_slope * x.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double negative_slope = 0.01, bool inplace = false)
      : negative_slope_(negative_slope), inplace_(inplace) {}
  TEFF_MODULE(LeakyReLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double negative_slope_;
  bool inplace_;
};

/// x where x > 0, else weight * x: one weight for each channel of [N, C, ...], or one for all.
class PReLU : public Module {
 public:
  /// The weights begin as init. @throws ValueError for num_parameters below 1.
  explicit PReLU(Integer num_parameters = 1, double init = 0.25);
  Parameter weight;  // [num_parameters]
  TEFF_MODULE(PReLU, weight)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
};

/// teff::hardtanh: min(max(x, min_val), max_val)
class Hardtanh : public Module {
 public:
  /// @throws ValueError unless min_val < max_val.
  explicit Hardtanh(double min_val = -1, double max_val = 1, bool inplace = false);
  TEFF_MODULE(Hardtanh)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double min_val_, max_val_;
  bool inplace_;
};

/// x where x > 0, else alpha * (exp(x) - 1).
class ELU : public Module {
 public:
  explicit ELU(double alpha = 1, bool inplace = false) : alpha_(alpha), inplace_(inplace) {}
  TEFF_MODULE(ELU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double alpha_;
  bool inplace_;
};

/// teff::gelu: x times the normal distribution function of x, or an approximation of it (Hendrycks and Gimpel, 2016).
class GELU : public Module {
 public:
  explicit GELU(GeluApproximation approximate = GeluApproximation::none) : approximate_(approximate) {}
  TEFF_MODULE(GELU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  GeluApproximation approximate_;
};

/// x / (1 + exp(-x))
class SiLU : public Module {
 public:
  explicit SiLU(bool inplace = false) : inplace_(inplace) {}
  TEFF_MODULE(SiLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  bool inplace_;
};

/// x * relu6(x + 3) / 6 (Howard et al., 2019)
class Hardswish : public Module {
 public:
  TEFF_MODULE(Hardswish)
  Tensor forward(const Tensor& input) override;
};

/// relu6(x + 3) / 6
class Hardsigmoid : public Module {
 public:
  TEFF_MODULE(Hardsigmoid)
  Tensor forward(const Tensor& input) override;
};

/// teff::softplus: log(1 + exp(beta * x)) / beta, and x where beta * x > threshold.
class Softplus : public Module {
 public:
  /// @throws ValueError unless beta > 0.
  explicit Softplus(double beta = 1, double threshold = 20);
  TEFF_MODULE(Softplus)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double beta_, threshold_;
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
  explicit Softmax(Integer dim) : dim_(dim) {}
  TEFF_MODULE(Softmax)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

/// The logarithm of Softmax.
class LogSoftmax : public Module {
 public:
  explicit LogSoftmax(Integer dim) : dim_(dim) {}
  TEFF_MODULE(LogSoftmax)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

}  // namespace nn
}  // namespace teff
