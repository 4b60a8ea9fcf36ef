// SPDX-License-Identifier: MIT

// The way out to ATen of what goes over dimensions: sums, extrema and their places, softmax, orders.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

/// A result of all elements, with as many dimensions as the input where these are kept.
std::string of_all(Call& c, const std::string& result) {
  if (!c.flag("keepdim")) return result;
  return "torch.reshape(" + result + ", " +
         aten_integers(std::vector<std::int64_t>(static_cast<std::size_t>(c.rank(0)), 1)) + ')';
}

std::string largest_place(Call& c) {
  if (!c.has("dim")) return of_all(c, c.filled("torch.argmax({0})"));
  return c.filled("torch.argmax({0}, {dim}, {keepdim})");
}

std::string product(Call& c) {
  if (!c.has("dim")) return of_all(c, c.filled("torch.prod({0})"));
  return c.filled("torch.prod({0}, {dim}, {keepdim})");
}

constexpr AtenExport kAtenReductionsRows[] = {
    {"argmax", "argmax", largest_place},
    {"cumprod", "torch.cumprod({0}, {dim})"},
    {"cumsum", "torch.cumsum({0}, {dim})"},
    {"kthvalue", "torch.kthvalue({0}, {k}, {dim}, True)"},
    {"log_softmax", "torch.log_softmax({0}, {dim})"},
    {"max", "torch.amax({0}, {dims}, {keepdim})"},
    {"max_with_indices", "torch.max({0}, {dim}, {keepdim})"},
    {"mean", "torch.mean({0}, {dims}, {keepdim})"},
    {"median_with_indices", "torch.median({0}, {dim}, {keepdim})"},
    {"min", "torch.amin({0}, {dims}, {keepdim})"},
    {"min_with_indices", "torch.min({0}, {dim}, {keepdim})"},
    {"prod", "prod", product},
    {"softmax", "torch.softmax({0}, {dim})"},
    {"sort", "torch.sort({0}, {dim}, {descending})"},
    {"sum", "torch.sum({0}, {dims}, {keepdim})"},
    {"topk", "torch.topk({0}, {k}, {dim}, {largest})"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_reductions = aten_outgoing::kAtenReductionsRows;

}  // namespace teff::serialize
