// SPDX-License-Identifier: MIT
#pragma once

// Private: the table of ATen's operators, as TorchScript archives and exported programs call them.

#include <span>
#include <string_view>
#include <vector>

#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {

/// One of ATen's operators, with all its overloads. `arguments` names the arguments in ATen's order, so that
/// OperatorCall::option finds one by its name wherever it is given: "self dim keepdim dtype". Inputs count the same
/// places: input 0 is `self`. An argument that is a list of tensors is an option whose value is a List of tensors; a
/// number where a tensor may be is an option with that number, and as an input a tensor without dimensions. None is
/// the same as not given. dtypes are numbers (aten_dtype); layout, device and pin_memory are taken away before.
struct AtenRow {
  std::string_view name, arguments;
  Conversion convert;
  bool gives_list = false;  // its results are one list: split
};

/// Null if there is none. Names have no "aten::" and no "_" of an operator that works in place.
const AtenRow* find_aten_operator(std::string_view name);

/// The dtype that ATen has that number for. @throws UnsupportedError if Teff has none.
DType aten_dtype(std::int64_t code);
/// The number that ATen has for it. @throws UnsupportedError if it has none.
std::int64_t aten_code(DType dtype);

/// Whether a table is in the alphabet's order, as it must be.
constexpr bool is_in_order(std::span<const AtenRow> rows) {
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].name <= rows[i - 1].name) return false;
  }
  return true;
}

/// All names that rows have.
std::vector<std::string_view> aten_operator_names();

namespace operators {
/// Each in the alphabet's order.
extern const std::span<const AtenRow> aten_pointwise, aten_shapes, aten_pieces, aten_reductions, aten_products,
    aten_layers, aten_transformer, aten_losses, aten_pooling, aten_indexing, aten_creation;
}  // namespace operators

}  // namespace teff::serialize
