// SPDX-License-Identifier: MIT

// The way out to ATen of what is found, moved or put by an index.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

/// The row that counts nothing, from the front; -1 for none.
std::string padding_row(Call& c) {
  if (!c.has("padding_idx")) return "-1";
  const std::int64_t row = c.integer("padding_idx");
  return aten_integer(row < 0 ? row + c.type(1).shape[0] : row);
}

std::string looked_up(Call& c) { return c.filled("torch.embedding({1}, {0}, ") + padding_row(c) + ')'; }

/// Bags of one length, [N, L], are L apart.
AtenValues bags(Call& c) {
  std::size_t next = 2;
  const std::string& mode = c.text("mode");
  std::string offsets, rows = c.in(0), weights = "None";
  if (c.flag("has_offsets")) {
    offsets = c.in(next++);
  } else {
    offsets = c.let("torch.arange(0, torch.numel(" + rows + "), torch.size(" + rows + ", 1), dtype=4)");
    rows = c.let("torch.reshape(" + rows + ", [-1])");
  }
  if (c.flag("has_weights")) weights = "torch.reshape(" + c.in(next) + ", [-1])";
  const std::string padding = c.has("padding_idx") ? padding_row(c) : "None";
  return c.results("torch.embedding_bag(" + c.in(1) + ", " + rows + ", " + offsets + ", False, " +
                       (mode == "sum"    ? "0"
                        : mode == "mean" ? "1"
                                         : "2") +
                       ", False, " + weights + c.filled(", {include_last_offset}, ") + padding + ')',
                   4);
}

/// Values beyond those that the indices take are cut off: PyTorch has no gradient for them.
template <const char* op>
std::string put_along(Call& c) {
  std::string values = c.in(2);
  for (std::int64_t dim = 0; dim < c.rank(1); ++dim) {
    const auto i = static_cast<std::size_t>(dim);
    if (c.type(1).shape[i] == c.type(2).shape[i]) continue;
    const std::string place = std::to_string(dim);
    values = c.let("torch.slice(" + values + ", " + place + ", 0, torch.size(" + c.in(1) + ", " + place + "))");
  }
  return std::string("torch.") + op + c.filled("({0}, {dim}, {1}, ") + values + ')';
}
constexpr char kScatter[] = "scatter", kScatterAdd[] = "scatter_add";

/// Indices of the dimensions from `dim` on.
std::string index_list(Call& c, std::int64_t dim, std::size_t first) {
  std::string text = "annotate(List[Optional[Tensor]], [";
  for (std::int64_t i = 0; i < dim; ++i) text += "None, ";
  for (std::size_t i = first; i < c.input_count(); ++i) text += (i == first ? "" : ", ") + c.in(i);
  return text + "])";
}

std::string indexed(Call& c) {
  return "torch.index(" + c.in(0) + ", " + index_list(c, c.axis("dim", c.rank(0)), 1) + ')';
}

std::string put(Call& c) {
  return "torch.index_put(" + c.in(0) + ", " + index_list(c, c.axis("dim", c.rank(0)), 2) +
         c.filled(", {1}, {accumulate})");
}

constexpr AtenExport kAtenIndexingRows[] = {
    {"cdist", "torch.cdist({0}, {1}, {p})"},
    {"embedding", "embedding", looked_up},
    {"embedding_bag", "embedding_bag", bags},
    {"gather", "torch.gather({0}, {dim}, {1})"},
    {"index", "index", indexed},
    {"index_put", "index_put", put},
    {"one_hot", "torch.one_hot({0}, {num_classes})"},
    {"scatter", "scatter", put_along<kScatter>},
    {"scatter_add", "scatter_add", put_along<kScatterAdd>},
    {"searchsorted", "torch.searchsorted({0}, {1}, right={right})"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_indexing = aten_outgoing::kAtenIndexingRows;

}  // namespace teff::serialize
