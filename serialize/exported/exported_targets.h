// SPDX-License-Identifier: MIT
#pragma once

// Private: what the targets of an exported program's nodes are.

#include <string>
#include <string_view>

namespace teff::serialize {

/// "add_" of "torch.ops.aten.add_.Tensor"; "" of what is none of ATen's.
std::string operator_of(std::string_view target);
bool is_in_place(const std::string& name);
/// "add" of "add_".
std::string without_place(const std::string& name);
/// Whether the operator says what must hold, and gives nothing.
bool is_assertion(std::string_view name);
/// Whether it gives a size.
bool is_size(std::string_view name);
/// Whether it gives the value of a tensor.
bool is_item(std::string_view name);
/// What batch norm is called after run_decompositions, unless it only evaluates.
bool is_norm(std::string_view name);
/// Whose inner sizes PyTorch does not work out as they are.
bool has_loose_sizes(std::string_view name);
/// Whether the reader has something for it.
bool is_known_target(const std::string& target);

}  // namespace teff::serialize
