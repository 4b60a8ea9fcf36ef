// SPDX-License-Identifier: MIT
#pragma once

// Private: JSON whose parts are looked up by name, in any order. A value takes 12 bytes beside the text.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/io/json.h"

namespace teff::serialize {

class JsonTree;

/// A value of a tree, which must outlive it; or none.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { none, null, boolean, number, text, array, object };

  JsonValue() = default;
  Kind kind() const;
  bool is(Kind kind_) const { return kind() == kind_; }
  explicit operator bool() const { return tree_ != nullptr; }

  // @throws FormatError, with the place, if it is something else.

  bool boolean() const;
  std::int64_t integer() const;
  double number() const;
  std::string text() const;

  /// The member of that name; none if it is not there, or null. @throws FormatError unless this is an object.
  JsonValue find(std::string_view name) const;
  /// The same. @throws FormatError also if there is none.
  JsonValue at(std::string_view name) const;

  /// Calls element(value) for each of an array. @throws FormatError unless it is one.
  template <class Element>
  void each(Element&& element) const {
    expect(Kind::array, "an array");
    for (JsonValue value = first(); value; value = after(value)) element(value);
  }
  /// Calls member(name, value) for each of an object. @throws FormatError unless it is one.
  template <class Member>
  void each_member(Member&& member) const {
    expect(Kind::object, "an object");
    for (JsonValue value = first(); value; value = after(value)) member(value.name(), value);
  }

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  friend class JsonTree;
  JsonValue(const JsonTree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  void expect(Kind kind, const char* what) const;
  std::string_view word() const;
  const std::string& name() const;
  JsonValue first() const;
  JsonValue after(const JsonValue& child) const;

  const JsonTree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

class JsonTree {
 public:
  /// `offset`: of the text in the file, for error messages. @throws FormatError for what is no JSON, for names that an
  /// object has twice, and beyond 64 levels or 2097152 values.
  JsonTree(std::string text, std::uint64_t offset);

  JsonValue root() const { return {this, 0}; }

 private:
  friend class JsonValue;
  using Kind = JsonValue::Kind;
  struct Node {
    std::uint32_t place;      // in the text
    std::uint32_t after;      // index of the node after all that is in it
    std::uint32_t name : 28;  // of a member
    std::uint32_t kind : 4;
  };
  void add(JsonReader& json, std::uint32_t name, std::size_t depth);
  std::uint32_t name_of(const JsonReader& json, const std::string& text);

  std::string text_;
  std::uint64_t offset_;
  std::vector<Node> nodes_;
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
};

}  // namespace teff::serialize
