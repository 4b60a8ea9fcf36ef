// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_call.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/ops.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/operators/folding.h"

namespace teff::serialize {
namespace {

constexpr std::int64_t kMaxStated = 64;  // elements of a parameter that may take part in arithmetic on sizes

std::vector<std::string_view> argument_names(std::string_view text) {
  std::vector<std::string_view> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    names.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

/// A number as a tensor without dimensions.
Tensor tensor_of_number(const Value& value) {
  const detail::NotCapturing now;
  if (value.is_bool()) return full({}, value.as_bool() ? 1 : 0, {.dtype = DType::bool_});
  if (value.is_int()) return full({}, value.as_int(), {.dtype = DType::int64});
  if (value.is_float()) return full({}, value.as_float(), {.dtype = DType::float32});
  throw UnsupportedError("expected a tensor, got something else");
}

/// What overloads call an argument that the row has another name for.
struct OtherName {
  std::string_view row, name, in_row;
};
constexpr OtherName kOtherNames[] = {
    {"chain_matmul", "matrices", "tensors"},
    {"max", "other", "dim"},
    {"min", "other", "dim"},
    {"split", "split_sizes", "split_size"},
    {"tensor_split", "indices", "indices_or_sections"},
    {"tensor_split", "sections", "indices_or_sections"},
    {"tensor_split", "tensor_indices_or_sections", "indices_or_sections"},
};

/// The place of a scale of one dimension: those of the rows follow each other from the first dimension on.
std::string_view name_of_scale(std::string_view row, std::string_view name) {
  if (name == "scales") return "scale_factors";
  const bool is_volume = row.ends_with("3d");
  if (name == "scales_d") return is_volume ? "scale_factors" : "";
  if (name == "scales_h") return is_volume ? "scale_2" : "scale_factors";
  if (name == "scales_w") return is_volume ? "scale_3" : "scale_2";
  return "";
}

/// The place of the argument; beyond the last if there is none. `is_range_end`: it is the only limit of a range.
std::size_t place_named(const AtenRow& row, const std::vector<std::string_view>& names, std::string_view name,
                        bool is_range_end) {
  const auto place_of = [&](std::string_view one) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), one) - names.begin());
  };
  if (const std::size_t place = place_of(name); place < names.size() && !is_range_end) return place;
  if (name == "self" || name == "input" || (name == "end" && is_range_end))
    return 0;  // overloads differ in what they call the first
  for (const OtherName& other : kOtherNames) {
    if (other.row == row.name && other.name == name) return place_of(other.in_row);
  }
  return place_of(name_of_scale(row.name, name));
}

/// Of no effect here.
bool is_ignored(std::string_view name) {
  return name == "device" || name == "layout" || name == "pin_memory" || name == "cudnn_enabled";
}

}  // namespace

ExportedCall::ExportedCall(const AtenRow& row, const ExportedArguments& arguments, ValuesOf values_of, bool known)
    : names_(argument_names(row.arguments)), values_of_(std::move(values_of)) {
  const bool has_start = row.name != "arange" || std::any_of(arguments.begin(), arguments.end(),
                                                             [](const auto& one) { return one.first == "start"; });
  for (const auto& [name, value] : arguments) {
    if (value.is_none() || is_ignored(name)) continue;
    const std::size_t place = place_named(row, names_, name, name == "end" && !has_start);
    if (place >= names_.size()) {
      throw UnsupportedError("expected arguments that Teff knows, got \"" + escaped(name, 80) + '"');
    }
    if (place >= values_.size()) values_.resize(place + 1);
    values_[place] = value;
    add_tensors(values_[place], known);
  }
  for (const Value& value : values_) asked_.push_back(value.is_none());
}

void ExportedCall::add_tensors(Value& value, bool known) {
  if (value.is_list()) {
    for (Value& item : value.as_list()) add_tensors(item, known);
    return;
  }
  if (!value.is_tensor()) return;
  Tensor tensor = value.as_tensor();
  if (known && tensor.defined() && tensor.numel() <= kMaxStated) {
    const Tensor values = values_of_(tensor);
    if (values.defined()) tensor = values;
    value = tensor;
  }
  tensors_.push_back(tensor);
}

Tensor ExportedCall::maybe(std::size_t i) const {
  if (i >= values_.size() || values_[i].is_none()) return {};
  asked_[i] = true;
  return values_[i].is_tensor() ? values_[i].as_tensor() : tensor_of_number(values_[i]);
}

bool ExportedCall::is_known(std::size_t i) const {
  const Tensor input = maybe(i);
  return input.defined() && (is_constant(input) || values_of_(input).defined());
}

Tensor ExportedCall::known(std::size_t i) const {
  const Tensor input = tensor(i);
  if (is_constant(input)) return input;
  const Tensor values = values_of_(input);
  if (values.defined()) return values;
  throw UnsupportedError(
      "expected argument " + std::to_string(i) +
      " to be known before the network runs, got one that is computed from the values of its inputs");
}

std::optional<Value> ExportedCall::option(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  const auto place = static_cast<std::size_t>(found - names_.begin());
  if (place >= values_.size() || values_[place].is_none()) return std::nullopt;
  asked_[place] = true;
  return values_[place];
}

void ExportedCall::check_asked() const {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (asked_[i]) continue;
    throw UnsupportedError("expected arguments that Teff knows, got \"" + escaped(names_[i], 80) + '"');
  }
}

}  // namespace teff::serialize
