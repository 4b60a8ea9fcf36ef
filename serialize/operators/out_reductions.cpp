// SPDX-License-Identifier: MIT

// The way out of what goes over dimensions: sums, extrema and their places, softmax, orders.

#include <limits>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;
using Numbers = std::vector<std::int64_t>;

constexpr char kSum[] = "ReduceSum", kMean[] = "ReduceMean", kMax[] = "ReduceMax", kMin[] = "ReduceMin";
constexpr char kSoftmax[] = "Softmax", kLogSoftmax[] = "LogSoftmax", kArgMax[] = "ArgMax", kArgMin[] = "ArgMin";

/// Of bool the extrema are those of whole numbers; a sum of whole numbers is one of int64.
template <const char* name>
Term reduced(Call& c) {
  const DType dtype = c.result().dtype == DType::bool_ ? DType::int64 : c.result().dtype;
  const Term result = c.reduce(name, c.cast(c.in(0), dtype), c.integers("dims"), c.flag("keepdim"));
  return c.cast(result, c.result().dtype);
}

Term product(Call& c) {
  Numbers axes;
  if (c.has("dim")) axes.push_back(c.integer("dim"));
  return c.reduce("ReduceProd", c.cast(c.in(0), c.result().dtype), axes, c.flag("keepdim"));
}

template <const char* name>
Term normalised(Call& c) {
  return c.node(name, c.all(), {{"axis", c.integer("dim")}});
}

Term place(Call& c, const char* name, std::int64_t dim, bool keepdim) {
  return Call::as(c.node(name, {c.in(0)}, {{"axis", dim}, {"keepdims", keepdim}}), DType::int64);
}

Term largest_place(Call& c) {
  const bool keepdim = c.flag("keepdim");
  if (c.has("dim")) return place(c, kArgMax, c.integer("dim"), keepdim);
  const Term flat = c.reshape(c.in(0), {-1});
  const Term found = Call::as(c.node(kArgMax, {flat}, {{"axis", 0}, {"keepdims", false}}), DType::int64);
  return c.reshape(found, keepdim ? Numbers(static_cast<std::size_t>(c.rank(0)), 1) : Numbers());
}

template <const char* reduce, const char* find>
Terms extremum(Call& c) {
  const std::int64_t dim = c.integer("dim");
  const bool keepdim = c.flag("keepdim");
  return {c.reduce(reduce, c.in(0), {dim}, keepdim), place(c, find, dim, keepdim)};
}

Terms first_ones(Call& c, const Term& count, std::int64_t dim, bool largest) {
  Terms found = c.nodes("TopK", {c.in(0), count}, 2, {{"axis", dim}, {"largest", largest}, {"sorted", true}});
  found[1].dtype = DType::int64;
  return found;
}

Terms sorted(Call& c) {
  const std::int64_t dim = c.axis("dim", c.rank(0));
  if (c.rank(0) == 0) return {c.in(0), c.scalar(0)};
  const Term count = c.is_fixed(0, dim) ? c.constants({c.fixed(0, dim)})
                                        : c.node("Gather", {c.shape_of(0), c.constants({dim})}, {{"axis", 0}});
  return first_ones(c, count, dim, c.flag("descending"));
}

Terms top(Call& c) { return first_ones(c, c.size_of(c.value("k")), c.axis("dim", c.rank(0)), c.flag("largest")); }

/// The k-th smallest along a dimension.
Terms smallest(Call& c, std::int64_t k, bool keepdim) {
  const std::int64_t dim = c.axis("dim", c.rank(0));
  Terms found = first_ones(c, c.constants({k}), dim, false);
  for (Term& one : found) {
    one = c.node("Gather", {one, keepdim ? c.constants({k - 1}) : c.scalar(k - 1)}, {{"axis", dim}});
  }
  return found;
}

Terms kth(Call& c) { return smallest(c, c.integer("k"), true); }
Terms median_of(Call& c) { return smallest(c, (c.fixed(0, c.axis("dim", c.rank(0))) - 1) / 2 + 1, c.flag("keepdim")); }

Term running_sum(Call& c) { return c.node("CumSum", {c.cast(c.in(0), c.result().dtype), c.scalar(c.integer("dim"))}); }

constexpr ExportRow kOutReductionRows[] = {
    {"argmax", "ArgMax", largest_place},
    ExportRow::declined("cumprod", "ONNX has no running product"),
    {"cumsum", "CumSum", running_sum},
    {"kthvalue", "TopK, Gather", kth},
    {"log_softmax", "LogSoftmax", normalised<kLogSoftmax>},
    {"max", "ReduceMax", reduced<kMax>},
    {"max_with_indices", "ReduceMax, ArgMax", extremum<kMax, kArgMax>},
    {"mean", "ReduceMean", reduced<kMean>},
    {"median_with_indices", "TopK, Gather", median_of, "of a dimension of fixed size"},
    {"min", "ReduceMin", reduced<kMin>},
    {"min_with_indices", "ReduceMin, ArgMin", extremum<kMin, kArgMin>},
    {"prod", "ReduceProd", product},
    {"softmax", "Softmax", normalised<kSoftmax>},
    {"sort", "TopK", sorted},
    {"sum", "ReduceSum", reduced<kSum>},
    {"topk", "TopK", top},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_reductions = outgoing::kOutReductionRows;

}  // namespace teff::serialize
