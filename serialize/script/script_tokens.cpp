// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_tokens.h"

#include <algorithm>
#include <iterator>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kWordCharacters = "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kTextEscapes = "\\'\"abfnrtv", kEscapedText = "\\'\"\a\b\f\n\r\t\v";

// Python's own words: those that Teff reads in their places, and those that may be right where Teff reads none.
constexpr std::string_view kScriptWords[] = {"assert", "class", "del",  "else",   "if",   "import",
                                             "in",     "not",   "pass", "return", "while"};
constexpr std::string_view kPythonWords[] = {"and",    "as",       "async",   "await", "break", "continue", "def",
                                             "elif",   "except",   "finally", "for",   "from",  "global",   "is",
                                             "lambda", "nonlocal", "or",      "raise", "try",   "with",     "yield"};
constexpr std::string_view kPythonSymbols = "+-*/%<>=!|&^@~";

bool is_word_character(char c) { return kWordCharacters.find(c) != kWordCharacters.npos; }

std::string token_place(std::uint32_t line) { return "line " + std::to_string(line) + ": "; }

/// The value of up to `count` digits of the base; removes them from the text.
std::uint32_t take_digits(std::string_view& text, std::size_t count, std::uint32_t base) {
  std::uint32_t value = 0;
  for (; count > 0 && !text.empty(); --count, text.remove_prefix(1)) {
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(text[0]);
    const auto number = static_cast<std::uint32_t>(digit < 16 ? digit : digit - 6);
    if (digit == std::string_view::npos || number >= base) break;
    value = value * base + number;
  }
  return value;
}

/// `text` stands behind the backslash. Octal codes are bytes: PyTorch prints bytes so.
void append_escape(std::string& result, std::string_view& text, std::uint32_t line) {
  const char c = text[0];
  if (const std::size_t simple = kTextEscapes.find(c); simple != kTextEscapes.npos) {
    result += kEscapedText[simple];
    text.remove_prefix(1);
    return;
  }
  if (c >= '0' && c <= '7') {
    result += static_cast<char>(static_cast<unsigned char>(take_digits(text, 3, 8) & 0xff));
    return;
  }
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0) {  // as in Python
    result += '\\';
    return;
  }
  text.remove_prefix(1);
  const std::size_t before = text.size();
  const std::uint32_t character = take_digits(text, digits, 16);
  if (before - text.size() != digits || (character >= 0xd800 && character < 0xe000) || character > 0x10ffff) {
    throw FormatError(token_place(line) + "expected a character of Unicode in an escape, got none");
  }
  append_utf8(result, character);
}

}  // namespace

bool ScriptToken::is_keyword() const {
  const auto is_in = [&](const auto& words) {
    return std::find(std::begin(words), std::end(words), spelling) != std::end(words);
  };
  return kind == Kind::name && (is_in(kScriptWords) || is_in(kPythonWords));
}

bool ScriptToken::is_foreign() const {
  if (kind == Kind::symbol) return kPythonSymbols.find(spelling[0]) != kPythonSymbols.npos;
  return is_keyword() &&
         std::find(std::begin(kScriptWords), std::end(kScriptWords), spelling) == std::end(kScriptWords);
}

std::string ScriptToken::shown() const {
  switch (kind) {
    case Kind::end:
      return "the end";
    case Kind::newline:
      return "the end of the line";
    case Kind::indent:
      return "an indented line";
    case Kind::outdent:
      return "the end of the block";
    case Kind::text:
      return "a text";
    default:
      return '"' + escaped(spelling, 100) + '"';
  }
}

std::string decoded_text(const ScriptToken& token) {
  std::string_view rest = token.spelling.substr(1, token.spelling.size() - 2);
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    text += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    append_escape(text, rest, token.line);
  }
  return text;
}

ScriptTokens::ScriptTokens(std::string_view code) : code_(code) {
  if (code.size() > kMaxHeaderBytes) {
    throw UnsupportedError("line 1: expected code of at most " + std::to_string(kMaxHeaderBytes) + " bytes, got " +
                           std::to_string(code.size()));
  }
  if (!is_utf8(code)) throw FormatError("line 1: expected code in UTF-8, got other bytes");
  advance();
}

bool ScriptTokens::has(std::string_view characters) const {
  return position_ < code_.size() && characters.find(code_[position_]) != characters.npos;
}

/// Passes blanks and comments, and within brackets ends of lines.
void ScriptTokens::skip_blanks() {
  for (;; ++position_) {
    if (has("#")) position_ = std::min(code_.find('\n', position_), code_.size());
    if (!has(brackets_ > 0 ? " \t\r\n" : " \t\r")) return;
    if (code_[position_] == '\n') ++line_;
  }
}

/// At the beginning of a line: passes empty ones. Whether the token is the line's indentation.
bool ScriptTokens::advance_line() {
  for (std::size_t begin = position_; at_line_;) {
    while (has(" ")) ++position_;
    column_ = position_ - begin;
    if (has("\t")) throw FormatError(token_place(line_) + "expected indentation by blanks, got a tab");
    skip_blanks();
    if (position_ == code_.size()) column_ = 0;
    at_line_ = has("\n");
    if (!at_line_) break;
    begin = ++position_;
    ++line_;
  }
  if (column_ == columns_.back()) return false;
  token_ = {ScriptToken::Kind::indent, line_, {}};
  if (column_ > columns_.back()) {
    columns_.push_back(column_);
    return true;
  }
  columns_.pop_back();
  if (column_ > columns_.back()) {
    throw FormatError(token_place(line_) + "expected the indentation of a block that is open, got another");
  }
  token_.kind = ScriptToken::Kind::outdent;
  return true;
}

void ScriptTokens::advance() {
  const bool was_line = at_line_;
  if (was_line || token_.kind == ScriptToken::Kind::outdent) {
    if (advance_line()) return;
  }
  skip_blanks();
  const std::size_t begin = position_;
  const std::uint32_t line = line_;
  const ScriptToken::Kind kind = scan();
  token_ = {kind, line, code_.substr(begin, position_ - begin)};
}

/// Sets the position behind the token.
ScriptToken::Kind ScriptTokens::scan() {
  using Kind = ScriptToken::Kind;
  if (position_ == code_.size()) {
    const bool ends_line = token_.kind != Kind::newline && token_.kind != Kind::outdent && token_.kind != Kind::end;
    if (!ends_line) return Kind::end;
    at_line_ = true;
    return Kind::newline;
  }
  if (has("\n")) {
    ++position_;
    ++line_;
    at_line_ = true;
    return Kind::newline;
  }
  const bool is_point = has(".") && position_ + 1 < code_.size() && kDigits.find(code_[position_ + 1]) != kDigits.npos;
  if (has(kDigits) || is_point) return scan_number();
  if (has("'\"")) return scan_text();
  if (!is_word_character(code_[position_])) return scan_symbol();
  while (has(kWordCharacters)) ++position_;
  return Kind::name;
}

ScriptToken::Kind ScriptTokens::scan_number() {
  using Kind = ScriptToken::Kind;
  Kind kind = Kind::integer;
  while (has(kDigits)) ++position_;
  if (has(".")) {
    kind = Kind::real;
    ++position_;
    while (has(kDigits)) ++position_;
  }
  if (has("eE")) {
    kind = Kind::real;
    ++position_;
    if (has("+-")) ++position_;
    while (has(kDigits)) ++position_;
  }
  if (has("j")) throw UnsupportedError(token_place(line_) + "expected a real number, got a complex one");
  if (has(kWordCharacters)) throw FormatError(token_place(line_) + "expected the end of a number, got a letter");
  return kind;
}

ScriptToken::Kind ScriptTokens::scan_text() {
  const char quote = code_[position_];
  for (++position_; position_ < code_.size() && code_[position_] != '\n'; ++position_) {
    if (code_[position_] == quote) {
      ++position_;
      return ScriptToken::Kind::text;
    }
    if (code_[position_] == '\\' && position_ + 1 < code_.size() && code_[position_ + 1] != '\n') ++position_;
  }
  throw FormatError(token_place(line_) + "expected the end of a text in its line, got none");
}

ScriptToken::Kind ScriptTokens::scan_symbol() {
  if (has("([{")) ++brackets_;
  if (has(")]}") && brackets_ > 0) --brackets_;
  const std::string_view rest = code_.substr(position_);
  position_ += rest.starts_with("->") ? 2 : character_bytes(rest);
  return ScriptToken::Kind::symbol;
}

}  // namespace teff::serialize
