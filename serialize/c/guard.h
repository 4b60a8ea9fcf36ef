// SPDX-License-Identifier: MIT
#pragma once

// Private to serialize/c: what each function of the C interface is wrapped in.

#include <cstddef>
#include <cstring>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/tensor.h"
#include "teff/teff_c.h"

namespace teff::c {

/// To be called within a catch: notes the exception's text for teff_last_error.
teff_status note_exception() noexcept;

/// Whatever the function throws is noted, and becomes a status.
template <class Function>
teff_status guarded(Function&& function) noexcept {
  try {
    function();
    return TEFF_OK;
  } catch (...) {
    return note_exception();
  }
}

[[noreturn]] void refuse_null(const char* function, const char* name);

/// What a pointer that an argument `name` gave points to. @throws ValueError for a null pointer.
template <class T>
T& at(T* pointer, const char* function, const char* name) {
  if (!pointer) refuse_null(function, name);
  return *pointer;
}

/// Writes what `make` makes to the caller's place, of which it makes sure before.
template <class Place, class Make>
void put(Place* result, const char* function, Make&& make) {
  Place& place = at(result, function, "result");
  place = make();
}

// The handles are the objects of C++ themselves, under another name.
inline Tensor& in(teff_tensor& tensor) { return reinterpret_cast<Tensor&>(tensor); }
inline const Tensor& in(const teff_tensor& tensor) { return reinterpret_cast<const Tensor&>(tensor); }
inline Dict& in(teff_dict& dict) { return reinterpret_cast<Dict&>(dict); }
inline const Dict& in(const teff_dict& dict) { return reinterpret_cast<const Dict&>(dict); }
inline Value& in(teff_value& value) { return reinterpret_cast<Value&>(value); }
inline const Value& in(const teff_value& value) { return reinterpret_cast<const Value&>(value); }
inline const teff_dict* out(const Dict& dict) { return reinterpret_cast<const teff_dict*>(&dict); }
inline const teff_value* out(const Value& value) { return reinterpret_cast<const teff_value*>(&value); }
/// @throws TypeError for an undefined tensor: of a handle it is never asked again.
teff_tensor* made(Tensor tensor);
inline teff_dict* made(Dict dict) { return reinterpret_cast<teff_dict*>(new Dict(std::move(dict))); }
inline teff_value* made(Value value) { return reinterpret_cast<teff_value*>(new Value(std::move(value))); }

bool is_dtype(teff_dtype dtype);
/// The dtype of that number. @throws ValueError.
DType dtype_from(teff_dtype dtype, const char* function);

/// @throws ValueError for null where there are dimensions; ShapeError for more than 8.
Shape shape_of(const std::int64_t* sizes, std::size_t dims, const char* function);

/// A copy for teff_string_free. @throws std::bad_alloc.
char* text_copy(std::string_view text);

template <class T>
char* printed(const T& object) {
  std::ostringstream stream;
  stream << object;
  return text_copy(stream.str());
}

[[noreturn]] void refuse_options(const char* function, std::size_t size, std::size_t known);

/// The options that a program gave, over the defaults where it knows fewer fields than this library.
/// @throws ValueError for a size that is none.
template <class Options>
Options options_of(const Options* given, Options defaults, const char* function) {
  if (!given) return defaults;
  const std::size_t size = given->size;
  if (size < sizeof(std::size_t) || size > sizeof(Options)) refuse_options(function, size, sizeof(Options));
  std::memcpy(&defaults, given, size);
  return defaults;
}

/// The size of what a caller has in memory. @throws ValueError for one that no memory has.
std::size_t size_in_memory(std::size_t size, const char* function);

/// @throws ValueError unless a list of the caller's has as many members as it must; before any of them is looked at.
void expect_count(std::size_t count, std::size_t expected, const char* what, const char* function);

/// Handles of the tensors. @throws ValueError for a null pointer.
std::vector<Tensor> tensors_of(const teff_tensor* const* tensors, std::size_t count, const char* function);

/// The caller's places for results. To be made before there are any: a call that fails for its places changes nothing.
class Places {
 public:
  /// @throws ValueError unless there are as many as there will be results.
  Places(teff_tensor** places, std::size_t count, std::size_t expected, const char* function);
  /// Writes a handle of each result to the places, or, if something is thrown, to none.
  void give(std::span<const Tensor> results) const;

 private:
  std::span<teff_tensor*> places_;
};

}  // namespace teff::c
