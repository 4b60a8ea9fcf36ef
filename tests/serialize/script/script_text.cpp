// SPDX-License-Identifier: MIT
#include "serialize/script/script_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace teff::testing {
namespace {

using serialize::ScriptClassCode;
using serialize::ScriptExpression;
using serialize::ScriptFile;
using serialize::ScriptFunction;
using serialize::ScriptStatement;

std::string real_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::hex).ptr;
  return "real " + std::string(digits.data(), end);
}

std::string quoted_bytes(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte < 127 && c != '"' && c != '\\') {
      result += c;
    } else {
      result.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  return result + '"';
}

std::string group(const std::string& head, const ScriptExpression& expression) {
  std::string text = '(' + head;
  const std::size_t first_name = expression.items.size() - expression.names.size();
  for (std::size_t i = 0; i < expression.items.size(); ++i) {
    text += ' ';
    if (i >= first_name) text += expression.names[i - first_name] + '=';
    text += tree_of(expression.items[i]);
  }
  return text + ')';
}

std::string line_of(int indent, std::uint32_t line) {
  return std::string(2 * static_cast<std::size_t>(indent), ' ') + std::to_string(line) + ": ";
}

std::string target_text(const ScriptStatement& statement) {
  std::string text;
  for (const ScriptExpression& target : statement.targets) text += ' ' + tree_of(target);
  return text;
}

std::string head_of(const ScriptStatement& statement) {
  using Kind = ScriptStatement::Kind;
  const std::string value = ' ' + tree_of(statement.value), targets = target_text(statement);
  switch (statement.kind) {
    case Kind::expression:
      return "do" + value;
    case Kind::assignment:
      return (statement.takes_apart ? "take apart" : "set") + targets + " =" + value;
    case Kind::conditional:
      return "if" + value;
    case Kind::count:
      return "count" + targets + value;
    case Kind::each:
      return "each" + targets + value;
    case Kind::loop:
      return "while" + value;
    case Kind::finish:
      return "return" + value;
    case Kind::assertion:
      return "assert" + value;
    case Kind::nothing:
      return "nothing";
  }
  return "";
}

std::string block_text(const std::vector<ScriptStatement>& block, int indent) {
  std::string text;
  for (const ScriptStatement& statement : block) {
    text += line_of(indent, statement.line) + head_of(statement) + '\n' + block_text(statement.body, indent + 1);
    if (statement.otherwise.empty()) continue;
    text +=
        std::string(2 * static_cast<std::size_t>(indent), ' ') + "else\n" + block_text(statement.otherwise, indent + 1);
  }
  return text;
}

std::string function_text(const ScriptFunction& function, int indent) {
  std::string text = line_of(indent, function.line) + "def " + function.name;
  for (const serialize::ScriptParameter& parameter : function.parameters) {
    text += ' ' + parameter.name + ':' + parameter.type;
    if (parameter.is_optional) text += '=' + tree_of(parameter.value);
  }
  return text + '\n' + block_text(function.body, indent + 1);
}

std::string class_text(const ScriptClassCode& code) {
  std::string text = "class " + code.name + (code.base.empty() ? "" : ' ' + code.base) + '\n';
  for (const std::string& member : code.members) text += "  member " + member + '\n';
  for (const auto& [name, value] : code.constants) text += "  constant " + name + ' ' + tree_of(value) + '\n';
  for (const ScriptFunction& method : code.methods) text += function_text(method, 1);
  return text;
}

}  // namespace

std::string tree_of(const ScriptExpression& expression) {
  using Kind = ScriptExpression::Kind;
  switch (expression.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return expression.integer != 0 ? "True" : "False";
    case Kind::integer:
      return std::to_string(expression.integer);
    case Kind::real:
      return real_text(expression.real);
    case Kind::text:
      return quoted_bytes(expression.text);
    case Kind::name:
      return expression.text;
    case Kind::attribute:
      return group('.' + expression.text, expression);
    case Kind::subscript:
      return group("item", expression);
    case Kind::call:
      return group("call", expression);
    case Kind::list:
      return group("list", expression);
    case Kind::tuple:
      return group("tuple", expression);
    case Kind::dict:
      return group("dict", expression);
    case Kind::choice:
      return group("if", expression);
  }
  return "";
}

std::string text_of(const ScriptFile& file) {
  std::string text;
  for (const ScriptClassCode& code : file.classes) text += class_text(code);
  for (const ScriptFunction& function : file.functions) text += function_text(function, 0);
  return text;
}

}  // namespace teff::testing
