// SPDX-License-Identifier: MIT
#include "teff/engine/fields.h"

#include <algorithm>

#include "teff/engine/error.h"

namespace teff::detail {

void from_value(const Value& value, bool& field) { field = value.as_bool(); }
void from_value(const Value& value, std::int64_t& field) { field = value.as_int(); }
void from_value(const Value& value, double& field) { field = value.as_float(); }
void from_value(const Value& value, std::string& field) { field = value.as_text(); }
void from_value(const Value& value, IntList& field) { field = value.as_int_list(); }

void from_value(const Value& value, std::vector<std::int64_t>& field) {
  field.clear();
  for (const Value& element : value.as_list()) field.push_back(element.as_int());
}

void from_value(const Value& value, Pair& field) {
  const IntList list = value.as_int_list();
  if (list.size() != 2) throw TypeError("expected a list of 2 integers, got " + to_string(list));
  field = {list[0], list[1]};
}

void from_value(const Value& value, std::array<double, 2>& field) {
  const List& list = value.as_list();
  if (list.size() != 2) throw TypeError("expected a list of 2 numbers, got one of " + std::to_string(list.size()));
  field = {list[0].as_float(), list[1].as_float()};
}

void bad_field(std::string_view owner, std::string_view field, const char* what) {
  throw TypeError(std::string(owner) + ": attribute \"" + std::string(field) + "\": " + what);
}

void refuse_unknown_fields(std::string_view owner, const Dict& values, const std::vector<std::string_view>& known) {
  for (const DictItem& item : values) {
    if (std::find(known.begin(), known.end(), item.key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    throw ValueError(std::string(owner) + ": expected attributes among (" + names + "), got \"" + item.key + '"');
  }
}

}  // namespace teff::detail
