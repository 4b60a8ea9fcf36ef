// SPDX-License-Identifier: MIT
#include "teff/nn/layers/padding.h"

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::nn {

Tensor PadLayer::forward(const Tensor& input) {
  const std::size_t dims = sides_.size() / 2;
  if (input.shape().size() != dims + 2) {
    throw ShapeError(type_name() + ": expected input " +
                     (dims == 1   ? "[N, C, L]"
                      : dims == 2 ? "[N, C, H, W]"
                                  : "[N, C, D, H, W]") +
                     ", got " + to_string(input.shape()));
  }
  return mode_ == PadMode::constant ? pad(input, sides_, value_) : pad(input, sides_, mode_);
}

std::string PadLayer::extra_repr() const { return detail::tuple(sides_); }

std::string ConstantPad::extra_repr() const {
  return "padding=" + detail::tuple(sides()) + ", value=" + detail::whole_or_float(value());
}

}  // namespace teff::nn
