// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

class Value;
struct DictItem;

using List = std::vector<Value>;
using Bytes = std::vector<std::byte>;

namespace detail {
/// Goes through the items of a Dict, whose values may change and whose keys may not.
template <class Item>
class DictIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = std::remove_const_t<Item>;
  using difference_type = std::ptrdiff_t;
  using pointer = Item*;
  using reference = Item&;

  DictIterator() = default;
  explicit DictIterator(const std::unique_ptr<DictItem>* place) : place_(place) {}
  operator DictIterator<const DictItem>() const requires(!std::is_const_v<Item>) {
    return DictIterator<const DictItem>(place_);
  }

  Item& operator*() const { return **place_; }
  Item* operator->() const { return place_->get(); }
  DictIterator& operator++() {
    ++place_;
    return *this;
  }
  DictIterator operator++(int) { return DictIterator(place_++); }
  friend bool operator==(const DictIterator&, const DictIterator&) = default;

 private:
  const std::unique_ptr<DictItem>* place_ = nullptr;
};
}  // namespace detail

/// Names and values in the order of insertion: a state dict, a checkpoint, the attributes of an operation. Copies
/// copy the structure; tensors stay handles, as in Python.
class Dict {
 public:
  using iterator = detail::DictIterator<DictItem>;
  using const_iterator = detail::DictIterator<const DictItem>;

  Dict();
  /// `Dict{{"epoch", 5}, {"loss", 0.4}}`. @throws ValueError if a key occurs twice.
  Dict(std::initializer_list<DictItem> items);
  Dict(const Dict&);
  Dict(Dict&&) noexcept;
  Dict& operator=(const Dict&);
  Dict& operator=(Dict&&) noexcept;
  ~Dict();

  std::size_t size() const;
  bool empty() const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  /// The value, or null. Valid until it is erased.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// The value. @throws IndexError that names the key and the first ten that there are.
  const Value& at(std::string_view key) const;
  Value& at(std::string_view key);
  /// The value, made (None) if the key is new.
  Value& operator[](std::string_view key);
  /// Adds an item at the end. @throws ValueError if the key is there already.
  void insert(std::string key, Value value);
  /// Whether there was such a key.
  bool erase(std::string_view key);
  void clear();

  iterator begin();
  iterator end();
  const_iterator begin() const;
  const_iterator end() const;

  /// Equal keys with equal values, in any order. Tensors are equal if dtype, shape and every bit are.
  friend bool operator==(const Dict& a, const Dict& b);

 private:
  std::size_t place(std::string_view key) const;

  std::vector<std::unique_ptr<DictItem>> items_;
  std::map<std::string, std::size_t, std::less<>> index_;  // kept from kIndexFrom items on; keys of hostile files could
                                                           // all have one hash
};

/// One value of a Dict or List: None, a bool, an integer, a floating-point number, text, bytes, a tensor, a list, or
/// a Dict. Lists and dicts may be in each other to any depth; beyond kMaxDepth a Value cannot be copied, compared or
/// printed. @throws ValueError then.
class Value {
 public:
  enum class Kind { none, boolean, integer, floating, text, bytes, tensor, list, dict };

  static constexpr int kMaxDepth = 100;

  Value() = default;
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Value(std::nullptr_t) {}
  template <std::same_as<bool> T>  // a pointer is none
  Value(T value) : value_(value) {}
  /// @throws ValueError for a number of 2^63 or more.
  template <WholeNumber T>
  Value(T value) : value_(static_cast<std::int64_t>(Integer(value))) {}
  template <std::floating_point T>
  Value(T value) : value_(static_cast<double>(value)) {}
  /// @throws ValueError for a null pointer.
  Value(const char* text);
  Value(std::string text) : value_(std::move(text)) {}
  Value(std::string_view text) : value_(std::string(text)) {}
  Value(Bytes bytes) : value_(std::move(bytes)) {}
  Value(Tensor tensor) : value_(std::move(tensor)) {}
  Value(List list);
  Value(Dict dict);
  Value(const IntList& list);  // a List of integers

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_none() const { return kind() == Kind::none; }
  bool is_bool() const { return kind() == Kind::boolean; }
  bool is_int() const { return kind() == Kind::integer; }
  bool is_float() const { return kind() == Kind::floating; }
  bool is_text() const { return kind() == Kind::text; }
  bool is_bytes() const { return kind() == Kind::bytes; }
  bool is_tensor() const { return kind() == Kind::tensor; }
  bool is_list() const { return kind() == Kind::list; }
  bool is_dict() const { return kind() == Kind::dict; }

  // The value as what it is. @throws TypeError that says what it is if it is something else. as_float also takes an
  // integer.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_float() const;
  const std::string& as_text() const;
  const Bytes& as_bytes() const;
  const Tensor& as_tensor() const;
  const List& as_list() const;
  List& as_list();
  const Dict& as_dict() const;
  Dict& as_dict();
  /// A List of integers.
  IntList as_int_list() const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  bool holds_nested() const;
  template <class Function>
  void for_each_part(Function&& function);

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Tensor, List, Dict> value_;
};

/// "int", "text", ...: the kind as error messages name it.
std::string_view to_string(Value::Kind kind);

struct DictItem {
  const std::string key;
  Value value;
};

/// `{'epoch': 5, 'weight': tensor float32 [6, 3, 5, 5]}`: as Python prints a dict, tensors by type and shape only.
std::ostream& operator<<(std::ostream& out, const Value& value);
std::ostream& operator<<(std::ostream& out, const Dict& dict);

}  // namespace teff
