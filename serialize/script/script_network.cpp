// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_network.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/script/script_call.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxRunSteps = 1 << 20;
constexpr std::size_t kMaxSteps = 1 << 23;  // of all runs
constexpr std::size_t kMaxCalls = 16384;
constexpr int kMaxOutputDepth = 8;
constexpr std::string_view kConstant = "CONSTANTS.c";

std::string name_in(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + '.' + name;
}

}  // namespace

ScriptNetwork::ScriptNetwork(ScriptArchive archive)
    : archive_(std::move(archive)), program_(archive_.code), steps_left_(kMaxSteps) {
  std::map<std::string, bool> is_parameter;
  for (const ScriptObject& object : archive_.objects) {
    for (const ScriptObject::Attribute& attribute : object.attributes) {
      if (attribute.is_state) is_parameter.emplace(name_in(object.path, attribute.name), attribute.is_parameter);
    }
  }
  for (const auto& [key, value] : archive_.module->structure) {
    if (!value.is_tensor()) continue;
    const auto known = is_parameter.find(key);
    const bool parameter = known != is_parameter.end() && known->second;
    add_state(*archive_.module, value.as_tensor(), key,
              parameter ? ScriptState::Role::parameter : ScriptState::Role::buffer);
  }
  if (archive_.module->structure.empty() && archive_.constants != nullptr) add_frozen();
  find_inputs();
}

/// A frozen module has no attributes any more: its weights are constants of the code, by the names that load gives
/// them.
void ScriptNetwork::add_frozen() {
  const Value* all = archive_.constants->structure.find("");
  if (all == nullptr || !all->is_list()) return;
  for (std::size_t i = 0; const Value& value : all->as_list()) {
    const std::string name = std::string(kConstant) + std::to_string(i++);
    if (!value.is_tensor() || value.as_tensor().dim() == 0 || !is_computable(value.as_tensor().dtype())) continue;
    add_state(*archive_.constants, value.as_tensor(), name, ScriptState::Role::parameter);
  }
}

/// Tensors of whole numbers have their values, for they may be indices and sizes.
std::size_t ScriptNetwork::add_state(const Contents& contents, const Tensor& stored, const std::string& name,
                                     ScriptState::Role role) {
  const auto known = by_stored_.find(stored.id());
  if (known != by_stored_.end()) return known->second;
  const std::size_t place = state_.size();
  ScriptState state{name, {}, stored, &contents, role};
  const StoragePlace storage = contents.place_of(stored);
  const auto key = std::tuple(&contents, storage.storage);
  const auto shared = by_storage_.find(key);  // entered when all is known: a read may throw
  if (shared != by_storage_.end() && state_[shared->second].stored.type() == stored.type() &&
      state_[shared->second].role != ScriptState::Role::constant && role != ScriptState::Role::constant) {
    state.tensor = state_[shared->second].tensor;
    state.shares = shared->second;
  } else if (role == ScriptState::Role::constant || !is_computable(stored.dtype())) {
    state.tensor = contents.read(std::span(&stored, 1))[0];
    values_.emplace(place, state.tensor);
  } else {
    state.tensor = detail::make_without_values(stored.type());
  }
  by_storage_.emplace(key, place);
  by_stored_.emplace(stored.id(), place);
  by_name_.emplace(name, place);
  by_tensor_.emplace(state.tensor.id(), place);
  state_.push_back(std::move(state));
  return place;
}

void ScriptNetwork::find_inputs() {
  const std::string& type = archive_.objects.front().type;
  for (const char* hooks : {"__forward_hooks__", "__forward_pre_hooks__"}) {
    const ScriptExpression* named = program_.constant(type, hooks);  // those of other modules are called by the code
    if (named == nullptr || named->items.empty()) continue;
    throw UnsupportedError("expected a module without hooks, got one with " + std::string(hooks) +
                           ": they change what it gives");
  }
  const ScriptCallable forward = program_.method(type, "forward");
  const std::vector<ScriptParameter>& parameters = forward.function->parameters;
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    const ScriptParameter& parameter = parameters[i];
    if (parameter.type == "Tensor" || parameter.type.empty()) {
      inputs_.push_back(parameter.name);
    } else if (parameter.is_optional) {
      continue;
    } else if (parameter.type.starts_with("Optional[")) {
      left_out_.push_back(parameter.name);
    } else {
      throw UnsupportedError("expected a forward of tensors, got one with \"" + escaped(parameter.name, 100) +
                             "\" of the type " + escaped(parameter.type, 100) +
                             ": trace the network with an example instead");
    }
  }
}

teff::NamedTensors ScriptNetwork::attributes() const {
  teff::NamedTensors named;
  for (const ScriptState& one : state_) {
    if (!one.shares) named.emplace_back(one.name, one.tensor);
  }
  return named;
}

detail::ScopeNames ScriptNetwork::scopes() const {
  detail::ScopeNames names;
  for (const ScriptObject& object : archive_.objects) names.emplace_back(&object, object.path);
  return names;
}

std::vector<TensorType> ScriptNetwork::hints() {
  std::map<std::string, std::int64_t> groups;  // by the weight
  std::set<std::string> bilinear;
  for (const ScriptObject& object : archive_.objects) {
    if (object.type.ends_with(".Bilinear")) bilinear.insert(name_in(object.path, "weight"));
    for (const ScriptObject::Attribute& attribute : object.attributes) {
      if (attribute.name == "groups" && attribute.value.is_int()) {
        groups.emplace(name_in(object.path, "weight"), attribute.value.as_int());
      }
    }
  }
  std::vector<TensorType> types;
  for (const ScriptState& state : state_) {
    types.push_back(state.stored.type());
    if (bilinear.contains(state.name) && types.back().shape.size() == 3) {
      const TensorType weight = types.back();
      types.back().shape = {1, weight.shape[1]};
      types.push_back({{1, weight.shape[2]}, weight.dtype});
    }
    const auto known = groups.find(state.name);
    Shape& shape = types.back().shape;
    std::int64_t channels = 0;
    if (known == groups.end() || shape.size() < 3 || known->second < 2) continue;
    if (!__builtin_mul_overflow(shape[1], known->second, &channels)) shape[1] = channels;
  }
  return types;
}

bool ScriptNetwork::is_training() const {
  for (const ScriptObject::Attribute& attribute : archive_.objects.front().attributes) {
    if (attribute.name == "training") return attribute.value.is_bool() && attribute.value.as_bool();
  }
  return false;
}

void ScriptNetwork::count_steps(std::size_t count) {
  if (count > run_steps_left_) {
    throw ResourceError("expected code of at most 1048576 steps a run, and 8388608 in all, got more");
  }
  run_steps_left_ -= count;
}

std::vector<Tensor> ScriptNetwork::run(std::span<const Tensor> inputs, bool training) {
  const std::size_t steps = std::min(kMaxRunSteps, steps_left_);
  run_steps_left_ = steps;
  calls_ = 0;
  output_names_.clear();
  const auto count_run = [&] { steps_left_ -= std::min(steps_left_, steps - run_steps_left_ + 100); };
  std::vector<Tensor> outputs;
  try {
    ScriptRun run(*this, training);
    ScriptArguments arguments;
    for (const Tensor& input : inputs) arguments.values.emplace_back(input);
    for (std::size_t i = 0; i < left_out_.size(); ++i) arguments.values.emplace_back();
    arguments.names.assign(inputs_.begin(), inputs_.end());
    arguments.names.insert(arguments.names.end(), left_out_.begin(), left_out_.end());
    add_outputs(run, run.call_method(archive_.objects.front(), "forward", std::move(arguments)), outputs, 0);
  } catch (...) {
    count_run();
    throw;
  }
  count_run();
  if (outputs.empty()) throw UnsupportedError("expected a forward that gives tensors, got one that gives none");
  return outputs;
}

/// Those of tuples and lists one by one, those of a dictionary with their keys as names.
void ScriptNetwork::add_outputs(ScriptRun& run, const ScriptValue& value, std::vector<Tensor>& outputs, int depth) {
  if (const Tensor* tensor = get_as<Tensor>(value)) {
    outputs.push_back(run.current(*tensor));
    return;
  }
  const ScriptList* list = as_list(value);
  if (is_none(value) && depth > 0) return;
  if (list == nullptr || depth == kMaxOutputDepth) {
    throw UnsupportedError("expected tensors as outputs, got " + std::string(kind_of(value)));
  }
  const bool is_dict = list->kind == ScriptList::Kind::dict;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    run.step();
    if (is_dict && i % 2 == 0) continue;
    const std::size_t before = outputs.size();
    add_outputs(run, list->items[i], outputs, depth + 1);
    const std::string* key = is_dict ? get_as<std::string>(list->items[i - 1]) : nullptr;
    if (key != nullptr && outputs.size() == before + 1) {
      output_names_.resize(before);
      output_names_.push_back(*key);
    }
  }
}

// --- what the code names

ScriptValue ScriptNetwork::convert(ScriptRun& run, const Contents& contents, const Value& value,
                                   const std::string& name) {
  run.step();
  switch (value.kind()) {
    case Value::Kind::none:
      return {};
    case Value::Kind::boolean:
      return value.as_bool();
    case Value::Kind::integer:
      return value.as_int();
    case Value::Kind::floating:
      return value.as_float();
    case Value::Kind::text:
      return value.as_text();
    case Value::Kind::tensor:
      return state_[add_state(contents, value.as_tensor(), name, ScriptState::Role::constant)].tensor;
    case Value::Kind::list: {
      ScriptValues items;
      for (std::size_t i = 0; const Value& item : value.as_list()) {
        items.push_back(convert(run, contents, item, name + '.' + std::to_string(i++)));
      }
      return run.make_list(std::move(items));
    }
    case Value::Kind::dict: {
      ScriptValues items;
      for (const auto& [key, item] : value.as_dict()) {
        items.emplace_back(key);
        items.push_back(convert(run, contents, item, name + '.' + key));
      }
      return run.make_list(std::move(items), ScriptList::Kind::dict);
    }
    case Value::Kind::bytes:
      break;
  }
  throw UnsupportedError("expected numbers, texts, tensors and lists in a module, got bytes");
}

ScriptValue ScriptNetwork::attribute(ScriptRun& run, const ScriptObject& object, const std::string& name) {
  const auto found = std::find_if(object.attributes.begin(), object.attributes.end(),
                                  [&](const ScriptObject::Attribute& attribute) { return attribute.name == name; });
  if (found != object.attributes.end()) {
    if (found->object != nullptr) return found->object;
    const std::string path = name_in(object.path, name);
    if (!found->is_state) return convert(run, *archive_.module, found->value, path);
    const auto state = by_name_.find(path);
    return state == by_name_.end() ? ScriptValue() : ScriptValue(state_[state->second].tensor);
  }
  if (const ScriptExpression* constant = program_.constant(object.type, name)) return run.constant_value(*constant);
  throw FormatError("expected the attribute \"" + escaped(name, 100) + "\" of " + escaped(object.type, 200) +
                    ", got none");
}

ScriptValue ScriptNetwork::constant(ScriptRun& run, const std::string& number) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), place);
  const Value* all = archive_.constants == nullptr ? nullptr : archive_.constants->structure.find("");
  if (error != std::errc() || end != number.data() + number.size() || all == nullptr || !all->is_list() ||
      place >= all->as_list().size()) {
    throw FormatError("expected a constant of the archive, got c" + escaped(number, 40));
  }
  return convert(run, *archive_.constants, all->as_list()[place], std::string(kConstant) + number);
}

bool ScriptNetwork::is_parameter(const Tensor& tensor) const {
  const auto found = by_tensor_.find(tensor.id());
  return found != by_tensor_.end() && state_[found->second].role == ScriptState::Role::parameter;
}

Tensor ScriptNetwork::values_of(const Tensor& tensor) {
  const auto found = by_tensor_.find(tensor.id());
  if (found == by_tensor_.end()) return {};
  const ScriptState& state = state_[found->second];
  Tensor& values = values_[found->second];
  if (!values.defined()) values = state.contents->read(std::span(&state.stored, 1))[0];
  return values;
}

void ScriptNetwork::check_may_change(const Tensor& owner, bool training) const {
  const auto found = by_tensor_.find(owner.id());
  if (found == by_tensor_.end()) return;
  const ScriptState& state = state_[found->second];
  if (training && state.name.ends_with("num_batches_tracked")) return;  // batch norm counts itself
  throw UnsupportedError("expected a forward that leaves its module alone, got one that changes \"" +
                         escaped(state.name, 100) + '"');
}

/// What is computed of constants and sizes alone is computed at once.
ScriptValue ScriptNetwork::call_operator(ScriptRun& run, Folding& folding, const std::string& name,
                                         const ScriptArguments& arguments, bool in_place) {
  const AtenRow* row = find_aten_operator(name);
  if (row == nullptr) {
    throw UnsupportedError("expected an operator of PyTorch that Teff has, got torch." + escaped(name, 100));
  }
  if (++calls_ > kMaxCalls) throw UnsupportedError("expected a network of at most 16384 calls of operators, got more");
  try {
    const ScriptCall call(run, *row, arguments);
    TensorList results = row->convert(call);
    call.check_asked();
    const auto has_name = [&](const Tensor& tensor) { return by_tensor_.contains(tensor.id()); };
    folding.count_constants(results, call.tensors(), has_name);
    const auto is_done = [](const Tensor& tensor) { return !tensor.defined() || is_constant(tensor); };
    const ScriptCall known(run, *row, arguments, true);
    const bool is_foldable = std::all_of(known.tensors().begin(), known.tensors().end(), is_done) &&
                             std::any_of(call.tensors().begin(), call.tensors().end(), is_constant);
    if (is_foldable && !std::all_of(results.begin(), results.end(), is_done) && folding.takes(results)) {
      const detail::NotCapturing now;
      results = row->convert(known);
    }
    if (const Tensor* first = arguments.values.empty() ? nullptr : get_as<Tensor>(arguments.values[0])) {
      const Tensor now = run.current(*first);
      if (results.size() == 1 && is_same_tensor(results[0], now)) return *first;
      if (!in_place) run.aliases().add_results(name, call, *first, now, results);
    }
    if (!row->gives_list && results.size() == 1) return results[0];
    ScriptValues items;
    for (const Tensor& result : results) items.push_back(result.defined() ? ScriptValue(result) : ScriptValue());
    return run.make_list(std::move(items), row->gives_list ? ScriptList::Kind::list : ScriptList::Kind::tuple);
  } catch (const TypeError& error) {  // a dtype that the operator has in PyTorch and not in Teff
    throw UnsupportedError("torch." + name + ": " + error.what());
  } catch (const Error& error) {
    detail::throw_again(error, "torch." + name + ": " + error.what());
  }
}

}  // namespace teff::serialize
