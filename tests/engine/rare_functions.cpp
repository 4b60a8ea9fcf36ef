// SPDX-License-Identifier: MIT
#include "engine/composed_functions.h"
#include "teff/engine/ops.h"

namespace teff {
namespace {

using RareInputs = std::vector<Tensor>;

TensorList pair_of_results(const ValuesAndIndices& pair) { return {pair.values, pair.indices}; }

template <Tensor (*function)(const Tensor&, const Tensor&, std::optional<Integer>, const QuantileOptions&)>
TensorList quantile_case(const RareInputs& x, const Dict& a) {
  const Value& dim = a.at("dim");
  const std::string interpolation = a.at("interpolation").as_text();
  return {function(x[0], x[1], dim.is_none() ? std::optional<Integer>() : std::optional<Integer>(dim.as_int()),
                   {.keepdim = a.at("keepdim").as_bool(), .interpolation = interpolation})};
}

}  // namespace

const std::map<std::string, ComposedFunction>& rare_functions() {
  static const std::map<std::string, ComposedFunction> functions = {
      {"lgamma", [](const RareInputs& x, const Dict&) -> TensorList { return {lgamma(x[0])}; }},
      {"digamma", [](const RareInputs& x, const Dict&) -> TensorList { return {digamma(x[0])}; }},
      {"cummax",
       [](const RareInputs& x, const Dict& a) { return pair_of_results(cummax(x[0], a.at("dim").as_int())); }},
      {"cummin",
       [](const RareInputs& x, const Dict& a) { return pair_of_results(cummin(x[0], a.at("dim").as_int())); }},
      {"quantile", quantile_case<quantile>},
      {"nanquantile", quantile_case<nanquantile>},
      {"scatter_reduce",
       [](const RareInputs& x, const Dict& a) -> TensorList {
         return {scatter_reduce(x[0], a.at("dim").as_int(), x[1], x[2], a.at("reduce").as_text(),
                                a.at("include_self").as_bool())};
       }},
      {"masked_scatter",
       [](const RareInputs& x, const Dict&) -> TensorList { return {masked_scatter(x[0], x[1], x[2])}; }},
  };
  return functions;
}

}  // namespace teff
