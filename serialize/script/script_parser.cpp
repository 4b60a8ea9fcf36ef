// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "teff/engine/error.h"
#include "teff/serialize/script/script_expressions.h"
#include "teff/serialize/script/script_syntax.h"

namespace teff::serialize {
namespace {

using StatementOf = ScriptStatement::Kind;

constexpr int kMaxBlockDepth = 400;

class ScriptParser {
 public:
  ScriptParser(std::string_view code, std::size_t most) : code_(code, most) {}
  ScriptFile file();

 private:
  ScriptClassCode class_code();
  void add_member(ScriptClassCode& owner);
  ScriptFunction function();
  ScriptParameter parameter();
  std::vector<ScriptStatement> block();

  ScriptStatement statement();
  void conditional(ScriptStatement& made);
  void each(ScriptStatement& made);
  void result(ScriptStatement& made);
  void assertion(ScriptStatement& made);
  void deletion();
  void other(ScriptStatement& made);
  void set_targets(ScriptStatement& made, ScriptExpression targets);

  void end_line();
  void begin_block();

  ScriptExpressionParser code_;
  int nested_ = 0;  // blocks
};

void ScriptParser::end_line() {
  if (!code_.accept(ScriptToken::Kind::newline)) code_.refuse("the end of the line");
}

void ScriptParser::begin_block() {
  code_.expect(':');
  end_line();
}

// --- classes and functions

ScriptFile ScriptParser::file() {
  ScriptFile file;
  while (!code_.accept(ScriptToken::Kind::end)) {
    if (code_.next().is("class")) {
      file.classes.push_back(class_code());
    } else if (code_.next().is("def")) {
      file.functions.push_back(function());
    } else if (code_.accept("import")) {  // of files until PyTorch 1.3
      code_.type();
      end_line();
    } else if (code_.accept("op_version_set")) {  // until 1.5
      code_.expect('=');
      code_.expression();
      end_line();
    } else {
      code_.refuse("a class or a function");
    }
  }
  file.parts = code_.parts();
  return file;
}

/// PyTorch prints a class without members without a body.
ScriptClassCode ScriptParser::class_code() {
  ScriptClassCode made;
  code_.count_part();
  code_.accept("class");
  made.name = code_.name();
  if (code_.accept('(')) {
    made.base = code_.type();
    code_.expect(')');
  }
  begin_block();
  if (!code_.accept(ScriptToken::Kind::indent)) return made;
  while (!code_.accept(ScriptToken::Kind::outdent)) add_member(made);
  return made;
}

/// `__annotations__["0"] = T`: a member whose name Python does not allow.
void ScriptParser::add_member(ScriptClassCode& owner) {
  code_.count_part();
  if (code_.next().is("def")) {
    owner.methods.push_back(function());
    return;
  }
  if (code_.accept("pass")) return end_line();
  std::string name = code_.name();
  if (name == "__annotations__" && code_.accept('[')) {
    owner.members.push_back(code_.text());
    code_.expect(']');
    code_.expect('=');
    code_.type();
    return end_line();
  }
  const bool is_typed = code_.accept(':');
  if (is_typed) code_.type();
  if (is_typed && code_.accept(ScriptToken::Kind::newline)) {
    owner.members.push_back(std::move(name));
    return;
  }
  code_.expect('=');
  owner.constants.emplace_back(std::move(name), code_.expressions());
  end_line();
}

ScriptFunction ScriptParser::function() {
  ScriptFunction made;
  code_.count_part();
  code_.accept("def");
  made.line = code_.next().line;
  made.name = code_.name();
  code_.expect('(');
  while (!code_.accept(')')) {
    made.parameters.push_back(parameter());
    if (!code_.next().is(')')) code_.expect(',');
  }
  if (code_.next().spelling == "->") {
    code_.accept(ScriptToken::Kind::symbol);
    code_.type();
  }
  made.body = block();
  return made;
}

ScriptParameter ScriptParser::parameter() {
  ScriptParameter made;
  code_.count_part();
  made.name = code_.name();
  if (code_.accept(':')) made.type = code_.type();
  made.is_optional = code_.accept('=');
  if (made.is_optional) made.value = code_.expression();
  return made;
}

std::vector<ScriptStatement> ScriptParser::block() {
  if (nested_ == kMaxBlockDepth) code_.refuse_more_than("400 blocks in each other");
  begin_block();
  if (!code_.accept(ScriptToken::Kind::indent)) code_.refuse("an indented line");
  ++nested_;
  std::vector<ScriptStatement> statements;
  while (!code_.accept(ScriptToken::Kind::outdent)) statements.push_back(statement());
  --nested_;
  return statements;
}

// --- statements

ScriptStatement ScriptParser::statement() {
  ScriptStatement made;
  code_.count_part();
  made.line = code_.next().line;
  if (code_.accept("if")) {
    conditional(made);
  } else if (code_.accept("for")) {
    each(made);
  } else if (code_.accept("while")) {
    made.kind = StatementOf::loop;
    made.value = code_.expression();
    made.body = block();
  } else if (code_.accept("return")) {
    result(made);
  } else if (code_.accept("assert")) {
    assertion(made);
  } else if (code_.accept("del")) {
    deletion();
  } else if (code_.accept("pass")) {
    end_line();
  } else {
    other(made);
  }
  return made;
}

void ScriptParser::conditional(ScriptStatement& made) {
  made.kind = StatementOf::conditional;
  made.value = code_.expression();
  made.body = block();
  if (code_.accept("else")) made.otherwise = block();
}

void ScriptParser::each(ScriptStatement& made) {
  ScriptExpression& target = made.targets.emplace_back();
  code_.count_part();
  target.kind = ScriptExpression::Kind::name;
  target.line = code_.next().line;
  target.text = code_.name();
  if (!code_.accept("in")) code_.refuse("\"in\"");
  made.kind = StatementOf::each;
  made.value = code_.expression();
  const std::vector<ScriptExpression>& items = made.value.items;
  const bool is_range = made.value.kind == ScriptExpression::Kind::call && items.size() == 2 &&
                        items[0].kind == ScriptExpression::Kind::name && items[0].text == "range" &&
                        made.value.names.empty();
  if (is_range) {
    made.kind = StatementOf::count;
    ScriptExpression count = std::move(made.value.items[1]);
    made.value = std::move(count);
  }
  made.body = block();
}

void ScriptParser::result(ScriptStatement& made) {
  made.kind = StatementOf::finish;
  if (code_.next().kind != ScriptToken::Kind::newline) made.value = code_.expressions();
  end_line();
}

void ScriptParser::assertion(ScriptStatement& made) {
  made.kind = StatementOf::assertion;
  made.value = code_.expression();
  if (code_.accept(',')) code_.expression();
  end_line();
}

/// Of variables: nothing reads them later.
void ScriptParser::deletion() {
  do {
    code_.name();
  } while (code_.accept(','));
  end_line();
}

/// An expression, or an assignment, which may have a type: `x : int = 3`.
void ScriptParser::other(ScriptStatement& made) {
  made.kind = StatementOf::expression;
  made.value = code_.expressions();
  const bool is_typed = code_.accept(':');
  if (is_typed) code_.type();
  if (is_typed || code_.next().is('=')) {
    code_.expect('=');
    made.kind = StatementOf::assignment;
    set_targets(made, std::move(made.value));
    made.value = code_.expressions();
  }
  end_line();
}

void ScriptParser::set_targets(ScriptStatement& made, ScriptExpression targets) {
  using Kind = ScriptExpression::Kind;
  made.takes_apart = targets.kind == Kind::tuple;
  if (made.takes_apart) {
    made.targets = std::move(targets.items);
  } else {
    made.targets.push_back(std::move(targets));
  }
  for (const ScriptExpression& target : made.targets) {
    if (target.kind == Kind::name || target.kind == Kind::attribute || target.kind == Kind::subscript) continue;
    throw FormatError("line " + std::to_string(made.line) +
                      ": expected a name, an attribute or an item to assign to, got another expression");
  }
  if (made.targets.empty()) {
    throw FormatError("line " + std::to_string(made.line) + ": expected something to assign to, got nothing");
  }
}

}  // namespace

ScriptFile parse_script(std::string_view code, std::size_t most) { return ScriptParser(code, most).file(); }

}  // namespace teff::serialize
