// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/op.h"

namespace TEFF_EXPORT teff {

/// How to make an op from what a file says of it.
struct OpEntry {
  std::string_view name;
  int version;  // the newest that make understands
  std::shared_ptr<const Op> (*make)(const Dict& attributes);
};

template <class SomeOp>
OpEntry op_entry() {
  return {SomeOp::kName, SomeOp().version(), &SomeOp::from_attributes};
}

/// Makes the op of that name.
/// @throws ValueError for an unknown name, a newer version, or attributes that the op does not have.
std::shared_ptr<const Op> make_op(std::string_view name, const Dict& attributes, int version = 1);

/// Adds an op of your own, so that graphs that use it can be loaded. Call it at the start of the program; safe from
/// any thread. Registering the same op twice does nothing.
/// @throws ValueError if another op has that name.
void register_op(const OpEntry& entry);
template <class SomeOp>
void register_op() {
  register_op(op_entry<SomeOp>());
}

/// The names of all ops, sorted.
std::vector<std::string> registered_ops();

}  // namespace teff
