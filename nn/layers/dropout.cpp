// SPDX-License-Identifier: MIT
#include "teff/nn/layers/dropout.h"

#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

void check_probability(const char* layer, double p) {
  detail::expect(p >= 0 && p <= 1, layer, "p in [0, 1]", detail::python_float(p));
}

std::string dropout_repr(double p, bool inplace) {
  return "p=" + detail::python_float(p) + ", inplace=" + detail::python_bool(inplace);
}

}  // namespace

Dropout::Dropout(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout", p); }
Tensor Dropout::forward(const Tensor& input) { return dropout(input, p_, is_training()); }
std::string Dropout::extra_repr() const { return dropout_repr(p_, inplace_); }

Dropout2d::Dropout2d(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout2d", p); }
Tensor Dropout2d::forward(const Tensor& input) { return dropout2d(input, p_, is_training()); }
std::string Dropout2d::extra_repr() const { return dropout_repr(p_, inplace_); }

}  // namespace teff::nn
