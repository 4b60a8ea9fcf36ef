// SPDX-License-Identifier: MIT

// ATen's products and distances.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using ProductCall = OperatorCall;

template <OfTensors function>
Tensor product(const ProductCall& c) {
  return function(c.tensor(0), c.tensor(1));
}

using SumOfProduct = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const AddProductOptions&);
template <SumOfProduct function>
Tensor product_added(const ProductCall& c) {
  return function(c.tensor(0), c.tensor(1), c.tensor(2), {c.number("beta", 1), c.number("alpha", 1)});
}

/// beta * x + alpha * product
Tensor added_to_product(const ProductCall& c, const Tensor& product) {
  const double beta = c.number("beta", 1);
  const Tensor scaled = product * c.number("alpha", 1);
  return beta == 0 ? scaled : c.tensor(0) * beta + scaled;
}

Tensor product_of_several(const ProductCall& c) {
  const std::vector<Tensor> factors = aten_tensors(c, "tensors");
  if (factors.empty()) throw FormatError("expected at least one tensor, got none");
  Tensor result = factors[0];
  for (std::size_t i = 1; i < factors.size(); ++i) result = matmul(result, factors[i]);
  return result;
}

Tensor contracted(const ProductCall& c) {
  c.ignore("path");
  const std::vector<Tensor> operands = aten_tensors(c, "tensors");
  return einsum(c.text("equation", ""), operands);
}

Tensor contracted_dims(const ProductCall& c) {
  return tensordot(c.tensor(0), c.tensor(1), aten_list(c, "dims_self"), aten_list(c, "dims_other"));
}

Tensor crossed(const ProductCall& c) {
  const std::optional<std::int64_t> dim = aten_integer(c, "dim");
  return cross(c.tensor(0), c.tensor(1), dim ? std::optional<Integer>(*dim) : std::nullopt);
}

Tensor cosines(const ProductCall& c) {
  return cosine_similarity(c.tensor(0), c.tensor(1), c.integer("dim", 1), c.number("eps", 1e-8));
}

Tensor distances(const ProductCall& c) {
  c.ignore("compute_mode");
  return cdist(c.tensor(0), c.tensor(1), c.number("p", 2));
}

Tensor pair_distances(const ProductCall& c) {
  return pairwise_distance(c.tensor(0), c.tensor(1),
                           {c.number("p", 2), c.number("eps", 1e-6), c.flag("keepdim", false)});
}

constexpr std::string_view kTwo = "self other", kBatches = "self batch1 batch2 beta alpha";

constexpr AtenRow kAtenProducts[] = {
    {"addbmm", kBatches,
     +[](const ProductCall& c) { return added_to_product(c, sum(bmm(c.tensor(1), c.tensor(2)), 0)); }},
    {"addmm", "self mat1 mat2 beta alpha", product_added<addmm>},
    {"addmv", "self mat vec beta alpha", product_added<addmv>},
    {"addr", "self vec1 vec2 beta alpha",
     +[](const ProductCall& c) { return added_to_product(c, outer(c.tensor(1), c.tensor(2))); }},
    {"baddbmm", kBatches, product_added<baddbmm>},
    {"bilinear", "input1 input2 weight bias",
     +[](const ProductCall& c) { return bilinear(c.tensor(0), c.tensor(1), c.tensor(2), c.maybe(3)); }},
    {"bmm", "self mat2", product<bmm>},
    {"cdist", "x1 x2 p compute_mode", distances},
    {"chain_matmul", "tensors", product_of_several},
    {"cosine_similarity", "x1 x2 dim eps", cosines},
    {"cross", "self other dim", crossed},
    {"dot", "self tensor", product<dot>},
    {"einsum", "equation tensors path", contracted},
    {"ger", "self vec2", product<outer>},
    {"inner", kTwo, product<inner>},
    {"kron", kTwo, product<kron>},
    {"linalg_cross", "self other dim",
     +[](const ProductCall& c) { return cross(c.tensor(0), c.tensor(1), c.integer("dim", -1)); }},
    {"linear", "input weight bias", +[](const ProductCall& c) { return linear(c.tensor(0), c.tensor(1), c.maybe(2)); }},
    {"matmul", kTwo, product<matmul>},
    {"mm", "self mat2", product<mm>},
    {"mv", "self vec", product<mv>},
    {"outer", "self vec2", product<outer>},
    {"pairwise_distance", "x1 x2 p eps keepdim", pair_distances},
    {"tensordot", "self other dims_self dims_other", contracted_dims},
    {"vdot", kTwo, product<dot>},
};
static_assert(is_in_order(kAtenProducts));

}  // namespace

const std::span<const AtenRow> operators::aten_products = kAtenProducts;

}  // namespace teff::serialize
