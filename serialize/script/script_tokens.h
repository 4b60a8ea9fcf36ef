// SPDX-License-Identifier: MIT
#pragma once

// Private: the words of TorchScript's code.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teff::serialize {

struct ScriptToken {
  enum class Kind : std::uint8_t { end, newline, indent, outdent, name, integer, real, text, symbol };
  Kind kind = Kind::end;
  std::uint32_t line = 1;
  std::string_view spelling;  // as in the code: of a text with quotes and escapes, of a symbol its character, or "->"

  bool is(char symbol) const { return kind == Kind::symbol && spelling.size() == 1 && spelling[0] == symbol; }
  bool is(std::string_view word) const { return kind == Kind::name && spelling == word; }
  /// A word of Python that is no name.
  bool is_keyword() const;
  /// Where Teff expects something else: a word or operator that Python may well have there.
  bool is_foreign() const;
  /// As an error shows it.
  std::string shown() const;
};

/// Goes through the code, as Python does: lines and their indentation count outside of brackets. The code must outlive
/// it. @throws FormatError, UnsupportedError, with the line.
class ScriptTokens {
 public:
  explicit ScriptTokens(std::string_view code);

  const ScriptToken& next() const { return token_; }
  void advance();

 private:
  bool advance_line();
  void skip_blanks();
  ScriptToken::Kind scan();
  ScriptToken::Kind scan_number();
  ScriptToken::Kind scan_text();
  ScriptToken::Kind scan_symbol();
  bool has(std::string_view characters) const;

  std::string_view code_;
  std::size_t position_ = 0;
  std::uint32_t line_ = 1;
  std::size_t brackets_ = 0;  // that are open
  std::size_t column_ = 0;    // of the line's first token
  std::vector<std::size_t> columns_ = {0};
  bool at_line_ = true;  // indentation comes next
  ScriptToken token_;
};

/// What a token of the kind text says; perhaps not in UTF-8.
std::string decoded_text(const ScriptToken& token);

}  // namespace teff::serialize
