// SPDX-License-Identifier: MIT
#pragma once

// Private: builtins of lists, dictionaries and texts. As those of script_builtins.h, they give none for arguments that
// they are not for.

#include <optional>
#include <vector>

#include "teff/serialize/script/script_run.h"

namespace teff::serialize {

using ScriptResult = std::optional<ScriptValue>;

ScriptResult add_lists(ScriptRun& run, const ScriptArguments& a);
ScriptResult repeat_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult list_length(const ScriptArguments& a);
ScriptResult append_item(ScriptRun& run, const ScriptArguments& a);
ScriptResult extend_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult insert_item(ScriptRun& run, const ScriptArguments& a);
ScriptResult pop_item(ScriptRun& run, const ScriptArguments& a);
ScriptResult clear_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult reverse_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult copy_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult index_of(ScriptRun& run, const ScriptArguments& a);
ScriptResult count_items(ScriptRun& run, const ScriptArguments& a);
ScriptResult contains_item(ScriptRun& run, const ScriptArguments& a);
ScriptResult item_at(ScriptRun& run, const ScriptArguments& a);
ScriptResult set_item_at(ScriptRun& run, const ScriptArguments& a);
ScriptResult slice_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult sum_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult all_in_list(ScriptRun& run, const ScriptArguments& a);
ScriptResult any_in_list(ScriptRun& run, const ScriptArguments& a);
/// The default where an item is None.
ScriptResult list_with_default(ScriptRun& run, const ScriptArguments& a);
ScriptResult new_dict(ScriptRun& run, const ScriptArguments& a);
ScriptResult get_or(ScriptRun& run, const ScriptArguments& a);
ScriptResult dict_keys(ScriptRun& run, const ScriptArguments& a);
ScriptResult dict_values(ScriptRun& run, const ScriptArguments& a);
ScriptResult dict_items(ScriptRun& run, const ScriptArguments& a);
ScriptResult format_text(ScriptRun& run, const ScriptArguments& a);
ScriptResult text_of_value(ScriptRun& run, const ScriptArguments& a);
ScriptResult lower_text(ScriptRun& run, const ScriptArguments& a);
ScriptResult upper_text(ScriptRun& run, const ScriptArguments& a);
ScriptResult find_text(ScriptRun& run, const ScriptArguments& a);
ScriptResult starts_with_text(ScriptRun& run, const ScriptArguments& a);
ScriptResult ends_with_text(ScriptRun& run, const ScriptArguments& a);

/// Numbers, texts, None, and lists of them. @throws UnsupportedError for tensors in lists.
bool are_equal(ScriptRun& run, const ScriptValue& a, const ScriptValue& b, int depth = 0);

/// The numbers in lists of lists of equal lengths, one after another, and the lengths.
void collect_numbers(ScriptRun& run, const ScriptValue& value, Shape& shape, std::vector<ScriptValue>& numbers);

}  // namespace teff::serialize
