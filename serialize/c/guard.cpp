// SPDX-License-Identifier: MIT
#include "teff/serialize/c/guard.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <memory>
#include <new>

namespace teff::c {
namespace {

// The numbers of C are those of C++.
static_assert(TEFF_FLOAT32 == static_cast<int>(DType::float32) && TEFF_FLOAT8_E5M2 == static_cast<int>(kLastDType));
static_assert(TEFF_KIND_NONE == static_cast<int>(Value::Kind::none) &&
              TEFF_KIND_DICT == static_cast<int>(Value::Kind::dict));

// No destructor, no memory from the system: such a variable of a thread would keep the library in the process, and an
// error about memory could not be told.
constexpr std::size_t kMaxText = 16384;
thread_local char last_text[kMaxText];
thread_local teff_status last_status = TEFF_OK;

/// Up to `size` bytes, without a part of a character.
std::size_t whole_characters(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return size;
}

teff_status note(teff_status status, std::string_view text) noexcept {
  constexpr std::string_view kMore = " ...";
  const bool whole = text.size() < kMaxText;
  const std::size_t size = whole ? text.size() : whole_characters(text, kMaxText - kMore.size() - 1);
  char* end = std::copy_n(text.data(), size, last_text);
  if (!whole) end = std::copy(kMore.begin(), kMore.end(), end);
  *end = 0;
  return last_status = status;
}

}  // namespace

teff_status note_exception() noexcept {
  try {
    throw;
  } catch (const ShapeError& error) {
    return note(TEFF_SHAPE_ERROR, error.what());
  } catch (const TypeError& error) {
    return note(TEFF_TYPE_ERROR, error.what());
  } catch (const ValueError& error) {
    return note(TEFF_VALUE_ERROR, error.what());
  } catch (const IndexError& error) {
    return note(TEFF_INDEX_ERROR, error.what());
  } catch (const ResourceError& error) {
    return note(TEFF_RESOURCE_ERROR, error.what());
  } catch (const StateDictError& error) {
    return note(TEFF_STATE_DICT_ERROR, error.what());
  } catch (const UnsupportedError& error) {
    return note(TEFF_UNSUPPORTED_ERROR, error.what());
  } catch (const FormatError& error) {
    return note(TEFF_FORMAT_ERROR, error.what());
  } catch (const IoError& error) {
    return note(TEFF_IO_ERROR, error.what());
  } catch (const std::bad_alloc&) {
    return note(TEFF_RESOURCE_ERROR, "not enough memory");
  } catch (const std::exception& error) {
    return note(TEFF_ERROR, error.what());
  } catch (...) {
    return note(TEFF_ERROR, "an exception that is none of C++'s");
  }
}

void refuse_null(const char* function, const char* name) {
  throw ValueError(std::string(function) + ": expected a pointer as " + name + ", got null");
}

void refuse_options(const char* function, std::size_t size, std::size_t known) {
  throw ValueError(std::string(function) + ": expected options of up to " + std::to_string(known) +
                   " bytes, got size = " + std::to_string(size) +
                   " (begin with the macro; newer programs need a newer library)");
}

teff_tensor* made(Tensor tensor) {
  if (!tensor.defined()) throw TypeError("expected a tensor, got an undefined one");
  return reinterpret_cast<teff_tensor*>(new Tensor(std::move(tensor)));
}

bool is_dtype(teff_dtype dtype) { return dtype >= TEFF_FLOAT32 && dtype <= static_cast<teff_dtype>(kLastDType); }

DType dtype_from(teff_dtype dtype, const char* function) {
  if (is_dtype(dtype)) return static_cast<DType>(dtype);
  throw ValueError(std::string(function) + ": expected a dtype, got number " + std::to_string(dtype));
}

Shape shape_of(const std::int64_t* sizes, std::size_t dims, const char* function) {
  if (dims == 0) return {};
  return Shape(std::span<const std::int64_t>(&at(sizes, function, "sizes"), dims));
}

char* text_copy(std::string_view text) {
  char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (!copy) throw std::bad_alloc();
  *std::copy(text.begin(), text.end(), copy) = 0;
  return copy;
}

std::size_t size_in_memory(std::size_t size, const char* function) {
  constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
  if (size <= kMost) return size;
  throw ValueError(std::string(function) + ": expected a size of up to " + std::to_string(kMost) + " bytes, got " +
                   std::to_string(size));
}

void expect_count(std::size_t count, std::size_t expected, const char* what, const char* function) {
  if (count == expected) return;
  throw ValueError(std::string(function) + ": expected " + std::to_string(expected) + " " + what + ", got " +
                   std::to_string(count));
}

std::vector<Tensor> tensors_of(const teff_tensor* const* tensors, std::size_t count, const char* function) {
  std::vector<Tensor> result;
  if (count > 0) at(tensors, function, "inputs");
  for (std::size_t i = 0; i < count; ++i) result.push_back(in(at(tensors[i], function, "an input")));
  return result;
}

Places::Places(teff_tensor** places, std::size_t count, std::size_t expected, const char* function) {
  expect_count(count, expected, "places for outputs", function);
  if (count > 0) places_ = {&at(places, function, "outputs"), count};
}

void Places::give(std::span<const Tensor> results) const {
  std::vector<std::unique_ptr<Tensor>> handles;
  for (const Tensor& tensor : results) handles.push_back(std::make_unique<Tensor>(tensor));
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i] = reinterpret_cast<teff_tensor*>(handles.at(i).release());
}

}  // namespace teff::c

const char* teff_last_error(void) { return teff::c::last_text; }

teff_status teff_last_status(void) { return teff::c::last_status; }

const char* teff_status_name(teff_status status) {
  constexpr const char* kNames[] = {"ok",
                                    "error",
                                    "shape error",
                                    "type error",
                                    "value error",
                                    "index error",
                                    "resource error",
                                    "state dict error",
                                    "format error",
                                    "unsupported file",
                                    "input/output error"};
  const bool known = status >= 0 && static_cast<std::size_t>(status) < std::size(kNames);
  return known ? kNames[status] : "unknown error";
}

void teff_string_free(char* text) { std::free(text); }
