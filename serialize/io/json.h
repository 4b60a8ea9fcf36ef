// SPDX-License-Identifier: MIT
#pragma once

// Private: JSON as RFC 8259 has it, read strictly and piece by piece: whoever knows what comes asks for it. So depth
// is that of the caller, and nothing is built from what nobody asked for.

#include <cstdint>
#include <string>
#include <string_view>

#include "teff/engine/text.h"

namespace teff::serialize {

class JsonReader {
 public:
  /// `text` must outlive the reader. `offset`: of the text in the file, for error messages.
  JsonReader(std::string_view text, std::uint64_t offset) : text_(text), offset_(offset) {}

  /// Calls member(key) for each member, which must read its value. @throws FormatError, as all of these do, that names
  /// the offset.
  template <class Member>
  void object(Member&& member) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string key = string();
      expect(':');
      member(key);
    } while (accept(','));
    expect('}');
  }

  /// Calls element() for each element, which must read it.
  template <class Element>
  void array(Element&& element) {
    expect('[');
    if (accept(']')) return;
    do {
      element();
    } while (accept(','));
    expect(']');
  }

  std::string string();
  /// A whole number of at most 64 bits, without sign, fraction or exponent.
  std::uint64_t integer();
  /// Where the next value begins, and its first character; '\0' at the end.
  std::size_t next_place();
  char next();
  /// A number, true, false, null, and what Python writes besides: NaN, Infinity, -Infinity.
  std::string_view word();
  /// Nothing may be left but white space.
  void finish();

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  void expect(char c);
  bool accept(char c);
  void skip_space();
  void escape(std::string& text);
  std::uint32_t hex4();
  std::string found() const;

  std::string_view text_;
  std::uint64_t offset_;
  std::size_t position_ = 0;
};

using teff::detail::json_string;

}  // namespace teff::serialize
