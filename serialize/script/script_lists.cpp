// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_lists.h"

#include <algorithm>
#include <cctype>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/script/script_builtins.h"
#include "teff/serialize/script/script_network.h"

namespace teff::serialize {
namespace {

using Arguments = ScriptArguments;
using ListKind = ScriptList::Kind;

constexpr std::size_t kMaxText = 1 << 16;
constexpr int kMaxDepthOfLists = 8;

ScriptList* list_in(const Arguments& a, std::size_t i = 0) {
  return i < a.values.size() ? as_list(a.values[i]) : nullptr;
}
ScriptList* list_in(const Arguments& a, std::size_t i, std::size_t count) {
  return a.values.size() == count ? list_in(a, i) : nullptr;
}

const std::string* text_in(const Arguments& a, std::size_t i) {
  return i < a.values.size() ? get_as<std::string>(a.values[i]) : nullptr;
}

ScriptValue bounded(std::string value) {
  if (value.size() > kMaxText) throw UnsupportedError("expected texts of at most 65536 bytes, got a longer one");
  return value;
}

bool is_dict(const ScriptList& list) { return list.kind == ListKind::dict; }

std::int64_t length_of(const ScriptList& list) {
  return static_cast<std::int64_t>(list.items.size()) / (is_dict(list) ? 2 : 1);
}

/// From 0 on. @throws FormatError
std::size_t place_in(const ScriptList& list, const ScriptValue& index) {
  const std::int64_t place = integer_of(index), length = length_of(list);
  if (place >= -length && place < length) return static_cast<std::size_t>(place < 0 ? place + length : place);
  throw FormatError("expected an index of a list of " + std::to_string(length) + ", got " + std::to_string(place));
}

/// Of a dictionary: the value of a key; null if there is none.
ScriptValue* entry_of(ScriptRun& run, ScriptList& dict, const ScriptValue& key) {
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    run.step();
    if (are_equal(run, dict.items[i], key)) return &dict.items[i + 1];
  }
  return nullptr;
}

/// As Python's str(), for messages.
std::string shown(ScriptRun& run, const ScriptValue& value, int depth = 0) {
  run.step();
  if (const bool* truth = get_as<bool>(value)) return *truth ? "True" : "False";
  if (const std::int64_t* number = get_as<std::int64_t>(value)) return std::to_string(*number);
  if (const double* number = get_as<double>(value)) return std::to_string(*number);
  if (const std::string* characters = get_as<std::string>(value)) return *characters;
  const ScriptList* list = as_list(value);
  if (list == nullptr || depth == kMaxDepthOfLists) return std::string(kind_of(value));
  std::string items;
  for (const ScriptValue& item : list->items) {
    if (items.size() > kMaxText) break;
    items += (items.empty() ? "" : ", ") + shown(run, item, depth + 1);
  }
  return '[' + items + ']';
}

ScriptResult selected(ScriptRun& run, const Arguments& a, std::size_t first) {
  const ScriptList* dict = list_in(a, 0, 1);
  if (dict == nullptr || !is_dict(*dict)) return std::nullopt;
  ScriptValues items;
  for (std::size_t i = first; i < dict->items.size(); i += 2) items.push_back(dict->items[i]);
  return run.make_list(std::move(items));
}

template <int (*change)(int)>
ScriptResult changed_text(const Arguments& a) {
  if (text_in(a, 0) == nullptr || a.values.size() != 1) return std::nullopt;
  std::string result = *text_in(a, 0);
  for (char& c : result) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

bool are_equal(ScriptRun& run, const ScriptValue& a, const ScriptValue& b, int depth) {
  run.step();
  if (get_as<Tensor>(a) != nullptr || get_as<Tensor>(b) != nullptr) {
    throw UnsupportedError("expected numbers and texts to compare, got a tensor");
  }
  const ScriptList *x = as_list(a), *y = as_list(b);
  if (x != nullptr && y != nullptr) {
    if (depth == kMaxDepthOfLists) throw UnsupportedError("expected lists at most 8 deep in each other, got more");
    if (x == y) return true;
    if (x->items.size() != y->items.size() || x->kind != y->kind) return false;
    for (std::size_t i = 0; i < x->items.size(); ++i) {
      if (!are_equal(run, x->items[i], y->items[i], depth + 1)) return false;
    }
    return true;
  }
  if (is_number(a) && is_number(b)) {
    const bool has_real = get_as<double>(a) || get_as<double>(b);
    return has_real ? number_of(a) == number_of(b) : integer_of(a) == integer_of(b);
  }
  const std::string *s = get_as<std::string>(a), *t = get_as<std::string>(b);
  if (s != nullptr && t != nullptr) return *s == *t;
  return is_none(a) && is_none(b);
}

void collect_numbers(ScriptRun& run, const ScriptValue& value, Shape& shape, std::vector<ScriptValue>& numbers) {
  std::vector<ScriptValue> level{value};
  while (!level.empty() && as_list(level[0]) != nullptr) {
    if (shape.size() == kMaxRank) throw UnsupportedError("expected lists at most 8 deep in each other, got more");
    const std::size_t length = as_list(level[0])->items.size();
    std::vector<ScriptValue> next;
    for (const ScriptValue& item : level) {
      const ScriptList* list = as_list(item);
      if (list == nullptr || list->items.size() != length) {
        throw FormatError("expected lists of equal lengths in each other, got others");
      }
      run.step(length);
      next.insert(next.end(), list->items.begin(), list->items.end());
    }
    shape.push_back(static_cast<std::int64_t>(length));
    level = std::move(next);
  }
  for (ScriptValue& item : level) {
    if (const Tensor* tensor = get_as<Tensor>(item)) {
      const std::optional<ScriptValue> number = find_script_builtin("item")->call(run, {{*tensor}, {}});
      item = *number;
    }
    static_cast<void>(number_of(item));
  }
  numbers = std::move(level);
}

ScriptValue get_item(ScriptRun& run, const ScriptValue& owner, const ScriptValue& index) {
  ScriptList* list = as_list(owner);
  if (list == nullptr) throw UnsupportedError("expected a list, got " + std::string(kind_of(owner)));
  if (!is_dict(*list)) return list->items[place_in(*list, index)];
  if (const ScriptValue* value = entry_of(run, *list, index)) return *value;
  throw FormatError("expected a key of the dictionary, got another");
}

void set_item(ScriptRun& run, const ScriptValue& owner, const ScriptValue& index, ScriptValue value) {
  ScriptList* list = as_list(owner);
  if (list == nullptr || list->kind == ListKind::tuple) {
    throw UnsupportedError("expected a list, got " + std::string(kind_of(owner)));
  }
  if (!is_dict(*list)) {
    list->items[place_in(*list, index)] = std::move(value);
  } else if (ScriptValue* known = entry_of(run, *list, index)) {
    *known = std::move(value);
  } else {
    list->items.push_back(index);
    list->items.push_back(std::move(value));
  }
}

ScriptResult item_at(ScriptRun& run, const Arguments& a) {
  if (list_in(a, 0, 2) == nullptr) return std::nullopt;
  return get_item(run, a.values[0], a.values[1]);
}

ScriptResult set_item_at(ScriptRun& run, const Arguments& a) {
  if (list_in(a, 0, 3) == nullptr) return std::nullopt;
  set_item(run, a.values[0], a.values[1], a.values[2]);
  return a.values[0];
}

ScriptResult add_lists(ScriptRun& run, const Arguments& a) {
  const std::string *x = text_in(a, 0), *y = text_in(a, 1);
  if (x != nullptr && y != nullptr) return bounded(*x + *y);
  const ScriptList *first = list_in(a, 0, 2), *second = list_in(a, 1, 2);
  if (first == nullptr || second == nullptr || first->kind != second->kind || is_dict(*first)) return std::nullopt;
  ScriptValues items = first->items;
  items.insert(items.end(), second->items.begin(), second->items.end());
  return run.make_list(std::move(items), first->kind);
}

ScriptResult repeat_list(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a, 0, 2);
  if (list == nullptr || is_dict(*list)) return std::nullopt;
  ScriptValues items;
  for (std::int64_t i = integer_of(a.values[1]); i > 0; --i) {
    run.step(1 + list->items.size());
    items.insert(items.end(), list->items.begin(), list->items.end());
  }
  return run.make_list(std::move(items), list->kind);
}

ScriptResult list_length(const Arguments& a) {
  return list_in(a) != nullptr ? ScriptResult(length_of(*list_in(a))) : std::nullopt;
}

ScriptResult append_item(ScriptRun& run, const Arguments& a) {
  ScriptList* list = list_in(a, 0, 2);
  if (list == nullptr || list->kind != ListKind::list) return std::nullopt;
  run.step();
  list->items.push_back(a.values[1]);
  return a.values[0];
}

ScriptResult extend_list(ScriptRun& run, const Arguments& a) {
  ScriptList *list = list_in(a, 0, 2), *more = list_in(a, 1, 2);
  if (list == nullptr || more == nullptr || list->kind != ListKind::list || is_dict(*more)) return std::nullopt;
  const ScriptValues items = more->items;  // it may be the same list
  run.step(1 + items.size());
  list->items.insert(list->items.end(), items.begin(), items.end());
  return a.values[0];
}

ScriptResult insert_item(ScriptRun& run, const Arguments& a) {
  ScriptList* list = list_in(a, 0, 3);
  if (list == nullptr || list->kind != ListKind::list) return std::nullopt;
  const std::int64_t length = length_of(*list), at = integer_of(a.values[1]);
  run.step(1 + list->items.size());
  list->items.insert(list->items.begin() + std::clamp(at < 0 ? at + length : at, std::int64_t{0}, length), a.values[2]);
  return ScriptValue();
}

ScriptResult pop_item(ScriptRun& run, const Arguments& a) {
  ScriptList* list = list_in(a);
  if (list == nullptr || list->kind != ListKind::list || a.values.size() > 2) return std::nullopt;
  const std::size_t place = place_in(*list, a.values.size() == 2 ? a.values[1] : ScriptValue(std::int64_t{-1}));
  run.step(list->items.size() - place);
  ScriptValue item = list->items[place];
  list->items.erase(list->items.begin() + static_cast<std::ptrdiff_t>(place));
  return item;
}

ScriptResult clear_list(ScriptRun&, const Arguments& a) {
  ScriptList* list = list_in(a, 0, 1);
  if (list == nullptr || list->kind == ListKind::tuple) return std::nullopt;
  list->items.clear();
  return ScriptValue();
}

ScriptResult reverse_list(ScriptRun& run, const Arguments& a) {
  ScriptList* list = list_in(a, 0, 1);
  if (list == nullptr || list->kind != ListKind::list) return std::nullopt;
  run.step(list->items.size());
  std::reverse(list->items.begin(), list->items.end());
  return ScriptValue();
}

ScriptResult copy_list(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a, 0, 1);
  if (list == nullptr) return std::nullopt;
  return run.make_list(list->items, is_dict(*list) ? ListKind::dict : ListKind::list);
}

ScriptResult index_of(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a, 0, 2);
  if (list == nullptr || is_dict(*list)) return std::nullopt;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    if (are_equal(run, list->items[i], a.values[1])) return static_cast<std::int64_t>(i);
  }
  throw FormatError("expected an item of the list, got another");
}

ScriptResult count_items(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a, 0, 2);
  if (list == nullptr || is_dict(*list)) return std::nullopt;
  std::int64_t count = 0;
  for (const ScriptValue& item : list->items) count += are_equal(run, item, a.values[1]) ? 1 : 0;
  return count;
}

ScriptResult contains_item(ScriptRun& run, const Arguments& a) {
  const std::string *whole = text_in(a, 0), *part = text_in(a, 1);
  if (whole != nullptr && part != nullptr) {
    run.step(whole->size() / 16);
    return whole->find(*part) != std::string::npos;
  }
  ScriptList* list = list_in(a, 0, 2);
  if (list == nullptr) return std::nullopt;
  if (is_dict(*list)) return entry_of(run, *list, a.values[1]) != nullptr;
  return std::any_of(list->items.begin(), list->items.end(),
                     [&](const ScriptValue& item) { return are_equal(run, item, a.values[1]); });
}

/// slice(list, start, end, step): None and what is left out is the list's own beginning and end.
ScriptResult slice_list(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a);
  if (list == nullptr || is_dict(*list) || a.values.size() > 4) return std::nullopt;
  const std::int64_t length = length_of(*list);
  const auto number = [&](std::size_t i, std::int64_t otherwise) {
    return i < a.values.size() && !is_none(a.values[i]) ? integer_of(a.values[i]) : otherwise;
  };
  const auto place = [&](std::int64_t at) { return std::clamp(at < 0 ? at + length : at, std::int64_t{0}, length); };
  const std::int64_t first = place(number(1, 0)), last = place(number(2, length)), step = number(3, 1);
  if (step < 1) throw UnsupportedError("expected a slice with a step of 1 or more, got " + std::to_string(step));
  ScriptValues items;
  for (std::int64_t i = first; i < last; i += std::min(step, length)) {
    items.push_back(list->items[static_cast<std::size_t>(i)]);
  }
  return run.make_list(std::move(items), list->kind);
}

ScriptResult sum_list(ScriptRun& run, const Arguments& a) {
  const ScriptList* list = list_in(a, 0, 1);
  if (list == nullptr || is_dict(*list)) return std::nullopt;
  const ScriptBuiltin* add = find_script_builtin("add");
  ScriptValue sum = std::int64_t{0};
  for (const ScriptValue& item : list->items) {
    run.step();
    const ScriptResult next = add->call(run, {{sum, item}, {}});
    if (!next) throw UnsupportedError("expected numbers to sum up, got others");
    sum = *next;
  }
  return sum;
}

namespace {

/// Whether one is true, or all are.
ScriptResult truth_in_list(ScriptRun& run, const Arguments& a, bool looked_for) {
  const ScriptList* list = list_in(a, 0, 1);
  if (list == nullptr || is_dict(*list)) return std::nullopt;
  for (const ScriptValue& item : list->items) {
    run.step();
    if (truth_of(run, item) == looked_for) return looked_for;
  }
  return !looked_for;
}

}  // namespace

ScriptResult all_in_list(ScriptRun& run, const Arguments& a) { return truth_in_list(run, a, false); }
ScriptResult any_in_list(ScriptRun& run, const Arguments& a) { return truth_in_list(run, a, true); }

ScriptResult list_with_default(ScriptRun& run, const Arguments& a) {
  const ScriptList *list = list_in(a, 0, 2), *defaults = list_in(a, 1, 2);
  if (list == nullptr || defaults == nullptr) return std::nullopt;
  ScriptValues items = list->items;
  if (items.size() > defaults->items.size()) throw FormatError("expected a default for each size, got fewer");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (is_none(items[i])) items[i] = defaults->items[defaults->items.size() - items.size() + i];
  }
  return run.make_list(std::move(items));
}

ScriptResult new_dict(ScriptRun& run, const Arguments& a) {
  if (!a.values.empty()) return std::nullopt;
  return run.make_list({}, ListKind::dict);
}

ScriptResult get_or(ScriptRun& run, const Arguments& a) {
  ScriptList* dict = list_in(a);
  if (dict == nullptr || !is_dict(*dict) || a.values.size() < 2 || a.values.size() > 3) return std::nullopt;
  if (const ScriptValue* value = entry_of(run, *dict, a.values[1])) return *value;
  return a.values.size() == 3 ? a.values[2] : ScriptValue();
}

ScriptResult dict_keys(ScriptRun& run, const Arguments& a) { return selected(run, a, 0); }
ScriptResult dict_values(ScriptRun& run, const Arguments& a) { return selected(run, a, 1); }

ScriptResult dict_items(ScriptRun& run, const Arguments& a) {
  const ScriptList* dict = list_in(a, 0, 1);
  if (dict == nullptr || !is_dict(*dict)) return std::nullopt;
  ScriptValues items;
  for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    items.emplace_back(run.make_list({dict->items[i], dict->items[i + 1]}, ListKind::tuple));
  }
  return run.make_list(std::move(items));
}

/// Each {} is the next of the other arguments.
ScriptResult format_text(ScriptRun& run, const Arguments& a) {
  const std::string* form = text_in(a, 0);
  if (form == nullptr) return std::nullopt;
  std::string result;
  std::size_t next = 1;
  for (std::size_t i = 0; i < form->size(); ++i) {
    if (form->compare(i, 2, "{}") == 0 && next < a.values.size()) {
      result += shown(run, a.values[next++]);
      ++i;
    } else {
      result += (*form)[i];
    }
    if (result.size() > kMaxText) break;
  }
  run.step(result.size() / 16);
  return bounded(result.substr(0, kMaxText));
}

ScriptResult text_of_value(ScriptRun& run, const Arguments& a) {
  if (a.values.size() != 1) return std::nullopt;
  return bounded(shown(run, a.values[0]).substr(0, kMaxText));
}

ScriptResult lower_text(ScriptRun&, const Arguments& a) { return changed_text<std::tolower>(a); }
ScriptResult upper_text(ScriptRun&, const Arguments& a) { return changed_text<std::toupper>(a); }

/// Where the second text stands in the first, or -1.
ScriptResult find_text(ScriptRun& run, const Arguments& a) {
  const std::string *whole = text_in(a, 0), *part = text_in(a, 1);
  if (whole == nullptr || part == nullptr) return std::nullopt;
  run.step(whole->size() / 16);
  const std::int64_t length = static_cast<std::int64_t>(whole->size());
  const std::int64_t from = a.values.size() > 2 ? integer_of(a.values[2]) : 0;
  const std::int64_t to = a.values.size() > 3 ? integer_of(a.values[3]) : length;
  if (from != 0 || (to != -1 && to < length)) {
    throw UnsupportedError("expected a search in a whole text, got one in a part");
  }
  const std::size_t place = whole->find(*part);
  return place == std::string::npos ? std::int64_t{-1} : static_cast<std::int64_t>(place);
}

ScriptResult starts_with_text(ScriptRun&, const Arguments& a) {
  const std::string *whole = text_in(a, 0), *part = text_in(a, 1);
  return whole != nullptr && part != nullptr ? ScriptResult(whole->starts_with(*part)) : std::nullopt;
}

ScriptResult ends_with_text(ScriptRun&, const Arguments& a) {
  const std::string *whole = text_in(a, 0), *part = text_in(a, 1);
  return whole != nullptr && part != nullptr ? ScriptResult(whole->ends_with(*part)) : std::nullopt;
}

}  // namespace teff::serialize
