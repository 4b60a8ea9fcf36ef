// SPDX-License-Identifier: MIT
#include "teff/serialize/io/json_tree.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShownWord = 60;
constexpr std::uint32_t kNoName = (1u << 28) - 1;

const char* name_of_kind(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::none:
      return "nothing";
    case JsonValue::Kind::null:
      return "null";
    case JsonValue::Kind::boolean:
      return "a boolean";
    case JsonValue::Kind::number:
      return "a number";
    case JsonValue::Kind::text:
      return "a text";
    case JsonValue::Kind::array:
      return "an array";
    case JsonValue::Kind::object:
      return "an object";
  }
  return "";
}

std::optional<double> number_of(std::string_view word) {
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  const std::size_t digit = word.starts_with('-') ? 1 : 0;
  if (digit >= word.size() || word[digit] < '0' || word[digit] > '9') return {};
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return {};
  return number;
}

}  // namespace

// --- the tree

JsonTree::JsonTree(std::string text, std::uint64_t offset) : text_(std::move(text)), offset_(offset) {
  JsonReader json(text_, offset_);
  if (text_.size() > std::numeric_limits<std::uint32_t>::max()) json.refuse("expected less than 4 GB, got more");
  add(json, kNoName, 0);
  json.finish();
}

std::uint32_t JsonTree::name_of(const JsonReader& json, const std::string& text) {
  const auto found = by_name_.find(text);
  if (found != by_name_.end()) return found->second;
  const auto name = static_cast<std::uint32_t>(names_.size());
  if (name == kNoName) json.refuse("expected fewer names, got more");
  names_.push_back(text);
  by_name_.emplace(text, name);
  return name;
}

void JsonTree::add(JsonReader& json, std::uint32_t name, std::size_t depth) {
  if (depth > kMaxDepth) json.refuse("expected at most 64 levels, got more");
  if (nodes_.size() >= kMaxItems) json.refuse("expected at most 2097152 values, got more");
  const std::size_t index = nodes_.size();
  const char c = json.next();
  Kind kind = Kind::number;
  nodes_.push_back({static_cast<std::uint32_t>(json.next_place()), 0, name & kNoName, 0});
  if (c == '{') {
    kind = Kind::object;
    std::vector<std::uint32_t> names;
    json.object([&](const std::string& text) {
      names.push_back(name_of(json, text));
      add(json, names.back(), depth + 1);
    });
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      json.refuse("expected a name once in an object, got \"" + escaped(names_[*twice], kShownWord) + "\" again");
    }
  } else if (c == '[') {
    kind = Kind::array;
    json.array([&] { add(json, kNoName, depth + 1); });
  } else if (c == '"') {
    kind = Kind::text;
    static_cast<void>(json.string());
  } else {
    const std::string_view word = json.word();
    if (word == "null") {
      kind = Kind::null;
    } else if (word == "true" || word == "false") {
      kind = Kind::boolean;
    } else if (!number_of(word)) {
      json.refuse("expected a value, got \"" + escaped(word, kShownWord) + '"');
    }
  }
  nodes_[index].kind = static_cast<std::uint32_t>(kind) & 15u;
  nodes_[index].after = static_cast<std::uint32_t>(nodes_.size());
}

// --- its values

JsonValue::Kind JsonValue::kind() const {
  return tree_ == nullptr ? Kind::none : static_cast<Kind>(tree_->nodes_[index_].kind);
}

void JsonValue::refuse(const std::string& what) const {
  if (tree_ == nullptr) throw FormatError("JSON: " + what);
  throw FormatError("JSON at offset " + std::to_string(tree_->offset_ + tree_->nodes_[index_].place) + ": " + what);
}

void JsonValue::expect(Kind kind_, const char* what) const {
  if (kind() != kind_) refuse("expected " + std::string(what) + ", got " + name_of_kind(kind()));
}

std::string_view JsonValue::word() const {
  const std::uint32_t place = tree_->nodes_[index_].place;
  return JsonReader(std::string_view(tree_->text_).substr(place), tree_->offset_ + place).word();
}

bool JsonValue::boolean() const {
  expect(Kind::boolean, "a boolean");
  return word() == "true";
}

std::int64_t JsonValue::integer() const {
  expect(Kind::number, "a whole number");
  const std::string_view digits = word();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    refuse("expected a whole number of 64 bits, got " + escaped(digits, kShownWord));
  }
  return number;
}

double JsonValue::number() const {
  if (is(Kind::text)) {  // as newer files have what is no number
    const std::optional<double> named = number_of(text());
    if (named) return *named;
  }
  expect(Kind::number, "a number");
  return number_of(word()).value_or(0);
}

std::string JsonValue::text() const {
  expect(Kind::text, "a text");
  const std::uint32_t place = tree_->nodes_[index_].place;
  return JsonReader(std::string_view(tree_->text_).substr(place), tree_->offset_ + place).string();
}

const std::string& JsonValue::name() const { return tree_->names_[tree_->nodes_[index_].name]; }

JsonValue JsonValue::first() const {
  return index_ + 1 < tree_->nodes_[index_].after ? JsonValue(tree_, index_ + 1) : JsonValue();
}

JsonValue JsonValue::after(const JsonValue& child) const {
  const std::uint32_t next = tree_->nodes_[child.index_].after;
  return next < tree_->nodes_[index_].after ? JsonValue(tree_, next) : JsonValue();
}

JsonValue JsonValue::find(std::string_view name_) const {
  expect(Kind::object, "an object");
  for (JsonValue value = first(); value; value = after(value)) {
    if (value.name() == name_) return value.is(Kind::null) ? JsonValue() : value;
  }
  return {};
}

JsonValue JsonValue::at(std::string_view name_) const {
  const JsonValue value = find(name_);
  if (!value) refuse("expected a member \"" + std::string(name_) + "\", got none");
  return value;
}

}  // namespace teff::serialize
