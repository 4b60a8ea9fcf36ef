// SPDX-License-Identifier: MIT
#include "teff/serialize/c/guard.h"

using namespace teff;
using namespace teff::c;

namespace {

template <class Make>
teff_status make_value(teff_value** result, const char* function, Make&& make) {
  return guarded([&] { put(result, function, [&] { return made(Value(make())); }); });
}

/// Writes what `read` gives of the value to the caller's place.
template <class Place, class Read>
teff_status read_value(const teff_value* value, Place* result, const char* function, Read&& read) {
  return guarded([&] { put(result, function, [&] { return read(in(at(value, function, "value"))); }); });
}

}  // namespace

teff_status teff_value_of_none(teff_value** result) {
  return make_value(result, "teff_value_of_none", [] { return Value(); });
}

teff_status teff_value_of_bool(int value, teff_value** result) {
  return make_value(result, "teff_value_of_bool", [&] { return value != 0; });
}

teff_status teff_value_of_int(int64_t value, teff_value** result) {
  return make_value(result, "teff_value_of_int", [&] { return value; });
}

teff_status teff_value_of_float(double value, teff_value** result) {
  return make_value(result, "teff_value_of_float", [&] { return value; });
}

teff_status teff_value_of_text(const char* text, size_t length, teff_value** result) {
  return make_value(result, "teff_value_of_text", [&] {
    return std::string(&at(text, "teff_value_of_text", "text"), size_in_memory(length, "teff_value_of_text"));
  });
}

teff_status teff_value_of_bytes(const void* bytes, size_t size, teff_value** result) {
  return make_value(result, "teff_value_of_bytes", [&] {
    if (!bytes && size > 0) refuse_null("teff_value_of_bytes", "bytes");
    const auto* const first = static_cast<const std::byte*>(bytes);
    return Bytes(first, first + size_in_memory(size, "teff_value_of_bytes"));
  });
}

teff_status teff_value_of_tensor(const teff_tensor* tensor, teff_value** result) {
  return make_value(result, "teff_value_of_tensor", [&] { return in(at(tensor, "teff_value_of_tensor", "tensor")); });
}

teff_status teff_value_of_dict(const teff_dict* dict, teff_value** result) {
  return make_value(result, "teff_value_of_dict", [&] { return in(at(dict, "teff_value_of_dict", "dict")); });
}

teff_status teff_value_of_list(teff_value** result) {
  return make_value(result, "teff_value_of_list", [] { return List(); });
}

teff_status teff_value_append(teff_value* list, const teff_value* value) {
  return guarded([&] {
    Value copy = in(at(value, "teff_value_append", "value"));
    in(at(list, "teff_value_append", "list")).as_list().push_back(std::move(copy));
  });
}

void teff_value_free(teff_value* value) { delete reinterpret_cast<Value*>(value); }

teff_kind teff_value_kind(const teff_value* value) {
  return value ? static_cast<teff_kind>(in(*value).kind()) : TEFF_KIND_NONE;
}

teff_status teff_value_bool(const teff_value* value, int* result) {
  return read_value(value, result, "teff_value_bool", [](const Value& v) { return v.as_bool() ? 1 : 0; });
}

teff_status teff_value_int(const teff_value* value, int64_t* result) {
  return read_value(value, result, "teff_value_int", [](const Value& v) { return v.as_int(); });
}

teff_status teff_value_float(const teff_value* value, double* result) {
  return read_value(value, result, "teff_value_float", [](const Value& v) { return v.as_float(); });
}

teff_status teff_value_text(const teff_value* value, const char** result, size_t* length) {
  return read_value(value, result, "teff_value_text", [&](const Value& v) {
    const std::string& text = v.as_text();
    if (length) *length = text.size();
    return text.c_str();
  });
}

teff_status teff_value_bytes(const teff_value* value, const void** result, size_t* size) {
  return read_value(value, result, "teff_value_bytes", [&](const Value& v) {
    const Bytes& bytes = v.as_bytes();
    if (size) *size = bytes.size();
    return static_cast<const void*>(bytes.data());
  });
}

teff_status teff_value_tensor(const teff_value* value, teff_tensor** result) {
  return read_value(value, result, "teff_value_tensor", [](const Value& v) { return made(v.as_tensor()); });
}

teff_status teff_value_dict(const teff_value* value, const teff_dict** result) {
  return read_value(value, result, "teff_value_dict", [](const Value& v) { return out(v.as_dict()); });
}

teff_status teff_value_list_size(const teff_value* value, size_t* result) {
  return read_value(value, result, "teff_value_list_size", [](const Value& v) { return v.as_list().size(); });
}

teff_status teff_value_list_at(const teff_value* value, size_t place, const teff_value** result) {
  return read_value(value, result, "teff_value_list_at", [&](const Value& v) {
    const List& list = v.as_list();
    if (place >= list.size()) {
      throw IndexError("teff_value_list_at: expected a place below " + std::to_string(list.size()) + ", got " +
                       std::to_string(place));
    }
    return out(list[place]);
  });
}
