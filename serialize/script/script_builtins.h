// SPDX-License-Identifier: MIT
#pragma once

// Private: what TorchScript's code calls that is no operator on tensors: functions of numbers, texts, lists and types.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "teff/serialize/script/script_run.h"

namespace teff::serialize {

/// None if the arguments are not what the builtin is for: `torch.add` of tensors.
struct ScriptBuiltin {
  std::string_view name;  // of torch.NAME; "annotate", "ops.prim.dtype"
  std::optional<ScriptValue> (*call)(ScriptRun& run, const ScriptArguments& arguments);
};

constexpr bool is_in_order(std::span<const ScriptBuiltin> table) {
  for (std::size_t i = 1; i < table.size(); ++i) {
    if (table[i].name <= table[i - 1].name) return false;
  }
  return true;
}

/// Those of numbers: arithmetic, comparison, ranges. In the alphabet's order.
extern const std::span<const ScriptBuiltin> script_number_builtins;
bool is_number(const ScriptValue& value);
/// Without its fraction. @throws FormatError beyond 64 bits.
std::int64_t whole_number(double number);

/// Null if there is none.
const ScriptBuiltin* find_script_builtin(std::string_view name);

/// list[index]. @throws FormatError
ScriptValue get_item(ScriptRun& run, const ScriptValue& list, const ScriptValue& index);
/// list[index] = value. @throws FormatError
void set_item(ScriptRun& run, const ScriptValue& list, const ScriptValue& index, ScriptValue value);

}  // namespace teff::serialize
