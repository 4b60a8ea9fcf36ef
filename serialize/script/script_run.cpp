// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_run.h"

#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/script/script_builtins.h"
#include "teff/serialize/script/script_network.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxNested = 400;  // calls, blocks and expressions in each other

using ExpressionKind = ScriptExpression::Kind;

/// The names of `torch.nn.relu`, or "" if it does not begin with one of the archive's own words.
std::string dotted_path(const ScriptExpression& expression) {
  std::vector<const std::string*> names;
  const ScriptExpression* part = &expression;
  for (; part->kind == ExpressionKind::attribute; part = &part->items[0]) names.push_back(&part->text);
  if (part->kind != ExpressionKind::name) return "";
  std::string path = part->text;
  if (path != "torch" && path != "ops" && path != "__torch__" && path != "CONSTANTS") return "";
  for (std::size_t i = names.size(); i-- > 0;) path += '.' + *names[i];
  return path;
}

std::string shown(std::string_view name) { return '"' + escaped(name, 100) + '"'; }

}  // namespace

std::string_view kind_of(const ScriptValue& value) {
  constexpr std::string_view kNames[] = {"None", "bool", "int", "float", "str", "Tensor", "list", "module", "function"};
  return kNames[value.index()];
}

std::int64_t integer_of(const ScriptValue& value) {
  if (const auto* number = get_as<std::int64_t>(value)) return *number;
  if (const auto* truth = get_as<bool>(value)) return *truth ? 1 : 0;
  throw FormatError("expected an int, got " + std::string(kind_of(value)));
}

double number_of(const ScriptValue& value) {
  if (const auto* number = get_as<double>(value)) return *number;
  return static_cast<double>(integer_of(value));
}

struct ScriptRun::Frame {
  const ScriptObject* self = nullptr;
  Variables variables = {};
  ScriptValue result = {};
};

class ScriptRun::Deeper {
 public:
  explicit Deeper(ScriptRun& run) : run_(run) {
    if (run_.depth_ == kMaxNested) {
      throw UnsupportedError("expected calls, blocks and expressions at most 400 deep in each other, got more");
    }
    ++run_.depth_;
  }
  ~Deeper() { --run_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  ScriptRun& run_;
};

void ScriptRun::step(std::size_t count) { network_.count_steps(count); }

ScriptList* ScriptRun::make_list(ScriptValues items, ScriptList::Kind kind) {
  step(1 + items.size());
  return &lists_.emplace_back(ScriptList{kind, std::move(items)});
}

ScriptValue ScriptRun::constant_value(const ScriptExpression& expression) {
  Frame frame;
  return value(expression, frame);
}

// --- calls

ScriptValue ScriptRun::call_method(const ScriptObject& object, std::string_view name, ScriptArguments arguments) {
  const ScopeGuard scope(&object);
  return call_function(network_.program().method(object.type, name), std::move(arguments), &object);
}

ScriptValue ScriptRun::call(const ScriptCallable& callable, ScriptArguments arguments) {
  if (callable.named_tuple != nullptr) return make_tuple(*callable.named_tuple, std::move(arguments));
  return call_function(callable, std::move(arguments), nullptr);
}

ScriptValue ScriptRun::make_tuple(const ScriptClassCode& code, ScriptArguments arguments) {
  if (arguments.values.size() != code.members.size() || !arguments.names.empty()) {
    throw FormatError("expected a value for each field of " + shown(code.name) + ", got " +
                      std::to_string(arguments.values.size()));
  }
  ScriptList* tuple = make_list(std::move(arguments.values), ScriptList::Kind::tuple);
  tuple->fields = &code;
  return tuple;
}

ScriptValue ScriptRun::call_function(const ScriptCallable& callable, ScriptArguments arguments,
                                     const ScriptObject* self) {
  const Deeper deeper(*this);
  const ScriptFunction& function = *callable.function;
  Frame frame{self};
  const std::size_t first = self == nullptr ? 0 : 1, count = function.parameters.size();
  const auto place_of = [&](std::size_t argument) {
    if (argument < arguments.places()) return first + argument;
    for (std::size_t i = first; i < count; ++i) {
      if (function.parameters[i].name == arguments.names[argument - arguments.places()]) return i;
    }
    return count;
  };
  if (count < first) throw FormatError("expected a method of a module, got one without parameters");
  if (self != nullptr) frame.variables.emplace(function.parameters[0].name, self);
  for (std::size_t i = 0; i < arguments.values.size(); ++i) {
    const std::size_t place = place_of(i);
    if (place >= count) throw FormatError("expected the arguments of " + shown(function.name) + ", got others");
    frame.variables.emplace(function.parameters[place].name, std::move(arguments.values[i]));
  }
  for (std::size_t i = first; i < count; ++i) {
    const ScriptParameter& parameter = function.parameters[i];
    if (frame.variables.contains(parameter.name)) continue;
    if (!parameter.is_optional) {
      throw FormatError("expected a value for " + shown(parameter.name) + " of " + shown(function.name) + ", got none");
    }
    frame.variables.emplace(parameter.name, value(parameter.value, frame));
  }
  try {
    line_ = function.line;
    run(function.body, frame);
  } catch (const Error& error) {
    if (is_placed_ || (network_.archive().is_pickled && self == nullptr)) throw;
    is_placed_ = true;
    const std::string text = place(callable, self) + error.what();
    if (dynamic_cast<const TypeError*>(&error) != nullptr) throw UnsupportedError(text);  // a dtype that Teff lacks
    detail::throw_again(error, text);
  }
  return std::move(frame.result);
}

/// "code/__torch__/net.py, line 12: "; of a pickled module, whose code is not the file's, the module.
std::string ScriptRun::place(const ScriptCallable& callable, const ScriptObject* self) const {
  if (!network_.archive().is_pickled) {
    return escaped(*callable.file, 200) + ", line " + std::to_string(line_) + ": ";
  }
  const std::string type = escaped(self->type.substr(self->type.find('.') + 1), 100);
  return "in the " + type + (self->path.empty() ? "" : ' ' + shown(self->path)) + ": ";
}

// --- statements

bool ScriptRun::run(const std::vector<ScriptStatement>& block, Frame& frame) {
  const Deeper deeper(*this);
  for (const ScriptStatement& statement : block) {
    if (run(statement, frame)) return true;
  }
  return false;
}

bool ScriptRun::run(const ScriptStatement& statement, Frame& frame) {
  using Statement = ScriptStatement::Kind;
  step();
  line_ = statement.line;
  switch (statement.kind) {
    case Statement::nothing:
      return false;
    case Statement::expression:
      value(statement.value, frame);
      return false;
    case Statement::assignment:
      assign(statement, frame);
      return false;
    case Statement::conditional:
      return run(truth(statement.value, frame) ? statement.body : statement.otherwise, frame);
    case Statement::count:
    case Statement::each:
      return run_each(statement, frame);
    case Statement::loop:
      while (truth(statement.value, frame)) {
        step();
        if (run(statement.body, frame)) return true;
      }
      return false;
    case Statement::finish:
      frame.result = value(statement.value, frame);
      return true;
    case Statement::assertion:
      if (!truth(statement.value, frame)) throw FormatError("the code's own assertion does not hold");
      return false;
  }
  return false;
}

bool ScriptRun::run_each(const ScriptStatement& statement, Frame& frame) {
  const ScriptValue over = value(statement.value, frame);
  if (statement.kind == ScriptStatement::Kind::count) {
    const std::int64_t count = integer_of(over);
    for (std::int64_t i = 0; i < count; ++i) {
      step();
      assign(statement.targets[0], i, frame);
      if (run(statement.body, frame)) return true;
    }
    return false;
  }
  const ScriptList* list = as_list(over);
  if (list == nullptr) throw UnsupportedError("expected a list to go through, got " + std::string(kind_of(over)));
  const std::size_t each = list->kind == ScriptList::Kind::dict ? 2 : 1;
  for (std::size_t i = 0; i < list->items.size(); i += each) {  // the body may make it longer
    step();
    assign(statement.targets[0], ScriptValue(list->items[i]), frame);
    if (run(statement.body, frame)) return true;
  }
  return false;
}

void ScriptRun::assign(const ScriptStatement& statement, Frame& frame) {
  if (!statement.takes_apart) {
    if (statement.targets[0].kind == ExpressionKind::attribute) return set_attribute(statement.targets[0], frame);
    return assign(statement.targets[0], value(statement.value, frame), frame);
  }
  const ScriptValue whole = value(statement.value, frame);
  const ScriptList* list = as_list(whole);
  if (list == nullptr || list->kind == ScriptList::Kind::dict || list->items.size() != statement.targets.size()) {
    throw FormatError("expected " + std::to_string(statement.targets.size()) + " values to assign, got " +
                      (list == nullptr ? std::string(kind_of(whole)) : std::to_string(list->items.size())));
  }
  const ScriptValues items = list->items;
  for (std::size_t i = 0; i < items.size(); ++i) assign(statement.targets[i], items[i], frame);
}

void ScriptRun::assign(const ScriptExpression& target, ScriptValue assigned, Frame& frame) {
  if (target.kind == ExpressionKind::name) {
    frame.variables.insert_or_assign(target.text, std::move(assigned));
    return;
  }
  if (target.kind == ExpressionKind::attribute) return set_attribute(target, frame);
  if (target.kind != ExpressionKind::subscript) throw FormatError("expected a name to assign to, got something else");
  const ScriptValue owner = value(target.items[0], frame), index = value(target.items[1], frame);
  set_item(*this, owner, index, std::move(assigned));
}

/// Batch norm counts its steps itself; nothing else of a module may change.
void ScriptRun::set_attribute(const ScriptExpression& target, Frame&) {
  if (training_ && target.text == "num_batches_tracked") return;
  throw UnsupportedError("expected a forward that leaves its module alone, got one that sets " + shown(target.text));
}

// --- expressions

ScriptValue ScriptRun::value(const ScriptExpression& expression, Frame& frame) {
  const Deeper deeper(*this);
  step();
  switch (expression.kind) {
    case ExpressionKind::none:
      return {};
    case ExpressionKind::boolean:
      return expression.integer != 0;
    case ExpressionKind::integer:
      return expression.integer;
    case ExpressionKind::real:
      return expression.real;
    case ExpressionKind::text:
      step(expression.text.size() / 64);
      return expression.text;
    case ExpressionKind::name: {
      const auto found = frame.variables.find(expression.text);
      if (found != frame.variables.end()) return found->second;
      throw FormatError("expected a variable that was set before, got " + shown(expression.text));
    }
    case ExpressionKind::attribute:
      return attribute(expression, frame);
    case ExpressionKind::subscript: {
      const ScriptValue list = value(expression.items[0], frame), index = value(expression.items[1], frame);
      return item_of(list, index);
    }
    case ExpressionKind::call:
      return call_expression(expression, frame);
    case ExpressionKind::choice:
      return value(expression.items[truth(expression.items[0], frame) ? 1 : 2], frame);
    case ExpressionKind::list:
    case ExpressionKind::tuple:
    case ExpressionKind::dict:
      break;
  }
  ScriptValues items;
  for (const ScriptExpression& item : expression.items) items.push_back(value(item, frame));
  return make_list(std::move(items), expression.kind == ExpressionKind::list    ? ScriptList::Kind::list
                                     : expression.kind == ExpressionKind::tuple ? ScriptList::Kind::tuple
                                                                                : ScriptList::Kind::dict);
}

bool ScriptRun::truth(const ScriptExpression& expression, Frame& frame) {
  return truth_of(*this, value(expression, frame));
}

ScriptValue ScriptRun::attribute(const ScriptExpression& expression, Frame& frame) {
  const std::string path = dotted_path(expression);
  constexpr std::string_view kConstants = "CONSTANTS.c";
  if (path.starts_with(kConstants)) return network_.constant(*this, path.substr(kConstants.size()));
  if (path.starts_with("__torch__.")) return network_.program().function(path);
  if (!path.empty()) throw UnsupportedError("expected a value, got the function " + shown(path));
  return attribute_of(value(expression.items[0], frame), expression.text);
}

ScriptValue ScriptRun::attribute_of(const ScriptValue& owner, const std::string& name) {
  if (const ScriptObject* const* object = get_as<const ScriptObject*>(owner)) {
    if (name == "training") return training_;
    return network_.attribute(*this, **object, name);
  }
  const ScriptList* list = as_list(owner);
  if (list == nullptr || list->fields == nullptr) {
    throw UnsupportedError("expected a module or a named tuple with " + shown(name) + ", got " +
                           std::string(kind_of(owner)));
  }
  for (std::size_t i = 0; i < list->fields->members.size(); ++i) {
    if (list->fields->members[i] == name) return list->items[i];
  }
  throw FormatError("expected a field of " + shown(list->fields->name) + ", got " + shown(name));
}

ScriptValue ScriptRun::item_of(const ScriptValue& owner, const ScriptValue& index) {
  return get_item(*this, owner, index);
}

ScriptArguments ScriptRun::arguments_of(const ScriptExpression& expression, Frame& frame) {
  ScriptArguments arguments;
  for (std::size_t i = 1; i < expression.items.size(); ++i) {
    arguments.values.push_back(value(expression.items[i], frame));
  }
  arguments.names.assign(expression.names.begin(), expression.names.end());
  return arguments;
}

ScriptValue ScriptRun::call_expression(const ScriptExpression& expression, Frame& frame) {
  const ScriptExpression& callee = expression.items[0];
  const std::uint32_t line = expression.line;
  if (callee.kind == ExpressionKind::name) {
    const auto variable = frame.variables.find(callee.text);
    if (variable == frame.variables.end()) {
      ScriptArguments arguments = arguments_of(expression, frame);
      line_ = line;
      if (callee.text == "getattr" && arguments.values.size() == 2) {
        const std::string* name = get_as<std::string>(arguments.values[1]);
        if (name != nullptr) return attribute_of(arguments.values[0], *name);
      }
      return call_named(callee.text, std::move(arguments));
    }
    const ScriptCallable* function = get_as<ScriptCallable>(variable->second);
    if (function == nullptr)
      throw FormatError("expected a function to call, got " + std::string(kind_of(variable->second)));
    const ScriptCallable called = *function;
    ScriptArguments arguments = arguments_of(expression, frame);
    ScriptValue result = call(called, std::move(arguments));
    line_ = line;
    return result;
  }
  if (callee.kind != ExpressionKind::attribute)
    throw FormatError("expected the name of a function to call, got something else");
  const std::string path = dotted_path(callee);
  if (!path.empty()) {
    ScriptArguments arguments = arguments_of(expression, frame);
    line_ = line;
    if (!path.starts_with("__torch__.")) return call_named(path, std::move(arguments));
    ScriptValue result = call(network_.program().function(path), std::move(arguments));
    line_ = line;
    return result;
  }
  const ScriptValue owner = value(callee.items[0], frame);
  const ScriptObject* const* object = get_as<const ScriptObject*>(owner);
  if (object == nullptr) {
    throw UnsupportedError("expected a module with the method " + shown(callee.text) + ", got " +
                           std::string(kind_of(owner)));
  }
  ScriptArguments arguments = arguments_of(expression, frame);
  line_ = line;
  ScriptValue result = call_method(**object, callee.text, std::move(arguments));
  line_ = line;
  return result;
}

/// `torch.add`, `ops.prim.dtype`, `annotate`: a builtin for what the arguments are, or else an operator of ATen.
ScriptValue ScriptRun::call_named(const std::string& path, ScriptArguments arguments) {
  std::string_view name = path;
  const bool is_torch = name.starts_with("torch.");
  if (is_torch) name.remove_prefix(6);
  if (const ScriptBuiltin* builtin = find_script_builtin(is_torch ? name : path)) {
    if (std::optional<ScriptValue> result = builtin->call(*this, arguments)) return *std::move(result);
  }
  if (name.starts_with("ops.aten.")) name.remove_prefix(9);
  if (name.find('.') != name.npos || (!is_torch && name.size() == path.size())) {
    throw UnsupportedError("expected a function that Teff knows, got " + shown(path));
  }
  const bool in_place = name.size() > 1 && name.ends_with('_') && !name.starts_with("__");
  if (in_place) return call_in_place(std::string(name.substr(0, name.size() - 1)), std::move(arguments));
  return call_operator(std::string(name), std::move(arguments));
}

ScriptValue ScriptRun::call_operator(const std::string& name, ScriptArguments arguments) {
  return network_.call_operator(*this, folding_, name, arguments);
}

// --- operators in place

namespace {

bool changes_shape(std::string_view name) {
  return name == "squeeze" || name == "unsqueeze" || name == "transpose" || name == "t" || name == "swapaxes" ||
         name == "swapdims";
}

}  // namespace

/// The operator's result takes the tensor's place in all that comes after.
ScriptValue ScriptRun::call_in_place(const std::string& name, ScriptArguments arguments) {
  const Tensor* first = arguments.values.empty() ? nullptr : get_as<Tensor>(arguments.values[0]);
  if (first == nullptr) throw UnsupportedError("expected a tensor to change in place, got none");
  const Tensor changed = *first, now = current(changed), owner = aliases_.owner(changed);
  network_.check_may_change(owner, training_);
  const ScriptValue result = network_.call_operator(*this, folding_, name, arguments, true);
  const Tensor* made = get_as<Tensor>(result);
  if (made == nullptr) throw UnsupportedError("expected one tensor of an operator in place, got others");
  Tensor values = current(*made);
  if (is_same_tensor(values, now)) return changed;
  if (changes_shape(name)) {
    aliases_.replace(changed, values);
    return changed;
  }
  if (values.shape() != now.shape()) {
    throw FormatError("expected a result of the shape " + to_string(now.shape()) + ", got " +
                      to_string(values.shape()));
  }
  if (values.dtype() != now.dtype()) values = to(values, now.dtype());
  if (!is_same_tensor(owner, changed)) step(static_cast<std::size_t>(owner.numel()) / 4);
  if (is_constant(values) && is_constant(current(owner))) {
    const detail::NotCapturing at_once;
    aliases_.write(changed, values);
  } else {
    aliases_.write(changed, values);
  }
  return changed;
}

}  // namespace teff::serialize
