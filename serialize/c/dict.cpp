// SPDX-License-Identifier: MIT
#include <iterator>

#include "teff/serialize/c/guard.h"

using namespace teff;
using namespace teff::c;

namespace {

/// What a dictionary has under a key.
const Value& value_of(const teff_dict* dict, const char* key, const char* function) {
  return in(at(dict, function, "dict")).at(&at(key, function, "key"));
}

/// The value is made within: what is wrong with it becomes a status.
template <class Make>
teff_status set(teff_dict* dict, const char* key, const char* function, Make&& make) {
  return guarded([&] {
    Value value = make();
    in(at(dict, function, "dict"))[&at(key, function, "key")] = std::move(value);
  });
}

}  // namespace

teff_status teff_dict_new(teff_dict** result) {
  return guarded([&] { put(result, "teff_dict_new", [&] { return made(Dict()); }); });
}

void teff_dict_free(teff_dict* dict) { delete reinterpret_cast<Dict*>(dict); }

size_t teff_dict_size(const teff_dict* dict) { return dict ? in(*dict).size() : 0; }

teff_status teff_dict_item(const teff_dict* dict, size_t place, const char** key, size_t* length,
                           const teff_value** value) {
  return guarded([&] {
    const Dict& items = in(at(dict, "teff_dict_item", "dict"));
    if (place >= items.size()) {
      throw IndexError("teff_dict_item: expected a place below " + std::to_string(items.size()) + ", got " +
                       std::to_string(place));
    }
    const DictItem& item = *std::next(items.begin(), static_cast<std::ptrdiff_t>(place));
    const char*& key_place = at(key, "teff_dict_item", "key");
    at(value, "teff_dict_item", "value") = out(item.value);
    key_place = item.key.c_str();
    if (length) *length = item.key.size();
  });
}

teff_status teff_dict_at(const teff_dict* dict, const char* key, const teff_value** value) {
  return guarded([&] {
    const Value& found = value_of(dict, key, "teff_dict_at");
    at(value, "teff_dict_at", "value") = out(found);
  });
}

teff_status teff_dict_int(const teff_dict* dict, const char* key, int64_t* result) {
  return guarded([&] {
    const std::int64_t number = value_of(dict, key, "teff_dict_int").as_int();
    at(result, "teff_dict_int", "result") = number;
  });
}

teff_status teff_dict_float(const teff_dict* dict, const char* key, double* result) {
  return guarded([&] {
    const double number = value_of(dict, key, "teff_dict_float").as_float();
    at(result, "teff_dict_float", "result") = number;
  });
}

teff_status teff_dict_text(const teff_dict* dict, const char* key, const char** result) {
  return guarded([&] {
    const std::string& text = value_of(dict, key, "teff_dict_text").as_text();
    at(result, "teff_dict_text", "result") = text.c_str();
  });
}

teff_status teff_dict_tensor(const teff_dict* dict, const char* key, teff_tensor** result) {
  return guarded([&] {
    const Tensor& tensor = value_of(dict, key, "teff_dict_tensor").as_tensor();
    put(result, "teff_dict_tensor", [&] { return made(tensor); });
  });
}

teff_status teff_dict_dict(const teff_dict* dict, const char* key, const teff_dict** result) {
  return guarded([&] {
    const Dict& nested = value_of(dict, key, "teff_dict_dict").as_dict();
    at(result, "teff_dict_dict", "result") = out(nested);
  });
}

teff_status teff_dict_set(teff_dict* dict, const char* key, const teff_value* value) {
  return set(dict, key, "teff_dict_set", [&] { return Value(in(at(value, "teff_dict_set", "value"))); });
}

teff_status teff_dict_set_int(teff_dict* dict, const char* key, int64_t value) {
  return set(dict, key, "teff_dict_set_int", [&] { return Value(value); });
}

teff_status teff_dict_set_float(teff_dict* dict, const char* key, double value) {
  return set(dict, key, "teff_dict_set_float", [&] { return Value(value); });
}

teff_status teff_dict_set_text(teff_dict* dict, const char* key, const char* value) {
  return set(dict, key, "teff_dict_set_text",
             [&] { return Value(std::string(&at(value, "teff_dict_set_text", "value"))); });
}

teff_status teff_dict_set_tensor(teff_dict* dict, const char* key, const teff_tensor* value) {
  return set(dict, key, "teff_dict_set_tensor", [&] { return Value(in(at(value, "teff_dict_set_tensor", "value"))); });
}

teff_status teff_dict_set_dict(teff_dict* dict, const char* key, const teff_dict* value) {
  return set(dict, key, "teff_dict_set_dict", [&] { return Value(in(at(value, "teff_dict_set_dict", "value"))); });
}

teff_status teff_dict_erase(teff_dict* dict, const char* key) {
  return guarded([&] {
    value_of(dict, key, "teff_dict_erase");
    in(*dict).erase(key);
  });
}

teff_status teff_dict_to_text(const teff_dict* dict, char** result) {
  return guarded([&] {
    const Dict& items = in(at(dict, "teff_dict_to_text", "dict"));
    put(result, "teff_dict_to_text", [&] { return printed(items); });
  });
}
