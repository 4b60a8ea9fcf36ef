// SPDX-License-Identifier: MIT
#pragma once

// Private: what TorchScript's code computes with.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/script/script_syntax.h"
#include "teff/serialize/torch/torch_script.h"

namespace teff::serialize {

struct ScriptList;

/// A function of the archive, and where it stands: "code/__torch__.py".
struct ScriptCallable {
  const ScriptFunction* function = nullptr;
  const ScriptClassCode* named_tuple = nullptr;  // instead: calling it makes one
  const std::string* file = nullptr;
};

/// None, a bool, an integer, a number, text, a tensor, a list (tuple, dict), an object, a function. Lists are shared,
/// as in Python; they belong to the run.
using ScriptValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, Tensor, ScriptList*,
                                 const ScriptObject*, ScriptCallable>;

struct ScriptList {
  enum class Kind : std::uint8_t { list, tuple, dict };
  Kind kind = Kind::list;
  std::vector<ScriptValue> items;           // of a dict, keys and values in turn
  const ScriptClassCode* fields = nullptr;  // of a NamedTuple
};

using ScriptValues = std::vector<ScriptValue>;

template <class T>
const T* get_as(const ScriptValue& value) {
  return std::get_if<T>(&value);
}
inline bool is_none(const ScriptValue& value) { return std::holds_alternative<std::monostate>(value); }
inline ScriptList* as_list(const ScriptValue& value) {
  ScriptList* const* list = std::get_if<ScriptList*>(&value);
  return list == nullptr ? nullptr : *list;
}
/// "int", "Tensor": as TorchScript calls the type.
std::string_view kind_of(const ScriptValue& value);

/// As a number, whether bool, integer or floating point. @throws FormatError
double number_of(const ScriptValue& value);
std::int64_t integer_of(const ScriptValue& value);

}  // namespace teff::serialize
