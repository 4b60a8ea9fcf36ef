// SPDX-License-Identifier: MIT
#include "support/math_functions.h"

#include "teff/engine/ops.h"

namespace teff::testing {
namespace {

using Inputs = std::vector<Tensor>;

template <class Function>
ComposedFunction of_one(Function function) {
  return [function](const Inputs& x, const Dict&) { return function(x[0]); };
}

template <class Function>
ComposedFunction of_two(Function function) {
  return [function](const Inputs& x, const Dict&) { return function(x[0], x[1]); };
}

template <class Function>
ComposedFunction with(const char* name, Function function) {
  return [=](const Inputs& x, const Dict& a) { return function(x[0], a.at(name).as_float()); };
}

template <class Function>
ComposedFunction over_dims(Function function) {
  return [function](const Inputs& x, const Dict& a) {
    const Value* keepdim = a.find("keepdim");
    return function(x[0], a.at("dims").as_int_list(), keepdim != nullptr && keepdim->as_bool());
  };
}

VarianceOptions variance(const Dict& a) {
  return {.correction = a.at("correction").as_int(), .keepdim = a.at("keepdim").as_bool()};
}

std::optional<Integer> optional_dim(const Dict& a) {
  const Value& dim = a.at("dim");
  return dim.is_none() ? std::nullopt : std::optional<Integer>(dim.as_int());
}

Tensor divide(const Inputs& x, const Dict& a) {
  const Value* mode = a.find("rounding_mode");
  if (mode == nullptr) return div(x[0], x[1]);
  return div(x[0], x[1], mode->as_text() == "floor" ? RoundingMode::floor : RoundingMode::trunc);
}

}  // namespace

const std::map<std::string, ComposedFunction>& math_functions() {
  static const std::map<std::string, ComposedFunction> functions = {
      {"square", of_one([](const Tensor& x) { return square(x); })},
      {"reciprocal", of_one([](const Tensor& x) { return reciprocal(x); })},
      {"selu", of_one(selu)},
      {"mish", of_one(mish)},
      {"logsigmoid", of_one(logsigmoid)},
      {"softsign", of_one(softsign)},
      {"tanhshrink", of_one(tanhshrink)},
      {"bitwise_not", of_one(bitwise_not)},
      {"logical_not", of_one(logical_not)},
      {"isnan", of_one(isnan)},
      {"isinf", of_one(isinf)},
      {"isposinf", of_one(isposinf)},
      {"isneginf", of_one(isneginf)},
      {"isfinite", of_one(isfinite)},
      {"celu", with("alpha", celu)},
      {"hardshrink", with("lambda", hardshrink)},
      {"softshrink", with("lambda", softshrink)},
      {"threshold",
       [](const Inputs& x, const Dict& a) {
         return threshold(x[0], a.at("threshold").as_float(), a.at("value").as_float());
       }},
      {"glu", [](const Inputs& x, const Dict& a) { return glu(x[0], a.at("dim").as_int()); }},
      {"softmin", [](const Inputs& x, const Dict& a) { return softmin(x[0], a.at("dim").as_int()); }},
      {"logit",
       [](const Inputs& x, const Dict& a) {
         const Value& eps = a.at("eps");
         return eps.is_none() ? logit(x[0]) : logit(x[0], eps.as_float());
       }},
      {"nan_to_num", with("nan", [](const Tensor& x, double nan) { return nan_to_num(x, nan); })},
      {"logical_and", of_two(logical_and)},
      {"logical_or", of_two(logical_or)},
      {"logical_xor", of_two(logical_xor)},
      {"isclose",
       [](const Inputs& x, const Dict& a) { return isclose(x[0], x[1], {.equal_nan = a.at("equal_nan").as_bool()}); }},
      {"div", divide},
      {"lerp",
       [](const Inputs& x, const Dict& a) {
         return x.size() == 3 ? lerp(x[0], x[1], x[2]) : lerp(x[0], x[1], a.at("weight").as_float());
       }},
      {"addcmul", [](const Inputs& x, const Dict& a) { return addcmul(x[0], x[1], x[2], a.at("value").as_float()); }},
      {"addcdiv", [](const Inputs& x, const Dict& a) { return addcdiv(x[0], x[1], x[2], a.at("value").as_float()); }},
      {"clamp_tensor",
       [](const Inputs& x, const Dict&) { return x.size() == 3 ? clamp(x[0], x[1], x[2]) : clamp(x[0], x[1]); }},
      {"masked_fill",
       [](const Inputs& x, const Dict& a) {
         const double value = a.at("value").as_float();
         return is_floating_point(x[0].dtype()) ? masked_fill(x[0], x[1], value)
                                                : masked_fill(x[0], x[1], static_cast<std::int64_t>(value));
       }},
      {"all", over_dims(all)},
      {"any", over_dims(any)},
      {"nansum", over_dims(nansum)},
      {"nanmean", over_dims(nanmean)},
      {"logsumexp", over_dims(logsumexp)},
      {"count_nonzero", [](const Inputs& x, const Dict& a) { return count_nonzero(x[0], a.at("dims").as_int_list()); }},
      {"norm",
       [](const Inputs& x, const Dict& a) {
         return norm(x[0], a.at("p").as_float(), a.at("dims").as_int_list(), a.at("keepdim").as_bool());
       }},
      {"argmin",
       [](const Inputs& x, const Dict& a) { return argmin(x[0], optional_dim(a), a.at("keepdim").as_bool()); }},
      {"var", [](const Inputs& x, const Dict& a) { return var(x[0], a.at("dims").as_int_list(), variance(a)); }},
      {"std", [](const Inputs& x, const Dict& a) { return teff::std(x[0], a.at("dims").as_int_list(), variance(a)); }},
      {"median", of_one([](const Tensor& x) { return median(x); })},
  };
  return functions;
}

}  // namespace teff::testing
