// SPDX-License-Identifier: MIT
#include "teff/engine/dict.h"

#include <bit>
#include <cstring>
#include <ostream>

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
Dict::Dict(const Dict&) = default;
Dict::Dict(Dict&&) noexcept = default;
Dict& Dict::operator=(const Dict&) = default;
Dict& Dict::operator=(Dict&&) noexcept = default;
Dict::~Dict() = default;

std::size_t Dict::size() const { return items_.size(); }
bool Dict::empty() const { return items_.empty(); }
Dict::iterator Dict::begin() { return items_.begin(); }
Dict::iterator Dict::end() { return items_.end(); }
Dict::const_iterator Dict::begin() const { return items_.begin(); }
Dict::const_iterator Dict::end() const { return items_.end(); }

std::size_t Dict::place(std::string_view key) const {
  if (!index_.empty()) {
    const auto found = index_.find(key);
    return found == index_.end() ? kNone : found->second;
  }
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].key == key) return i;
  }
  return kNone;
}

const Value* Dict::find(std::string_view key) const {
  const std::size_t i = place(key);
  return i == kNone ? nullptr : &items_[i].value;
}

Value* Dict::find(std::string_view key) {
  const std::size_t i = place(key);
  return i == kNone ? nullptr : &items_[i].value;
}

const Value& Dict::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  std::string keys;
  std::size_t shown = 0;
  for (const DictItem& item : items_) {
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
  return items_.back().value;
}

void Dict::insert(std::string key, Value value) {
  if (contains(key)) throw ValueError("dict: expected a new key, got \"" + key + "\" a second time");
  items_.push_back({std::move(key), std::move(value)});
  if (items_.size() > kIndexFrom) {
    index_.emplace(items_.back().key, items_.size() - 1);
  } else if (items_.size() == kIndexFrom) {
    for (std::size_t i = 0; i < items_.size(); ++i) index_.emplace(items_[i].key, i);
  }
}

bool Dict::erase(std::string_view key) {
  const std::size_t i = place(key);
  if (i == kNone) return false;
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
  index_.clear();
  if (items_.size() >= kIndexFrom) {
    for (std::size_t j = 0; j < items_.size(); ++j) index_.emplace(items_[j].key, j);
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
  switch (value.kind()) {
    case Value::Kind::none:
      return out << "None";
    case Value::Kind::boolean:
      return out << (value.as_bool() ? "True" : "False");
    case Value::Kind::integer:
      return out << value.as_int();
    case Value::Kind::floating:
      return out << value.as_float();
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
