// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"

namespace TEFF_EXPORT teff {

// An options struct names its fields once:
//
//   struct ScaleOptions {
//     double factor = 1;
//     bool training = false;
//     static void fields(auto& self, auto&& field) {
//       field("factor", self.factor);
//       field("training", self.training);
//     }
//   };
//
// and to_dict, from_dict and equality follow. A field is a bool, int64_t, double, std::string, Pair, IntList, any
// number of int64_t as a std::vector, two doubles as a std::array, an enum with to_string and from_string, or
// std::optional of these (absent: None).

struct NoOptions {
  static void fields(auto&, auto&&) {}
};

namespace detail {

inline Value to_value(bool value) { return value; }
inline Value to_value(std::int64_t value) { return value; }
inline Value to_value(double value) { return value; }
inline Value to_value(const std::string& value) { return value; }
inline Value to_value(const IntList& value) { return value; }
inline Value to_value(const std::vector<std::int64_t>& value) { return List(value.begin(), value.end()); }
inline Value to_value(const Pair& value) { return IntList{value.height, value.width}; }
inline Value to_value(const std::array<double, 2>& value) { return List{value[0], value[1]}; }
template <class Enum>
requires std::is_enum_v<Enum> Value to_value(Enum value) { return to_string(value); }
template <class T>
Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Value();
}

void from_value(const Value& value, bool& field);
void from_value(const Value& value, std::int64_t& field);
void from_value(const Value& value, double& field);
void from_value(const Value& value, std::string& field);
void from_value(const Value& value, IntList& field);
void from_value(const Value& value, std::vector<std::int64_t>& field);
void from_value(const Value& value, Pair& field);
void from_value(const Value& value, std::array<double, 2>& field);
template <class Enum>
requires std::is_enum_v<Enum>
void from_value(const Value& value, Enum& field) { from_string(value.as_text(), field); }
template <class T>
void from_value(const Value& value, std::optional<T>& field) {
  if (value.is_none()) {
    field.reset();
  } else {
    from_value(value, field.emplace());
  }
}

[[noreturn]] void bad_field(std::string_view owner, std::string_view field, const char* what);
/// @throws ValueError that names the first key of `values` that is not among the known names.
void refuse_unknown_fields(std::string_view owner, const Dict& values, const std::vector<std::string_view>& known);

}  // namespace detail

/// The fields by name, in their order.
template <class Options>
Dict to_dict(const Options& options) {
  Dict dict;
  Options::fields(options, [&](std::string_view name, const auto& field) {
    dict.insert(std::string(name), detail::to_value(field));
  });
  return dict;
}

/// Options with the given fields; those that are absent keep their defaults. `owner` begins error messages.
/// @throws ValueError for an unknown field, TypeError for one of another kind.
template <class Options>
Options from_dict(const Dict& dict, std::string_view owner) {
  Options options;
  std::vector<std::string_view> known;
  Options::fields(options, [&](std::string_view name, auto& field) {
    known.push_back(name);
    if (const Value* value = dict.find(name)) {
      try {
        detail::from_value(*value, field);
      } catch (const std::runtime_error& error) {
        detail::bad_field(owner, name, error.what());
      }
    }
  });
  detail::refuse_unknown_fields(owner, dict, known);
  return options;
}

}  // namespace teff
