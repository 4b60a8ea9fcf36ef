// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/ops.h"
#include "teff/nn/module.h"

// Further functions of each element, or over one dimension; shapes stay as they are, but for GLU's. `inplace` only
// shows when printed, as in activation.h.

namespace TEFF_EXPORT teff {
namespace nn {

/// x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron, 2017).
class CELU : public Module {
 public:
  explicit CELU(double alpha = 1, bool inplace = false) : alpha_(alpha), inplace_(inplace) {}
  TEFF_MODULE(CELU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double alpha_;
  bool inplace_;
};

/// teff::selu (Klambauer et al., 2017)
class SELU : public Module {
 public:
  explicit SELU(bool inplace = false) : inplace_(inplace) {}
  TEFF_MODULE(SELU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  bool inplace_;
};

/// x * tanh(log(1 + exp(x))) (Misra, 2019)
class Mish : public Module {
 public:
  explicit Mish(bool inplace = false) : inplace_(inplace) {}
  TEFF_MODULE(Mish)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  bool inplace_;
};

/// teff::rrelu: x where x >= 0, else slope * x; in training each slope is drawn from [lower, upper), otherwise it is
/// their mean.
class RReLU : public Module {
 public:
  explicit RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3, bool inplace = false)
      : lower_(lower), upper_(upper), inplace_(inplace) {}
  TEFF_MODULE(RReLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double lower_, upper_;
  bool inplace_;
};

/// x where x > threshold, else value.
class Threshold : public Module {
 public:
  Threshold(double threshold, double value, bool inplace = false)
      : threshold_(threshold), value_(value), inplace_(inplace) {}
  TEFF_MODULE(Threshold)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double threshold_, value_;
  bool inplace_;
};

/// log(sigmoid(x))
class LogSigmoid : public Module {
 public:
  TEFF_MODULE(LogSigmoid)
  Tensor forward(const Tensor& input) override;
};

/// x where |x| > lambd, else 0.
class Hardshrink : public Module {
 public:
  explicit Hardshrink(double lambd = 0.5) : lambd_(lambd) {}
  TEFF_MODULE(Hardshrink)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double lambd_;
};

/// x nearer to 0 by lambd, or 0.
class Softshrink : public Module {
 public:
  explicit Softshrink(double lambd = 0.5) : lambd_(lambd) {}
  TEFF_MODULE(Softshrink)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double lambd_;
};

/// x / (1 + |x|)
class Softsign : public Module {
 public:
  TEFF_MODULE(Softsign)
  Tensor forward(const Tensor& input) override;
};

/// x - tanh(x)
class Tanhshrink : public Module {
 public:
  TEFF_MODULE(Tanhshrink)
  Tensor forward(const Tensor& input) override;
};

/// a * sigmoid(b) of the halves a and b of dimension dim (Dauphin et al., 2017).
class GLU : public Module {
 public:
  explicit GLU(Integer dim = -1) : dim_(dim) {}
  TEFF_MODULE(GLU)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

/// Softmax of -x.
class Softmin : public Module {
 public:
  explicit Softmin(Integer dim) : dim_(dim) {}
  TEFF_MODULE(Softmin)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
};

/// Softmax over the channels of [N, C, H, W] or [C, H, W].
class Softmax2d : public Module {
 public:
  TEFF_MODULE(Softmax2d)
  /// @throws ShapeError for another rank.
  Tensor forward(const Tensor& input) override;
};

}  // namespace nn
}  // namespace teff
