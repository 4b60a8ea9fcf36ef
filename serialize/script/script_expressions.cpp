// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_expressions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
namespace {

using ExpressionOf = ScriptExpression::Kind;
using TokenOf = ScriptToken::Kind;

constexpr int kMaxExpressionDepth = 100;

constexpr std::string_view kTypedCalls[] = {"annotate", "unchecked_cast", "uninitialized"};

/// Of the argument that is a type; 0: none.
std::size_t type_place(const ScriptExpression& callee) {
  if (callee.kind != ExpressionOf::name) return 0;
  if (callee.text == "isinstance") return 2;
  return std::find(std::begin(kTypedCalls), std::end(kTypedCalls), callee.text) == std::end(kTypedCalls) ? 0 : 1;
}

}  // namespace

struct ScriptExpressionParser::Deeper {
  explicit Deeper(ScriptExpressionParser& parser) : nested(parser.nested_) {
    if (nested == kMaxExpressionDepth) parser.refuse_more_than("100 expressions in each other");
    ++nested;
  }
  ~Deeper() { --nested; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  int& nested;
};

// --- tokens

void ScriptExpressionParser::refuse(std::string_view expected) const {
  if (next().is_foreign()) refuse_python(expected, next().spelling);
  throw FormatError("line " + std::to_string(next().line) + ": expected " + std::string(expected) + ", got " +
                    next().shown());
}

void ScriptExpressionParser::refuse_python(std::string_view expected, std::string_view got) const {
  throw UnsupportedError("line " + std::to_string(next().line) + ": expected " + std::string(expected) +
                         ", got Python's \"" + escaped(got, 100) + "\", which Teff does not read");
}

void ScriptExpressionParser::refuse_more_than(const std::string& most) const {
  throw UnsupportedError("line " + std::to_string(next().line) + ": expected at most " + most + ", got more");
}

void ScriptExpressionParser::count_part() {
  if (parts_ == most_) refuse_more_than(std::to_string(kMaxScriptParts) + " expressions and statements in all files");
  ++parts_;
}

bool ScriptExpressionParser::accept(char symbol) {
  const bool is_next = next().is(symbol);
  if (is_next) tokens_.advance();
  return is_next;
}

bool ScriptExpressionParser::accept(std::string_view word) {
  const bool is_next = next().is(word);
  if (is_next) tokens_.advance();
  return is_next;
}

bool ScriptExpressionParser::accept(ScriptToken::Kind kind) {
  const bool is_next = next().kind == kind;
  if (is_next) tokens_.advance();
  return is_next;
}

void ScriptExpressionParser::expect(char symbol) {
  if (!accept(symbol)) refuse(std::string("\"") + symbol + '"');
}

std::string ScriptExpressionParser::name() {
  if (next().kind != TokenOf::name || next().is_keyword()) refuse("a name");
  std::string name(next().spelling);
  tokens_.advance();
  return name;
}

std::string ScriptExpressionParser::text() {
  if (next().kind != TokenOf::text) refuse("a text");
  std::string text = decoded_text(next());
  if (!is_utf8(text)) refuse("a text in UTF-8");
  tokens_.advance();
  return text;
}

// --- trees

ScriptExpressionParser::Tree ScriptExpressionParser::make(ExpressionOf kind) {
  count_part();
  Tree made;
  made.top.kind = kind;
  made.top.line = next().line;
  return made;
}

ScriptExpressionParser::Tree ScriptExpressionParser::make(ExpressionOf kind, std::string text) {
  Tree made = make(kind);
  made.top.text = std::move(text);
  return made;
}

void ScriptExpressionParser::add(Tree& owner, Tree item) {
  owner.height = std::max(owner.height, item.height + 1);
  if (owner.height > kMaxExpressionDepth) refuse_more_than("100 expressions in each other");
  owner.top.items.push_back(std::move(item.top));
}

/// `a, b)`: as many as there are.
void ScriptExpressionParser::add_items(Tree& owner, char end) {
  while (!accept(end)) {
    add(owner, tree());
    if (!next().is(end)) expect(',');
  }
}

ScriptExpression ScriptExpressionParser::expressions() {
  Tree first = tree();
  if (!next().is(',')) return std::move(first.top);
  Tree tuple = make(ExpressionOf::tuple);
  add(tuple, std::move(first));
  while (accept(',')) {
    if (next().kind == TokenOf::newline || next().is('=')) break;
    add(tuple, tree());
  }
  return std::move(tuple.top);
}

/// `a`, or `a if c else b`.
ScriptExpressionParser::Tree ScriptExpressionParser::tree() {
  const Deeper deeper(*this);
  Tree value = prefixed();
  if (!accept("if")) return value;
  Tree choice = make(ExpressionOf::choice);
  add(choice, prefixed());
  if (!accept("else")) refuse("\"else\"");
  add(choice, std::move(value));
  add(choice, tree());
  return choice;
}

ScriptExpressionParser::Tree ScriptExpressionParser::prefixed() {
  std::vector<std::string_view> prefixes;
  while (next().is('-') || next().is('~') || next().is("not")) {
    prefixes.push_back(next().spelling);
    tokens_.advance();
  }
  const bool is_negative = !prefixes.empty() && prefixes.back() == "-" && next().kind == TokenOf::integer;
  if (is_negative) prefixes.pop_back();
  Tree value = is_negative ? integer(true) : postfixed();
  for (std::size_t i = prefixes.size(); i-- > 0;) value = apply(prefixes[i], std::move(value));
  return value;
}

ScriptExpressionParser::Tree ScriptExpressionParser::apply(std::string_view prefix, Tree operand) {
  if (prefix == "-" && operand.top.kind == ExpressionOf::real) {
    operand.top.real = -operand.top.real;
    return operand;
  }
  Tree call = make(ExpressionOf::call);
  add(call, torch_function(prefix == "-" ? "neg" : prefix == "~" ? "bitwise_not" : "__not__"));
  add(call, std::move(operand));
  return call;
}

ScriptExpressionParser::Tree ScriptExpressionParser::torch_function(std::string name) {
  Tree function = make(ExpressionOf::attribute, std::move(name));
  add(function, make(ExpressionOf::name, "torch"));
  return function;
}

// --- what stands behind an expression

ScriptExpressionParser::Tree ScriptExpressionParser::postfixed() {
  Tree value = atom();
  for (;;) {
    if (next().is('.')) {
      value = attribute(std::move(value));
    } else if (next().is('(')) {
      value = call(std::move(value));
    } else if (next().is('[')) {
      value = subscript(std::move(value));
    } else {
      return value;
    }
  }
}

ScriptExpressionParser::Tree ScriptExpressionParser::attribute(Tree owner) {
  Tree made = make(ExpressionOf::attribute);
  expect('.');
  made.top.text = name();
  add(made, std::move(owner));
  return made;
}

ScriptExpressionParser::Tree ScriptExpressionParser::subscript(Tree owner) {
  Tree made = make(ExpressionOf::subscript);
  expect('[');
  Tree index = next().is(':') ? make(ExpressionOf::none) : tree();
  if (accept(':')) return slice(std::move(owner), std::move(index));
  expect(']');
  add(made, std::move(owner));
  add(made, std::move(index));
  return made;
}

/// `x[a:b]` is torch.slice(x, a, b).
ScriptExpressionParser::Tree ScriptExpressionParser::slice(Tree owner, Tree begin) {
  Tree made = make(ExpressionOf::call);
  add(made, torch_function("slice"));
  add(made, std::move(owner));
  add(made, std::move(begin));
  add(made, next().is(']') ? make(ExpressionOf::none) : tree());
  expect(']');
  return made;
}

ScriptExpressionParser::Tree ScriptExpressionParser::call(Tree callee) {
  Tree made = make(ExpressionOf::call);
  const std::size_t type_at = type_place(callee.top);
  add(made, std::move(callee));
  expect('(');
  while (!accept(')')) {
    add_argument(made, made.top.items.size() == type_at);
    if (!next().is(')')) expect(',');
  }
  return made;
}

void ScriptExpressionParser::add_argument(Tree& call, bool is_type) {
  if (is_type) {
    Tree argument = make(ExpressionOf::text);
    argument.top.text = type();
    return add(call, std::move(argument));
  }
  Tree argument = tree();
  if (argument.top.kind == ExpressionOf::name && accept('=')) {
    call.top.names.push_back(std::move(argument.top.text));
    argument = tree();
  } else if (!call.top.names.empty()) {
    refuse("an argument with a name");
  }
  add(call, std::move(argument));
}

// --- what stands alone

ScriptExpressionParser::Tree ScriptExpressionParser::atom() {
  switch (next().kind) {
    case TokenOf::name:
      return word();
    case TokenOf::integer:
      return integer(false);
    case TokenOf::real:
      return real();
    case TokenOf::text: {
      Tree made = make(ExpressionOf::text);
      made.top.text = text();
      return made;
    }
    default:
      break;
  }
  if (next().is('(')) return parentheses();
  if (next().is('{')) return dict();
  if (!next().is('[')) refuse("an expression");
  Tree list = make(ExpressionOf::list);
  expect('[');
  add_items(list, ']');
  return list;
}

ScriptExpressionParser::Tree ScriptExpressionParser::word() {
  Tree made = make(ExpressionOf::name);
  made.top.text = name();
  const std::string& text = made.top.text;
  if (next().kind == TokenOf::text) refuse_python("a text without prefix", text);
  if (text == "infj" || text == "nanj") refuse_python("a real number", text);
  if (text == "None") made.top.kind = ExpressionOf::none;
  if (text == "True" || text == "False") {
    made.top.kind = ExpressionOf::boolean;
    made.top.integer = text == "True" ? 1 : 0;
  }
  if (text == "inf" || text == "nan") {
    made.top.kind = ExpressionOf::real;
    made.top.real = text == "inf" ? std::numeric_limits<double>::infinity() : std::nan("");
  }
  if (made.top.kind != ExpressionOf::name) made.top.text.clear();
  return made;
}

ScriptExpressionParser::Tree ScriptExpressionParser::integer(bool is_negative) {
  Tree made = make(ExpressionOf::integer);
  const std::string_view digits = next().spelling;
  std::uint64_t value = 0;
  const std::errc error = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
  const std::uint64_t most = (std::uint64_t{1} << 63) - (is_negative ? 0 : 1);
  if (error != std::errc() || value > most) refuse("a whole number of 64 bits");
  made.top.integer = static_cast<std::int64_t>(is_negative ? 0 - value : value);
  tokens_.advance();
  return made;
}

ScriptExpressionParser::Tree ScriptExpressionParser::real() {
  Tree made = make(ExpressionOf::real);
  const std::string_view digits = next().spelling;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), made.top.real);
  if (error != std::errc() || end != digits.data() + digits.size()) refuse("a real number of 64 bits");
  tokens_.advance();
  return made;
}

/// `(a)`, or a tuple: `()`, `(a, )`, `(a, b)`.
ScriptExpressionParser::Tree ScriptExpressionParser::parentheses() {
  Tree tuple = make(ExpressionOf::tuple);
  expect('(');
  if (accept(')')) return tuple;
  Tree first = tree();
  if (accept(')')) return first;
  expect(',');
  add(tuple, std::move(first));
  add_items(tuple, ')');
  return tuple;
}

ScriptExpressionParser::Tree ScriptExpressionParser::dict() {
  Tree made = make(ExpressionOf::dict);
  expect('{');
  while (!accept('}')) {
    add(made, tree());
    expect(':');
    add(made, tree());
    if (!next().is('}')) expect(',');
  }
  return made;
}

// --- types

std::string ScriptExpressionParser::type() {
  std::string type;
  add_type(type);
  return type;
}

/// `Dict[str, List[Tensor]]`; `(str, int)`; of an empty tuple `Tuple[()]`.
void ScriptExpressionParser::add_type(std::string& type) {
  const Deeper deeper(*this);
  if (accept('(')) {
    type += '(';
    return add_types(type, ')');
  }
  type += name();
  while (accept('.')) type.append(".").append(name());
  if (!accept('[')) return;
  type += '[';
  add_types(type, ']');
}

void ScriptExpressionParser::add_types(std::string& type, char end) {
  while (!accept(end)) {
    add_type(type);
    if (next().is(end)) continue;
    expect(',');
    if (!next().is(end)) type += ',';
  }
  type += end;
}

}  // namespace teff::serialize
