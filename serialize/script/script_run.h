// SPDX-License-Identifier: MIT
#pragma once

// Private: a run of TorchScript's code. Numbers, texts and lists have values; tensors have types, and what is done with
// them is recorded. Nothing is called but the archive's own functions and what two closed tables name: builtins
// (script_builtins.cpp) and ATen's operators (operators/aten.h).

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/operators/folding.h"
#include "teff/serialize/script/script_aliases.h"
#include "teff/serialize/script/script_program.h"
#include "teff/serialize/script/script_value.h"

namespace teff::serialize {

class ScriptNetwork;

/// Keyword arguments stand behind the others.
struct ScriptArguments {
  ScriptValues values;
  std::vector<std::string_view> names;  // of the last values

  std::size_t places() const { return values.size() - names.size(); }
};

class ScriptRun {
 public:
  explicit ScriptRun(ScriptNetwork& network, bool training) : network_(network), training_(training) {}

  /// Calls a method of the module. @throws UnsupportedError, FormatError with file and line.
  ScriptValue call_method(const ScriptObject& object, std::string_view name, ScriptArguments arguments);

  // For the tables.

  ScriptList* make_list(ScriptValues items, ScriptList::Kind kind = ScriptList::Kind::list);
  /// What there is of the tensor now: operators in place made another of it.
  Tensor current(const Tensor& tensor) { return aliases_.current(tensor); }
  ScriptAliases& aliases() { return aliases_; }
  ScriptNetwork& network() { return network_; }
  /// Counts what takes time: each statement and expression, each item of a list. @throws ResourceError
  void step(std::size_t count = 1);
  /// Of an expression without variables.
  ScriptValue constant_value(const ScriptExpression& expression);

 private:
  using Variables = std::map<std::string_view, ScriptValue>;
  struct Frame;
  class Deeper;

  ScriptValue call(const ScriptCallable& callable, ScriptArguments arguments);
  ScriptValue call_function(const ScriptCallable& callable, ScriptArguments arguments, const ScriptObject* self);
  std::string place(const ScriptCallable& callable, const ScriptObject* self) const;
  ScriptValue make_tuple(const ScriptClassCode& code, ScriptArguments arguments);

  /// Whether it returned: then the frame has the value.
  bool run(const std::vector<ScriptStatement>& block, Frame& frame);
  bool run(const ScriptStatement& statement, Frame& frame);
  bool run_each(const ScriptStatement& statement, Frame& frame);
  void assign(const ScriptStatement& statement, Frame& frame);
  void assign(const ScriptExpression& target, ScriptValue value, Frame& frame);
  void set_attribute(const ScriptExpression& target, Frame& frame);

  ScriptValue value(const ScriptExpression& expression, Frame& frame);
  ScriptValue attribute(const ScriptExpression& expression, Frame& frame);
  ScriptValue attribute_of(const ScriptValue& owner, const std::string& name);
  ScriptValue item_of(const ScriptValue& list, const ScriptValue& index);
  ScriptValue call_expression(const ScriptExpression& expression, Frame& frame);
  ScriptValue call_named(const std::string& path, ScriptArguments arguments);
  ScriptValue call_operator(const std::string& name, ScriptArguments arguments);
  ScriptValue call_in_place(const std::string& name, ScriptArguments arguments);
  ScriptArguments arguments_of(const ScriptExpression& expression, Frame& frame);
  bool truth(const ScriptExpression& expression, Frame& frame);

  ScriptNetwork& network_;
  const bool training_;
  std::size_t depth_ = 0;
  std::deque<ScriptList> lists_;
  Folding folding_;
  std::uint32_t line_ = 0;
  bool is_placed_ = false;  // the error that is under way says where
  ScriptAliases aliases_;
};

/// A truth value, a number, a text or a list; of a tensor the value if it is known.
bool truth_of(ScriptRun& run, const ScriptValue& value);

}  // namespace teff::serialize
