// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <utility>

#include "teff/engine/convert.h"
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/elementwise.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/promotion.h"

namespace teff {
namespace {

using detail::apply_in_place;
using ops::Elementwise;
using ops::Parameters;
using ops::Plain;
using ops::Unary;

struct ClampOptions {
  std::optional<double> min, max;
  static void fields(auto& self, auto&& field) {
    field("min", self.min);
    field("max", self.max);
  }
};

class Clamp : public Elementwise<Clamp, Unary::clamp, ClampOptions> {
 public:
  using Elementwise::Elementwise;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!options_.min && !options_.max) ops::fail<ValueError>(kName, "a minimum or a maximum, got neither");
    return Elementwise::output_type(inputs);
  }
  Parameters parameters() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return {options_.min.value_or(-kInfinity), options_.max.value_or(kInfinity)};
  }
};

struct PowScalarOptions {
  double exponent = 1;
  static void fields(auto& self, auto&& field) { field("exponent", self.exponent); }
};

class PowScalar : public Elementwise<PowScalar, Unary::pow, PowScalarOptions> {
 public:
  static constexpr std::string_view kName = "pow_scalar";
  using Elementwise::Elementwise;
  Parameters parameters() const { return {options_.exponent, 0}; }
};

}  // namespace

void ops::apply_to_integers(Unary function, const Parameters& bounds, std::span<const std::int64_t> x,
                            std::int64_t* y) {
  const auto low = convert<std::int64_t>(bounds.first), high = convert<std::int64_t>(bounds.second);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool flip = function == Unary::neg || (function == Unary::abs && x[i] < 0);
    y[i] = flip ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x[i])) : x[i];
    if (function == Unary::relu) y[i] = std::max<std::int64_t>(x[i], 0);
    if (function == Unary::clamp) y[i] = std::min(std::max(x[i], low), high);
  }
}

Tensor neg(Tensor x) { return apply_in_place(Plain<Unary::neg>(), std::move(x)); }
Tensor exp(Tensor x) { return apply_in_place(Plain<Unary::exp>(), std::move(x)); }
Tensor log(Tensor x) { return apply_in_place(Plain<Unary::log>(), std::move(x)); }
Tensor sqrt(Tensor x) { return apply_in_place(Plain<Unary::sqrt>(), std::move(x)); }
Tensor abs(Tensor x) { return apply_in_place(Plain<Unary::abs>(), std::move(x)); }

Tensor clamp(Tensor x, std::optional<Scalar> min, std::optional<Scalar> max) {
  std::optional<double> low, high;
  for (const auto& [bound, option] : {std::pair(min, &low), std::pair(max, &high)}) {
    if (!bound) continue;
    x = ops::promoted(x, *bound);
    *option = bound->to_double();
  }
  return apply_in_place(Clamp({low, high}), std::move(x));
}

Tensor pow(const Tensor& base, Scalar exponent) {
  if (base.defined() && !is_floating_point(base.dtype()) && !exponent.is_floating_point()) {
    return detail::with_name("pow", [&] { return ops::power(base, exponent.to_int()); });
  }
  return detail::with_name("pow",
                           [&] { return apply(PowScalar({exponent.to_double()}), {ops::promoted(base, exponent)}); });
}

std::span<const OpEntry> ops::unary_ops() {
  static const OpEntry entries[] = {
      op_entry<Plain<Unary::neg>>(),  op_entry<Plain<Unary::exp>>(), op_entry<Plain<Unary::log>>(),
      op_entry<Plain<Unary::sqrt>>(), op_entry<Plain<Unary::abs>>(), op_entry<Clamp>(),
      op_entry<PowScalar>(),
  };
  return entries;
}

}  // namespace teff
