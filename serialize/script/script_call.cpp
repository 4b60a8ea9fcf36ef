// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_call.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/ops.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/script/script_network.h"

namespace teff::serialize {
namespace {

constexpr int kMaxListDepth = 8;
constexpr std::int64_t kMaxStatedSize = 64;  // elements of a parameter that may take part in arithmetic on sizes

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// A number as a tensor without dimensions.
Tensor tensor_of(const ScriptValue& value) {
  const detail::NotCapturing now;
  if (const bool* truth = get_as<bool>(value)) return full({}, *truth ? 1 : 0, {.dtype = DType::bool_});
  if (const std::int64_t* number = get_as<std::int64_t>(value)) return full({}, *number, {.dtype = DType::int64});
  if (const double* number = get_as<double>(value)) return full({}, *number, {.dtype = DType::float32});
  throw UnsupportedError("expected a tensor, got " + std::string(kind_of(value)));
}

}  // namespace

ScriptCall::ScriptCall(ScriptRun& run, const AtenRow& row, const ScriptArguments& arguments, bool known)
    : run_(run),
      arguments_(arguments),
      names_(words_of(row.arguments)),
      asked_(arguments.values.size()),
      known_(known) {
  if (arguments_.places() > names_.size()) {
    throw UnsupportedError("expected at most " + std::to_string(names_.size()) + " arguments, got " +
                           std::to_string(arguments_.places()));
  }
  for (ScriptValue& value : arguments_.values) add_tensors(value, 0);
  for (std::size_t i = 0; i < arguments_.values.size(); ++i) {
    const std::string_view name = i < arguments_.places() ? names_[i] : arguments_.names[i - arguments_.places()];
    asked_[i] = is_none(arguments_.values[i]) || name == "device" || name == "layout" || name == "pin_memory";
  }
}

/// Each is what there is of it now.
void ScriptCall::add_tensors(ScriptValue& value, int depth) {
  if (Tensor* tensor = std::get_if<Tensor>(&value)) {
    *tensor = run_.current(*tensor);
    if (known_ && tensor->defined() && tensor->numel() <= kMaxStatedSize) {
      const Tensor values = run_.network().values_of(*tensor);
      if (values.defined()) *tensor = values;
    }
    tensors_.push_back(*tensor);
  } else if (const ScriptList* list = as_list(value)) {
    if (depth == kMaxListDepth) throw UnsupportedError("expected lists at most 8 deep in each other, got more");
    run_.step(list->items.size());
    ScriptList* copy = run_.make_list(list->items, list->kind);
    for (ScriptValue& item : copy->items) add_tensors(item, depth + 1);
    value = copy;
  }
}

const ScriptValue* ScriptCall::argument(std::size_t place) const {
  if (place < arguments_.places()) {
    asked_[place] = true;
    return &arguments_.values[place];
  }
  return place < names_.size() ? argument(names_[place]) : nullptr;
}

const ScriptValue* ScriptCall::argument(std::string_view name) const {
  for (std::size_t i = 0; i < arguments_.names.size(); ++i) {
    if (arguments_.names[i] != name) continue;
    const std::size_t place = arguments_.places() + i;
    asked_[place] = true;
    return &arguments_.values[place];
  }
  const auto found = std::find(names_.begin(), names_.end(), name);
  const auto place = static_cast<std::size_t>(found - names_.begin());
  if (place >= arguments_.places()) return nullptr;
  asked_[place] = true;
  return &arguments_.values[place];
}

Tensor ScriptCall::maybe(std::size_t i) const {
  const ScriptValue* value = argument(i);
  if (value == nullptr || is_none(*value)) return {};
  const Tensor* tensor = get_as<Tensor>(*value);
  return tensor != nullptr ? *tensor : tensor_of(*value);
}

bool ScriptCall::is_known(std::size_t i) const {
  const Tensor input = maybe(i);
  return input.defined() && (is_constant(input) || run_.network().values_of(input).defined());
}

Tensor ScriptCall::known(std::size_t i) const {
  const Tensor input = tensor(i);
  if (is_constant(input)) return input;
  const Tensor values = run_.network().values_of(input);
  if (values.defined()) return values;
  throw UnsupportedError(
      "expected argument " + std::to_string(i) +
      " to be known before the network runs, got one that is computed from the values of its inputs");
}

Value ScriptCall::to_value(const ScriptValue& value, int depth) const {
  if (const bool* truth = get_as<bool>(value)) return *truth;
  if (const std::int64_t* number = get_as<std::int64_t>(value)) return *number;
  if (const double* number = get_as<double>(value)) return *number;
  if (const std::string* text = get_as<std::string>(value)) return *text;
  if (const Tensor* tensor = get_as<Tensor>(value)) return *tensor;
  const ScriptList* list = as_list(value);
  if (list != nullptr && list->kind != ScriptList::Kind::dict && depth < kMaxListDepth) {
    List items;
    for (const ScriptValue& item : list->items) items.push_back(to_value(item, depth + 1));
    return items;
  }
  if (is_none(value)) return {};
  throw UnsupportedError("expected numbers, texts and tensors as arguments, got " + std::string(kind_of(value)));
}

std::optional<Value> ScriptCall::option(std::string_view name) const {
  const ScriptValue* value = argument(name);
  if (value == nullptr || is_none(*value)) return std::nullopt;
  return to_value(*value, 0);
}

void ScriptCall::check_asked() const {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (asked_[i]) continue;
    const bool has_place = i < arguments_.places();
    const std::string_view name = has_place ? names_[i] : arguments_.names[i - arguments_.places()];
    throw UnsupportedError("expected arguments that Teff knows, got \"" + escaped(name, 80) + '"');
  }
}

}  // namespace teff::serialize
