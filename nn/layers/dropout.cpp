// SPDX-License-Identifier: MIT
#include "teff/nn/layers/dropout.h"

#include "teff/engine/error.h"
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

void check_rank(const char* layer, std::int64_t rank, const char* dims, const Tensor& input) {
  if (input.dim() == rank) return;
  throw ShapeError(std::string(layer) + ": expected input " + dims + ", got " + to_string(input.shape()));
}

}  // namespace

Dropout::Dropout(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout", p); }
Tensor Dropout::forward(const Tensor& input) { return dropout(input, p_, is_training()); }
std::string Dropout::extra_repr() const { return dropout_repr(p_, inplace_); }

Dropout2d::Dropout2d(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout2d", p); }
Tensor Dropout2d::forward(const Tensor& input) { return dropout2d(input, p_, is_training()); }
std::string Dropout2d::extra_repr() const { return dropout_repr(p_, inplace_); }

Dropout1d::Dropout1d(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout1d", p); }
Tensor Dropout1d::forward(const Tensor& input) {
  check_rank("Dropout1d", 3, "[N, C, L]", input);
  return dropout2d(input, p_, is_training());
}
std::string Dropout1d::extra_repr() const { return dropout_repr(p_, inplace_); }

Dropout3d::Dropout3d(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("Dropout3d", p); }
Tensor Dropout3d::forward(const Tensor& input) {
  check_rank("Dropout3d", 5, "[N, C, D, H, W]", input);
  return dropout2d(input, p_, is_training());
}
std::string Dropout3d::extra_repr() const { return dropout_repr(p_, inplace_); }

AlphaDropout::AlphaDropout(double p, bool inplace) : p_(p), inplace_(inplace) { check_probability("AlphaDropout", p); }
Tensor AlphaDropout::forward(const Tensor& input) { return alpha_dropout(input, p_, is_training()); }
std::string AlphaDropout::extra_repr() const { return dropout_repr(p_, inplace_); }

FeatureAlphaDropout::FeatureAlphaDropout(double p, bool inplace) : p_(p), inplace_(inplace) {
  check_probability("FeatureAlphaDropout", p);
}
Tensor FeatureAlphaDropout::forward(const Tensor& input) { return feature_alpha_dropout(input, p_, is_training()); }
std::string FeatureAlphaDropout::extra_repr() const { return dropout_repr(p_, inplace_); }

}  // namespace teff::nn
