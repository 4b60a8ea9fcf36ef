// SPDX-License-Identifier: MIT

// The way out to ATen of functions of each element.

#include "teff/serialize/operators/aten.h"
#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

/// Slopes by channel, which Teff broadcasts from the last dimension; of others the formula.
std::string with_slopes(Call& c) {
  const Shape &x = c.type(0).shape, &w = c.type(1).shape;
  const std::int64_t count = numel(w);
  const bool by_channel = x.size() >= 2 && w.size() + 1 == x.size() && w[0] == count && count == x[1];
  if (count == 1 || by_channel) return c.filled("torch.prelu({0}, torch.reshape({1}, [-1]))");
  return c.filled("torch.where(torch.gt({0}, 0), {0}, torch.mul({0}, {1}))");
}

std::string converted(Call& c) {
  return "torch.to(" + c.in(0) + ", " + aten_integer(aten_code(c.result().dtype)) + ')';
}

constexpr AtenExport kAtenPointwiseRows[] = {
    {"abs", "torch.abs({0})"},
    {"acos", "torch.acos({0})"},
    {"acosh", "torch.acosh({0})"},
    {"add", "torch.add({0}, {1})"},
    {"add_scalar", "torch.add({0}, {value})"},
    {"alpha_dropout", "torch.alpha_dropout({0}, {p}, {training})"},
    {"asin", "torch.asin({0})"},
    {"asinh", "torch.asinh({0})"},
    {"atan", "torch.atan({0})"},
    {"atan2", "torch.atan2({0}, {1})"},
    {"atanh", "torch.atanh({0})"},
    {"bitwise_and", "torch.bitwise_and({0}, {1})"},
    {"bitwise_left_shift", "torch.bitwise_left_shift({0}, {1})"},
    {"bitwise_or", "torch.bitwise_or({0}, {1})"},
    {"bitwise_right_shift", "torch.bitwise_right_shift({0}, {1})"},
    {"bitwise_xor", "torch.bitwise_xor({0}, {1})"},
    {"ceil", "torch.ceil({0})"},
    {"clamp", "torch.clamp({0}, {min}, {max})"},
    {"clone", "torch.clone({0})"},
    {"cos", "torch.cos({0})"},
    {"cosh", "torch.cosh({0})"},
    {"detach", "torch.detach({0})"},
    {"div", "torch.div({0}, {1})"},
    {"div_scalar", "torch.div({0}, {value})"},
    {"dropout", "torch.dropout({0}, {p}, {training})"},
    {"dropout2d", "torch.feature_dropout({0}, {p}, {training})"},
    {"elu", "torch.elu({0}, {alpha})"},
    {"eq", "torch.eq({0}, {1})"},
    {"eq_scalar", "torch.eq({0}, {value})"},
    {"erf", "torch.erf({0})"},
    {"erfc", "torch.erfc({0})"},
    {"erfinv", "torch.erfinv({0})"},
    {"exp", "torch.exp({0})"},
    {"exp2", "torch.exp2({0})"},
    {"expm1", "torch.expm1({0})"},
    {"feature_alpha_dropout", "torch.feature_alpha_dropout({0}, {p}, {training})"},
    {"floor", "torch.floor({0})"},
    {"floor_divide", "torch.div({0}, {1}, rounding_mode=\"floor\")"},
    {"fmod", "torch.fmod({0}, {1})"},
    {"frac", "torch.frac({0})"},
    {"ge", "torch.ge({0}, {1})"},
    {"ge_scalar", "torch.ge({0}, {value})"},
    {"gelu", "torch.gelu({0})"},
    {"gelu_tanh", "torch.gelu({0}, approximate=\"tanh\")"},
    {"gt", "torch.gt({0}, {1})"},
    {"gt_scalar", "torch.gt({0}, {value})"},
    {"hardsigmoid", "torch.hardsigmoid({0})"},
    {"hardswish", "torch.hardswish({0})"},
    {"hardtanh", "torch.hardtanh({0}, {min}, {max})"},
    {"hypot", "torch.hypot({0}, {1})"},
    {"le", "torch.le({0}, {1})"},
    {"le_scalar", "torch.le({0}, {value})"},
    {"leaky_relu", "torch.leaky_relu({0}, {negative_slope})"},
    {"log", "torch.log({0})"},
    {"log10", "torch.log10({0})"},
    {"log1p", "torch.log1p({0})"},
    {"log2", "torch.log2({0})"},
    {"logaddexp", "torch.logaddexp({0}, {1})"},
    {"lt", "torch.lt({0}, {1})"},
    {"lt_scalar", "torch.lt({0}, {value})"},
    {"maximum", "torch.maximum({0}, {1})"},
    {"minimum", "torch.minimum({0}, {1})"},
    {"mul", "torch.mul({0}, {1})"},
    {"mul_scalar", "torch.mul({0}, {value})"},
    {"ne", "torch.ne({0}, {1})"},
    {"ne_scalar", "torch.ne({0}, {value})"},
    {"neg", "torch.neg({0})"},
    {"pow", "torch.pow({0}, {1})"},
    {"pow_scalar", "torch.pow({0}, {exponent})"},
    {"prelu", "prelu", with_slopes, "of other slopes than one for each channel where, mul"},
    {"rdiv_scalar", "torch.mul(torch.reciprocal({0}), {value})"},
    {"relu", "torch.relu({0})"},
    {"remainder", "torch.remainder({0}, {1})"},
    {"round", "torch.round({0})"},
    {"rrelu", "torch.rrelu({0}, {lower}, {upper}, {training})"},
    {"rsqrt", "torch.rsqrt({0})"},
    {"rsub_scalar", "torch.rsub({0}, {value})"},
    {"sigmoid", "torch.sigmoid({0})"},
    {"sign", "torch.sign({0})"},
    {"silu", "torch.silu({0})"},
    {"sin", "torch.sin({0})"},
    {"sinh", "torch.sinh({0})"},
    {"softplus", "torch.softplus({0}, {beta}, {threshold})"},
    {"sqrt", "torch.sqrt({0})"},
    {"sub", "torch.sub({0}, {1})"},
    {"sub_scalar", "torch.sub({0}, {value})"},
    {"tan", "torch.tan({0})"},
    {"tanh", "torch.tanh({0})"},
    {"to", "to", converted},
    {"trunc", "torch.trunc({0})"},
    {"where", "torch.where({0}, {1}, {2})"},
    {"xlogy", "torch.xlogy({0}, {1})"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_pointwise = aten_outgoing::kAtenPointwiseRows;

}  // namespace teff::serialize
