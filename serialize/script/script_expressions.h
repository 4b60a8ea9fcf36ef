// SPDX-License-Identifier: MIT
#pragma once

// Private: expressions and types of TorchScript's code.

#include <cstddef>
#include <string>
#include <string_view>

#include "teff/serialize/script/script_syntax.h"
#include "teff/serialize/script/script_tokens.h"

namespace teff::serialize {

/// Each function reads what it is named after, and then stands behind it. @throws FormatError, UnsupportedError, with
/// the line.
class ScriptExpressionParser {
 public:
  ScriptExpressionParser(std::string_view code, std::size_t most) : tokens_(code), most_(most) {}

  const ScriptToken& next() const { return tokens_.next(); }
  bool accept(char symbol);
  bool accept(std::string_view word);
  bool accept(ScriptToken::Kind kind);
  void expect(char symbol);
  /// That is none of Python's own words.
  std::string name();
  std::string text();

  ScriptExpression expression() { return tree().top; }
  /// `a`, or `a, b`: a tuple, as it is of `a,`.
  ScriptExpression expressions();
  /// As it stands there, without blanks.
  std::string type();

  /// @throws FormatError, or UnsupportedError if what is next is Python all the same.
  [[noreturn]] void refuse(std::string_view expected) const;
  [[noreturn]] void refuse_python(std::string_view expected, std::string_view got) const;
  [[noreturn]] void refuse_more_than(const std::string& most) const;
  /// Of what is kept: it takes more memory than the code that it is of.
  void count_part();
  std::size_t parts() const { return parts_; }

 private:
  struct Deeper;
  struct Tree {
    ScriptExpression top;
    int height = 1;
  };

  Tree make(ScriptExpression::Kind kind);
  Tree make(ScriptExpression::Kind kind, std::string text);
  void add(Tree& owner, Tree item);
  void add_items(Tree& owner, char end);

  Tree tree();
  Tree prefixed();
  Tree apply(std::string_view prefix, Tree operand);
  Tree postfixed();
  Tree attribute(Tree owner);
  Tree subscript(Tree owner);
  Tree slice(Tree owner, Tree begin);
  Tree call(Tree callee);
  void add_argument(Tree& call, bool is_type);
  Tree torch_function(std::string name);
  Tree atom();
  Tree word();
  Tree integer(bool is_negative);
  Tree real();
  Tree parentheses();
  Tree dict();
  void add_type(std::string& type);
  void add_types(std::string& type, char end);

  ScriptTokens tokens_;
  int nested_ = 0;         // expressions and types that are being read
  std::size_t parts_ = 0;  // that were kept
  const std::size_t most_;
};

}  // namespace teff::serialize
