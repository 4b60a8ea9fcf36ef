// SPDX-License-Identifier: MIT
#pragma once

// The functions of golden/indexing.golden that are made of other operations, or are none.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/ops.h"

namespace teff::testing {

/// Named arguments of a case.
struct CaseAttributes {
  const Dict& dict;
  std::int64_t whole(const char* key) const { return dict.at(key).as_int(); }
  double number(const char* key) const { return dict.at(key).as_float(); }
  bool flag(const char* key) const { return dict.at(key).as_bool(); }
  IntList list(const char* key) const { return dict.at(key).as_int_list(); }
  Pair pair(const char* key) const { return {list(key)[0], list(key)[1]}; }
  std::optional<Integer> optional(const char* key) const {
    return dict.at(key).is_none() ? std::nullopt : std::optional<Integer>(dict.at(key).as_int());
  }
};

using CaseFunction = std::function<TensorList(const std::vector<Tensor>&, const CaseAttributes&)>;

inline TensorList list_of(const std::vector<Tensor>& tensors) { return {tensors.begin(), tensors.end()}; }
inline TensorList list_of(const UniqueResult& result) { return {result.values, result.inverse, result.counts}; }
inline UnfoldFuncOptions unfold_options(const CaseAttributes& a) {
  return {.dilation = a.pair("dilation"), .padding = a.pair("padding"), .stride = a.pair("stride")};
}
inline AddProductOptions product_options(const CaseAttributes& a) {
  return {.beta = a.number("beta"), .alpha = a.number("alpha")};
}

inline const std::map<std::string, CaseFunction>& indexing_functions() {
  using X = const std::vector<Tensor>&;
  using A = const CaseAttributes&;
  static const std::map<std::string, CaseFunction> functions = {
      {"repeat", [](X x, A a) { return TensorList{x[0].repeat(a.list("counts"))}; }},
      {"tile", [](X x, A a) { return TensorList{x[0].tile(a.list("counts"))}; }},
      {"repeat_interleave",
       [](X x, A a) {
         if (x.size() == 2) return TensorList{repeat_interleave(x[0], x[1], a.optional("dim"))};
         return TensorList{repeat_interleave(x[0], a.whole("repeats"), a.optional("dim"))};
       }},
      {"roll", [](X x, A a) { return TensorList{x[0].roll(a.list("shifts"), a.list("dims"))}; }},
      {"movedim", [](X x, A a) { return TensorList{x[0].movedim(a.list("source"), a.list("destination"))}; }},
      {"diag", [](X x, A a) { return TensorList{x[0].diag(a.whole("diagonal"))}; }},
      {"trace", [](X x, A) { return TensorList{x[0].trace()}; }},
      {"unbind", [](X x, A a) { return list_of(x[0].unbind(a.whole("dim"))); }},
      {"narrow", [](X x, A a) { return TensorList{x[0].narrow(a.whole("dim"), a.whole("start"), a.whole("length"))}; }},
      {"meshgrid", [](X x, A a) { return list_of(meshgrid(x, a.dict.at("indexing").as_text())); }},
      {"cartesian_prod", [](X x, A) { return TensorList{cartesian_prod(x)}; }},
      {"scatter_value", [](X x, A a) { return TensorList{x[0].scatter(a.whole("dim"), x[1], a.number("value"))}; }},
      {"index_add", [](X x, A a) { return TensorList{x[0].index_add(a.whole("dim"), x[1], x[2], a.number("alpha"))}; }},
      {"index_copy", [](X x, A a) { return TensorList{index_copy(x[0], a.whole("dim"), x[1], x[2])}; }},
      {"index_fill", [](X x, A a) { return TensorList{index_fill(x[0], a.whole("dim"), x[1], a.number("value"))}; }},
      {"take", [](X x, A) { return TensorList{x[0].take(x[1])}; }},
      {"take_along_dim", [](X x, A a) { return TensorList{take_along_dim(x[0], x[1], a.optional("dim"))}; }},
      {"masked_select", [](X x, A) { return TensorList{x[0].masked_select(x[1])}; }},
      {"nonzero", [](X x, A) { return TensorList{x[0].nonzero()}; }},
      {"one_hot_by_value", [](X x, A) { return TensorList{one_hot(x[0])}; }},
      {"argsort", [](X x, A a) { return TensorList{x[0].argsort(a.whole("dim"), a.flag("descending"))}; }},
      {"unique", [](X x, A a) { return list_of(unique(x[0], a.optional("dim"))); }},
      {"unique_consecutive", [](X x, A) { return list_of(unique_consecutive(x[0])); }},
      {"bincount",
       [](X x, A a) { return TensorList{bincount(x[0], x.size() == 2 ? x[1] : Tensor(), a.whole("minlength"))}; }},
      {"histc", [](X x, A a) { return TensorList{histc(x[0], a.whole("bins"), a.number("min"), a.number("max"))}; }},
      {"addmm", [](X x, A a) { return TensorList{addmm(x[0], x[1], x[2], product_options(a))}; }},
      {"addmv", [](X x, A a) { return TensorList{addmv(x[0], x[1], x[2], product_options(a))}; }},
      {"baddbmm", [](X x, A a) { return TensorList{baddbmm(x[0], x[1], x[2], product_options(a))}; }},
      {"mv", [](X x, A) { return TensorList{x[0].mv(x[1])}; }},
      {"dot", [](X x, A) { return TensorList{x[0].dot(x[1])}; }},
      {"outer", [](X x, A) { return TensorList{x[0].outer(x[1])}; }},
      {"inner", [](X x, A) { return TensorList{inner(x[0], x[1])}; }},
      {"tensordot", [](X x, A a) { return TensorList{tensordot(x[0], x[1], a.list("dims_a"), a.list("dims_b"))}; }},
      {"kron", [](X x, A) { return TensorList{kron(x[0], x[1])}; }},
      {"cross", [](X x, A a) { return TensorList{cross(x[0], x[1], a.optional("dim"))}; }},
      {"einsum", [](X x, A a) { return TensorList{einsum(a.dict.at("equation").as_text(), x)}; }},
      {"normalize", [](X x, A a) { return TensorList{normalize(x[0], {.p = a.number("p"), .dim = a.whole("dim")})}; }},
      {"cosine_similarity", [](X x, A a) { return TensorList{cosine_similarity(x[0], x[1], a.whole("dim"))}; }},
      {"pairwise_distance",
       [](X x, A a) {
         return TensorList{pairwise_distance(x[0], x[1], {.p = a.number("p"), .keepdim = a.flag("keepdim")})};
       }},
      {"pixel_shuffle", [](X x, A a) { return TensorList{pixel_shuffle(x[0], a.whole("factor"))}; }},
      {"pixel_unshuffle", [](X x, A a) { return TensorList{pixel_unshuffle(x[0], a.whole("factor"))}; }},
      {"channel_shuffle", [](X x, A a) { return TensorList{channel_shuffle(x[0], a.whole("groups"))}; }},
      {"unfold_images", [](X x, A a) { return TensorList{unfold(x[0], a.pair("kernel_size"), unfold_options(a))}; }},
      {"fold_images",
       [](X x, A a) {
         return TensorList{fold(x[0], a.pair("output_size"), a.pair("kernel_size"), unfold_options(a))};
       }},
      {"affine_grid", [](X x, A a) { return TensorList{affine_grid(x[0], a.list("size"), a.flag("align_corners"))}; }},
      {"linspace",
       [](X x, A a) {
         return TensorList{linspace(a.number("start"), a.number("end"), a.whole("steps"), {.dtype = x[0].dtype()})};
       }},
      {"logspace",
       [](X x, A a) {
         return TensorList{
             logspace(a.number("start"), a.number("end"), a.whole("steps"), a.number("base"), {.dtype = x[0].dtype()})};
       }},
  };
  return functions;
}

}  // namespace teff::testing
