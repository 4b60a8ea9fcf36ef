// SPDX-License-Identifier: MIT

// The way out to ATen of what gives elements another shape or order.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

std::string padded(Call& c) {
  if (c.text("mode") == "constant") return c.filled("torch.constant_pad_nd({0}, {padding}, {value})");
  return c.filled("torch.pad({0}, {padding}, {mode})");
}

/// Windows without gaps, of which each dilation-th element is kept.
std::string windows(Call& c) {
  const std::int64_t dilation = c.integer("dilation"), span = dilation * (c.integer("size") - 1) + 1;
  const std::string whole = c.filled("torch.unfold({0}, {dim}, ") + aten_integer(span) + c.filled(", {step})");
  if (dilation == 1) return whole;
  return "torch.slice(" + whole + ", -1, 0, None, " + aten_integer(dilation) + ')';
}

/// The sum of windows, [.., count, .., size] -> [.., output_size, ..], as that of the columns of an image of one row.
std::string added_windows(Call& c) {
  const std::int64_t rank = c.rank(0) - 1, dim = c.axis("dim", rank);
  std::vector<std::int64_t> order, back(static_cast<std::size_t>(rank));
  std::string sizes;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i == dim) continue;
    sizes += "torch.size(" + c.in(0) + ", " + std::to_string(i) + "), ";
    back[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(order.size());
    order.push_back(i);
  }
  back[static_cast<std::size_t>(dim)] = rank - 1;
  order.push_back(rank);
  order.push_back(dim);
  const std::string size = "torch.size(" + c.in(0) + ", " + std::to_string(rank) + ')';
  const std::string count = "torch.size(" + c.in(0) + ", " + std::to_string(dim) + ')';
  const std::string columns = c.let("torch.reshape(torch.permute(" + c.in(0) + ", " + aten_integers(order) +
                                    "), [-1, " + size + ", " + count + "])");
  const std::string sums = c.let("torch.col2im(" + columns + ", [1, " + c.option("output_size") + "], [1, " + size +
                                 "], [1, " + c.option("dilation") + "], [0, 0], [1, " + c.option("step") + "])");
  return "torch.permute(torch.reshape(" + sums + ", [" + sizes + c.option("output_size") + "]), " +
         aten_integers(back) + ')';
}

constexpr AtenExport kAtenShapesRows[] = {
    {"cat", "torch.cat([{*}], {dim})"},
    {"diag_embed", "torch.diag_embed({0}, {offset}, {dim1}, {dim2})"},
    {"diagonal", "torch.diagonal({0}, {offset}, {dim1}, {dim2})"},
    {"expand", "torch.expand({0}, {shape})"},
    {"flip", "torch.flip({0}, {dims})"},
    {"fold", "col2im", added_windows},
    {"index_select", "torch.index_select({0}, {dim}, {1})"},
    {"pad", "constant_pad_nd, pad", padded},
    {"permute", "torch.permute({0}, {dims})"},
    {"select", "torch.select({0}, {dim}, {index})"},
    {"slice", "torch.slice({0}, {dim}, {start}, {end}, {step})"},
    {"split", "torch.split({0}, {split_size}, {dim})"},
    {"split_with_sizes", "torch.split_with_sizes({0}, {sizes}, {dim})"},
    {"tril", "torch.tril({0}, {diagonal})"},
    {"triu", "torch.triu({0}, {diagonal})"},
    {"unfold", "unfold, slice", windows},
    {"view", "torch.reshape({0}, {shape})"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_shapes = aten_outgoing::kAtenShapesRows;

}  // namespace teff::serialize
