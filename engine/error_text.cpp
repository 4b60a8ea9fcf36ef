// SPDX-License-Identifier: MIT
#include "teff/engine/error_text.h"

#include <typeinfo>

namespace teff::detail {
namespace {

template <class SomeError>
void throw_if_a(const Error& error, const std::string& text) {
  if (typeid(error) == typeid(SomeError)) throw SomeError(text);
}

}  // namespace

void throw_again(const Error& error, const std::string& text) {
  throw_if_a<Error>(error, text);
  throw_if_a<ShapeError>(error, text);
  throw_if_a<TypeError>(error, text);
  throw_if_a<ValueError>(error, text);
  throw_if_a<IndexError>(error, text);
  throw_if_a<ResourceError>(error, text);
  throw_if_a<StateDictError>(error, text);
  throw_if_a<FormatError>(error, text);
  throw_if_a<UnsupportedError>(error, text);
  throw_if_a<IoError>(error, text);
  throw;
}

void refuse_memory(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  const bool wraps = __builtin_mul_overflow(count, size, &bytes);
  throw ResourceError("memory: expected room for " + (wraps ? "2^64 and more" : std::to_string(bytes)) +
                      " bytes, got none");
}

void name_memory(std::string_view name, const Error& error) {
  if (!std::string_view(error.what()).starts_with("memory: ")) throw;
  throw_again_as(name, error);
}

void throw_again_as(std::string_view name, const Error& error) {
  const std::string_view text = error.what();
  const std::size_t colon = text.find(": expected ");
  const bool has_name = colon != std::string_view::npos && text.find(' ') > colon;
  throw_again(error, std::string(name) + ": " + std::string(has_name ? text.substr(colon + 2) : text));
}

}  // namespace teff::detail
