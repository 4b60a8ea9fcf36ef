// SPDX-License-Identifier: MIT
#include "teff/nn/dropout.h"

#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {

Dropout::Dropout(double p) : p_(p) {
  detail::expect(p >= 0 && p <= 1, "Dropout", "p in [0, 1]", detail::python_float(p));
}

Tensor Dropout::forward(const Tensor& input) { return dropout(input, p_, is_training()); }

std::string Dropout::extra_repr() const { return "p=" + detail::python_float(p_) + ", inplace=False"; }

}  // namespace teff::nn
