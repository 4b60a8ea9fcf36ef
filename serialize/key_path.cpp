// SPDX-License-Identifier: MIT
#include "teff/serialize/key_path.h"

#include <charconv>
#include <climits>

#include "teff/engine/error.h"
#include "teff/serialize/file_entry.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kSpecial = "/[\\";

class Visit {
 public:
  using Function = std::function<void(const std::string& path, const Tensor& tensor)>;
  Visit(std::uint64_t max_bytes, const Function& function) : left_(max_bytes), function_(function) {}

  void items(const Dict& dict) {
    for (const auto& [key, value] : dict) below(std::string(depth_ == 0 ? "" : "/").append(escape_key(key)), value);
  }

 private:
  void below(const std::string& step, const Value& value) {
    const std::size_t length = path_.size();
    path_ += step;
    ++depth_;
    visit(value);
    --depth_;
    path_.resize(length);
  }

  void visit(const Value& value) {
    if (value.is_tensor()) {
      if (path_.size() > left_) throw FormatError("expected paths of at most 16 times the file, got longer ones");
      left_ -= path_.size();
      function_(path_, value.as_tensor());
    } else if (value.is_list()) {
      std::size_t index = 0;
      for (const Value& item : value.as_list())
        below(std::string("[").append(std::to_string(index++)).append("]"), item);
    } else if (value.is_dict()) {
      items(value.as_dict());
    }
  }

  std::uint64_t left_;
  const Function& function_;
  std::string path_;
  std::size_t depth_ = 0;
};

/// A path that is read step by step.
class Path {
 public:
  explicit Path(std::string_view path) : path_(path) {}

  bool at_end() const { return place_ == path_.size(); }
  bool takes(char c) {
    const bool found = !at_end() && path_[place_] == c;
    place_ += found ? 1 : 0;
    return found;
  }

  std::string key() {
    std::string key;
    while (!at_end() && path_[place_] != '/' && path_[place_] != '[') {
      if (path_[place_] == '\\' && ++place_ == path_.size()) refuse("a character behind \\", "the end");
      key += path_[place_++];
    }
    return key;
  }

  std::size_t index() {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(path_.data() + place_, path_.data() + path_.size(), index);
    place_ = static_cast<std::size_t>(end - path_.data());
    if (error != std::errc() || !takes(']')) refuse("a place like [3]", "something else");
    return index;
  }

  [[noreturn]] void refuse(const std::string& expected, const std::string& got) const {
    throw IndexError("path \"" + escaped(path_, PATH_MAX) + "\": expected " + expected + " behind \"" +
                     escaped(path_.substr(0, place_), PATH_MAX) + "\", got " + got);
  }

 private:
  std::string_view path_;
  std::size_t place_ = 0;
};

/// "epoch", "state_dict", ...
std::string names_of(const Dict& dict) {
  constexpr std::size_t kShownKeys = 10, kShownKeyBytes = 80;
  std::string names;
  std::size_t count = 0;
  for (const DictItem& item : dict) {
    if (++count > kShownKeys) return names + ", ...";
    names += (names.empty() ? "\"" : ", \"") + escaped(item.key, kShownKeyBytes) + '"';
  }
  return names;
}

const Value& item_at(const Dict& dict, Path& path) {
  const std::string key = path.key();
  if (const Value* value = dict.find(key)) return *value;
  path.refuse("one of the keys " + names_of(dict), "one that is not there");
}

const Value& element_at(const Value& value, Path& path) {
  const std::size_t index = path.index();
  if (!value.is_list()) path.refuse("a list", std::string(to_string(value.kind())));
  if (index < value.as_list().size()) return value.as_list()[index];
  path.refuse("a place below " + std::to_string(value.as_list().size()), std::to_string(index));
}

}  // namespace

void for_tensors(const Dict& dict, std::uint64_t max_bytes, const Visit::Function& visit) {
  Visit(max_bytes, visit).items(dict);
}

const Value& value_at(const Dict& dict, std::string_view text) {
  Path path(text);
  const Value* value = &item_at(dict, path);
  while (!path.at_end()) {
    if (path.takes('[')) {
      value = &element_at(*value, path);
    } else if (path.takes('/')) {
      if (!value->is_dict()) path.refuse("a dict", std::string(to_string(value->kind())));
      value = &item_at(value->as_dict(), path);
    } else {
      path.refuse("/ or [", "something else");
    }
  }
  return *value;
}

bool erase_at(Dict& dict, std::string_view text) {
  try {
    Path path(text);
    std::string key = path.key();
    Dict* parent = &dict;
    Value* value = parent->find(key);
    while (value != nullptr && !path.at_end()) {
      if (path.takes('[')) {
        const std::size_t index = path.index();
        if (!value->is_list() || index >= value->as_list().size()) return false;
        value = &value->as_list()[index];
        parent = nullptr;
      } else if (path.takes('/') && value->is_dict()) {
        parent = &value->as_dict();
        key = path.key();
        value = parent->find(key);
      } else {
        return false;
      }
    }
    if (value == nullptr) return false;
    if (parent != nullptr) {
      parent->erase(key);
    } else {
      *value = Value();
    }
    return true;
  } catch (const IndexError&) {
    return false;
  }
}

}  // namespace teff::serialize

namespace teff {

std::string escape_key(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (serialize::kSpecial.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace teff
