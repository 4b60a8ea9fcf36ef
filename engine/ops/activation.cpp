// SPDX-License-Identifier: MIT
#include <utility>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/elementwise.h"
#include "teff/engine/ops/op_tables.h"

namespace teff {
namespace {

using detail::apply_in_place;
using ops::Activation;
using ops::Elementwise;
using ops::Parameters;
using ops::Plain;
using ops::Unary;

struct LeakyReluOptions {
  double negative_slope = 0.01;
  static void fields(auto& self, auto&& field) { field("negative_slope", self.negative_slope); }
};

class LeakyRelu : public Elementwise<LeakyRelu, Unary::leaky_relu, LeakyReluOptions> {
 public:
  using Elementwise::Elementwise;
  Parameters parameters() const { return {options_.negative_slope, 0}; }
};

struct HardtanhOptions {
  double min = -1, max = 1;
  static void fields(auto& self, auto&& field) {
    field("min", self.min);
    field("max", self.max);
  }
};

class Hardtanh : public Elementwise<Hardtanh, Activation::hardtanh, HardtanhOptions> {
 public:
  using Elementwise::Elementwise;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.min < options_.max)) {
      ops::fail<ValueError>(kName, "min < max, got ", options_.min, " and ", options_.max);
    }
    return Elementwise::output_type(inputs);
  }
  Parameters parameters() const { return {options_.min, options_.max}; }
};

struct EluOptions {
  double alpha = 1;
  static void fields(auto& self, auto&& field) { field("alpha", self.alpha); }
};

class Elu : public Elementwise<Elu, Activation::elu, EluOptions> {
 public:
  using Elementwise::Elementwise;
  Parameters parameters() const { return {options_.alpha, 0}; }
};

struct SoftplusOptions {
  double beta = 1, threshold = 20;
  static void fields(auto& self, auto&& field) {
    field("beta", self.beta);
    field("threshold", self.threshold);
  }
};

class Softplus : public Elementwise<Softplus, Activation::softplus, SoftplusOptions> {
 public:
  using Elementwise::Elementwise;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.beta > 0)) ops::fail<ValueError>(kName, "beta > 0, got ", options_.beta);
    return Elementwise::output_type(inputs);
  }
  Parameters parameters() const { return {options_.beta, options_.threshold}; }
};

}  // namespace

Tensor relu(Tensor x) { return apply_in_place(Plain<Unary::relu>(), std::move(x)); }
Tensor sigmoid(Tensor x) { return apply_in_place(Plain<Unary::sigmoid>(), std::move(x)); }
Tensor tanh(Tensor x) { return apply_in_place(Plain<Unary::tanh>(), std::move(x)); }
Tensor leaky_relu(Tensor x, double negative_slope) { return apply_in_place(LeakyRelu({negative_slope}), std::move(x)); }
Tensor hardtanh(Tensor x, double min, double max) { return apply_in_place(Hardtanh({min, max}), std::move(x)); }
Tensor elu(Tensor x, double alpha) { return apply_in_place(Elu({alpha}), std::move(x)); }
Tensor silu(Tensor x) { return apply_in_place(Plain<Activation::silu>(), std::move(x)); }
Tensor hardswish(Tensor x) { return apply_in_place(Plain<Activation::hardswish>(), std::move(x)); }
Tensor hardsigmoid(Tensor x) { return apply_in_place(Plain<Activation::hardsigmoid>(), std::move(x)); }
Tensor softplus(Tensor x, double beta, double threshold) {
  return apply_in_place(Softplus({beta, threshold}), std::move(x));
}

Tensor gelu(Tensor x, GeluApproximation approximate) {
  if (approximate == GeluApproximation::tanh) {
    return detail::with_name("gelu", [&] { return apply_in_place(Plain<Activation::gelu_tanh>(), std::move(x)); });
  }
  return apply_in_place(Plain<Activation::gelu>(), std::move(x));
}

std::span<const OpEntry> ops::activation_ops() {
  static const OpEntry entries[] = {
      op_entry<Plain<Unary::relu>>(),
      op_entry<Plain<Unary::tanh>>(),
      op_entry<Plain<Unary::sigmoid>>(),
      op_entry<LeakyRelu>(),
      op_entry<Hardtanh>(),
      op_entry<Elu>(),
      op_entry<Softplus>(),
      op_entry<Plain<Activation::gelu>>(),
      op_entry<Plain<Activation::gelu_tanh>>(),
      op_entry<Plain<Activation::silu>>(),
      op_entry<Plain<Activation::hardswish>>(),
      op_entry<Plain<Activation::hardsigmoid>>(),
  };
  return entries;
}

}  // namespace teff
