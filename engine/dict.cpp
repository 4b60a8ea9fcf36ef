// SPDX-License-Identifier: MIT
#include "teff/engine/dict.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <ostream>
#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

constexpr std::size_t kIndexFrom = 16;  // below, looking through the items is as fast
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool equal_tensors(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.type() == b.type() && (a.nbytes() == 0 || std::memcmp(a.raw_data(), b.raw_data(), a.nbytes()) == 0);
}

template <class Alternative, class Variant>
auto& get(Variant& value, const Value& whole, Value::Kind wanted) {
  if (auto* alternative = std::get_if<Alternative>(&value)) return *alternative;
  throw TypeError("value: expected " + std::string(to_string(wanted)) + ", got " +
                  std::string(to_string(whole.kind())));
}

void print_text(std::ostream& out, const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  out << '\'' << detail::escaped(quoted) << '\'';
}

/// As Python prints it: the shortest digits that give the number back, and always as no whole number.
std::string float_text(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer;
  const auto digits = [&](std::chars_format format) {
    return std::string(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr);
  };
  const double magnitude = std::abs(value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16)) return digits(std::chars_format::scientific);
  const std::string text = digits(std::chars_format::fixed);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

void print_list(std::ostream& out, const List& list) {
  out << '[';
  const char* separator = "";
  for (const Value& value : list) {
    out << separator << value;
    separator = ", ";
  }
  out << ']';
}

}  // namespace

Dict::Dict() = default;
Dict::Dict(std::initializer_list<DictItem> items) {
  for (const DictItem& item : items) insert(item.key, item.value);
}
Dict::Dict(const Dict& other) : index_(other.index_) {
  items_.reserve(other.items_.size());
  for (const auto& item : other.items_) items_.push_back(std::make_unique<DictItem>(*item));
}
Dict::Dict(Dict&&) noexcept = default;
Dict& Dict::operator=(const Dict& other) { return *this = Dict(other); }
Dict& Dict::operator=(Dict&& other) noexcept {
  const Dict old(std::move(*this));  // which may hold the other
  items_ = std::move(other.items_);
  index_ = std::move(other.index_);
  return *this;
}
Dict::~Dict() = default;

std::size_t Dict::size() const { return items_.size(); }
bool Dict::empty() const { return items_.empty(); }
Dict::iterator Dict::begin() { return iterator(items_.data()); }
Dict::iterator Dict::end() { return iterator(items_.data() + items_.size()); }
Dict::const_iterator Dict::begin() const { return const_iterator(items_.data()); }
Dict::const_iterator Dict::end() const { return const_iterator(items_.data() + items_.size()); }

std::size_t Dict::place(std::string_view key) const {
  if (!index_.empty()) {
    const auto found = index_.find(key);
    return found == index_.end() ? kNone : found->second;
  }
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i]->key == key) return i;
  }
  return kNone;
}

const Value* Dict::find(std::string_view key) const {
  const std::size_t i = place(key);
  return i == kNone ? nullptr : &items_[i]->value;
}

Value* Dict::find(std::string_view key) {
  const std::size_t i = place(key);
  return i == kNone ? nullptr : &items_[i]->value;
}

const Value& Dict::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  std::string keys;
  std::size_t shown = 0;
  for (const DictItem& item : *this) {
    if (++shown > 10) {
      keys += ", ...";
      break;
    }
    keys += (keys.empty() ? "\"" : ", \"") + detail::escaped(item.key) + '"';
  }
  throw IndexError("dict: expected one of its keys (" + keys + "), got \"" + detail::escaped(key) + '"');
}

Value& Dict::at(std::string_view key) { return const_cast<Value&>(static_cast<const Dict*>(this)->at(key)); }

Value& Dict::operator[](std::string_view key) {
  if (Value* value = find(key)) return *value;
  insert(std::string(key), Value());
  return items_.back()->value;
}

void Dict::insert(std::string key, Value value) {
  if (contains(key)) throw ValueError("dict: expected a new key, got \"" + detail::escaped(key) + "\" a second time");
  // DictItem is an aggregate, of which clang 14 makes none in parentheses.
  items_.push_back(
      std::unique_ptr<DictItem>(new DictItem{std::move(key), std::move(value)}));  // NOLINT(modernize-make-unique)
  if (items_.size() > kIndexFrom) {
    index_.emplace(items_.back()->key, items_.size() - 1);
  } else if (items_.size() == kIndexFrom) {
    for (std::size_t i = 0; i < items_.size(); ++i) index_.emplace(items_[i]->key, i);
  }
}

bool Dict::erase(std::string_view key) {
  const std::size_t i = place(key);
  if (i == kNone) return false;
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
  index_.clear();
  if (items_.size() >= kIndexFrom) {
    for (std::size_t j = 0; j < items_.size(); ++j) index_.emplace(items_[j]->key, j);
  }
  return true;
}

void Dict::clear() {
  items_.clear();
  index_.clear();
}

TEFF_EXPORT bool operator==(const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  for (const DictItem& item : a) {
    const Value* other = b.find(item.key);
    if (other == nullptr || !(item.value == *other)) return false;
  }
  return true;
}

namespace {

/// Counts how deep a function is in a Value that it goes through by calling itself.
class Level {
 public:
  explicit Level(const char* what) {
    if (depth() == Value::kMaxDepth) {
      throw ValueError(std::string("value: expected at most ") + std::to_string(Value::kMaxDepth) +
                       " lists and dicts in each other to " + what + ", got more");
    }
    ++depth();
  }
  ~Level() { --depth(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  static int& depth() {
    static thread_local int value = 0;
    return value;
  }
};

bool holds_values(const Value& value) {
  return (value.is_list() && !value.as_list().empty()) || (value.is_dict() && !value.as_dict().empty());
}

}  // namespace

Value::Value(const Value& other) {
  if (!holds_values(other)) {
    value_ = other.value_;
  } else {
    const Level level("copy");
    value_ = other.value_;
  }
}

Value::Value(Value&& other) noexcept = default;

Value& Value::operator=(const Value& other) { return *this = Value(other); }

Value& Value::operator=(Value&& other) noexcept {
  Value taken(std::move(other));  // which may be a part of this one
  std::swap(value_, taken.value_);
  return *this;
}

template <class Function>
void Value::for_each_part(Function&& function) {
  if (is_list()) {
    for (Value& part : as_list()) function(part);
  } else if (is_dict()) {
    for (DictItem& item : as_dict()) function(item.value);
  }
}

// A destructor that calls itself for each list in a list needs stack for all of them. So nested parts move to a list of
// those that wait, and are let go one after the other. Without memory for that they are let go by recursion.
Value::~Value() {
  if (!holds_nested()) return;
  try {
    List waiting;
    waiting.push_back(std::move(*this));
    while (!waiting.empty()) {
      Value value = std::move(waiting.back());
      waiting.pop_back();
      value.for_each_part([&](Value& part) {
        if (holds_values(part)) waiting.push_back(std::move(part));
      });
    }
  } catch (const std::bad_alloc&) {
  }
}

/// Whether some list or dict in it holds values itself.
bool Value::holds_nested() const {
  if (is_list()) return std::any_of(as_list().begin(), as_list().end(), holds_values);
  if (is_dict()) {
    return std::any_of(as_dict().begin(), as_dict().end(),
                       [](const DictItem& item) { return holds_values(item.value); });
  }
  return false;
}

Value::Value(const char* text) {
  if (text == nullptr) throw ValueError("value: expected text, got a null pointer");
  value_ = std::string(text);
}

Value::Value(List list) : value_(std::move(list)) {}
Value::Value(Dict dict) : value_(std::move(dict)) {}
Value::Value(const IntList& list) : value_(List(list.begin(), list.end())) {}

bool Value::as_bool() const { return get<bool>(value_, *this, Kind::boolean); }
std::int64_t Value::as_int() const { return get<std::int64_t>(value_, *this, Kind::integer); }
double Value::as_float() const {
  return is_int() ? static_cast<double>(as_int()) : get<double>(value_, *this, Kind::floating);
}
const std::string& Value::as_text() const { return get<std::string>(value_, *this, Kind::text); }
const Bytes& Value::as_bytes() const { return get<Bytes>(value_, *this, Kind::bytes); }
const Tensor& Value::as_tensor() const { return get<Tensor>(value_, *this, Kind::tensor); }
const List& Value::as_list() const { return get<List>(value_, *this, Kind::list); }
List& Value::as_list() { return get<List>(value_, *this, Kind::list); }
const Dict& Value::as_dict() const { return get<Dict>(value_, *this, Kind::dict); }
Dict& Value::as_dict() { return get<Dict>(value_, *this, Kind::dict); }

IntList Value::as_int_list() const {
  IntList result;
  for (const Value& value : as_list()) result.push_back(value.as_int());
  return result;
}

TEFF_EXPORT bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  std::optional<Level> level;
  if (holds_values(a)) level.emplace("compare");
  switch (a.kind()) {
    case Value::Kind::none:
      return true;
    case Value::Kind::boolean:
      return a.as_bool() == b.as_bool();
    case Value::Kind::integer:
      return a.as_int() == b.as_int();
    case Value::Kind::floating:  // by bits: NaN equals itself, -0 differs from 0
      return std::bit_cast<std::uint64_t>(a.as_float()) == std::bit_cast<std::uint64_t>(b.as_float());
    case Value::Kind::text:
      return a.as_text() == b.as_text();
    case Value::Kind::bytes:
      return a.as_bytes() == b.as_bytes();
    case Value::Kind::tensor:
      return equal_tensors(a.as_tensor(), b.as_tensor());
    case Value::Kind::list:
      return a.as_list() == b.as_list();
    case Value::Kind::dict:
      return a.as_dict() == b.as_dict();
  }
  return false;
}

std::string_view to_string(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::none:
      return "None";
    case Value::Kind::boolean:
      return "a bool";
    case Value::Kind::integer:
      return "an integer";
    case Value::Kind::floating:
      return "a floating-point number";
    case Value::Kind::text:
      return "text";
    case Value::Kind::bytes:
      return "bytes";
    case Value::Kind::tensor:
      return "a tensor";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::dict:
      return "a dict";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const Value& value) {
  std::optional<Level> level;
  if (holds_values(value)) level.emplace("print");
  switch (value.kind()) {
    case Value::Kind::none:
      return out << "None";
    case Value::Kind::boolean:
      return out << (value.as_bool() ? "True" : "False");
    case Value::Kind::integer:
      return out << value.as_int();
    case Value::Kind::floating:
      return out << float_text(value.as_float());
    case Value::Kind::text:
      print_text(out, value.as_text());
      return out;
    case Value::Kind::bytes:
      return out << '<' << value.as_bytes().size() << " bytes>";
    case Value::Kind::tensor:
      if (!value.as_tensor().defined()) return out << "tensor undefined";
      return out << "tensor " << detail::describe(value.as_tensor().type());
    case Value::Kind::list:
      print_list(out, value.as_list());
      return out;
    case Value::Kind::dict:
      return out << value.as_dict();
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const Dict& dict) {
  out << '{';
  const char* separator = "";
  for (const DictItem& item : dict) {
    out << separator;
    print_text(out, item.key);
    out << ": " << item.value;
    separator = ", ";
  }
  return out << '}';
}

}  // namespace teff
