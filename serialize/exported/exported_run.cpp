// SPDX-License-Identifier: MIT

// A run of an exported program: node by node, by types.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/serialize/exported/exported_network.h"
#include "teff/serialize/exported/exported_numbers.h"
#include "teff/serialize/exported/exported_targets.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

using NameKind = ExportedValue::Kind;

constexpr std::string_view kTracked = "num_batches_tracked";

std::string in_quotes(const std::string& name) { return '"' + escaped(name, 100) + '"'; }

const Value* argument_of(const ExportedArguments& arguments, std::string_view name) {
  const auto found =
      std::find_if(arguments.begin(), arguments.end(), [&](const auto& one) { return one.first == name; });
  return found == arguments.end() ? nullptr : &found->second;
}

const Tensor& first_tensor(const ExportedArguments& arguments) {
  if (arguments.empty() || !arguments[0].second.is_tensor()) {
    throw UnsupportedError("expected a tensor as the first argument, got none");
  }
  return arguments[0].second.as_tensor();
}

bool changes_rank(std::string_view name) {
  return name == "squeeze" || name == "unsqueeze" || name == "transpose" || name == "t" || name == "swapaxes" ||
         name == "swapdims";
}

}  // namespace

/// What one run knows.
struct ExportedNetwork::Run {
  Environment names;
  Folding folding;
  ScriptAliases aliases;
  std::map<std::string, Tensor> new_statistics;  // names of what batch norm makes of a buffer
  std::int64_t changed_left = 1 << 22;           // elements of what parts are changed of
  bool has_file_sizes = false;                   // of the inputs: all sizes must be those of the file
};

bool ExportedNetwork::counts_batches(const Tensor& tensor) const {
  const auto found = by_tensor_.find(tensor.id());
  return found != by_tensor_.end() && state_[found->second].key.ends_with(kTracked);
}

std::vector<Tensor> ExportedNetwork::run(std::span<const Tensor> inputs) {
  Run run;
  run.names = initial_;
  run.has_file_sizes = true;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::vector<std::int64_t>& sizes = meta(inputs_[i]->name).sizes;
    run.has_file_sizes = run.has_file_sizes &&
                         std::equal(sizes.begin(), sizes.end(), inputs[i].shape().begin(), inputs[i].shape().end());
    if (!run.names.emplace(inputs_[i]->name, inputs[i]).second) {
      throw FormatError("expected one input of each name, got " + in_quotes(inputs_[i]->name) + " again");
    }
  }
  for (const ExportedNode& node : program_.nodes) {
    try {
      if (calls_left_-- == 0) throw ResourceError("expected a program that is captured in 64 runs, got more");
      run_node(run, node);
    } catch (const TypeError& error) {  // a dtype that the operator has in PyTorch and not in Teff
      throw UnsupportedError(describe(node) + ": " + error.what());
    } catch (const Error& error) {
      detail::throw_again(error, describe(node) + ": " + error.what());
    }
  }
  std::vector<Tensor> outputs;
  for (const ExportedOutput& output : program_.outputs) {
    if (!output.buffer.empty()) {
      check_mutation(run, output);
      continue;
    }
    const Value value = value_of(run, output.value);
    if (value.is_none()) continue;
    if (!value.is_tensor()) {
      throw UnsupportedError("expected tensors as outputs, got " +
                             std::string(value.is_list() ? "a list" : "a number"));
    }
    outputs.push_back(value.as_tensor());
  }
  if (outputs.empty()) throw UnsupportedError("expected a program that gives tensors, got one that gives none");
  return outputs;
}

/// Batch norm updates its statistics and counts its batches itself.
void ExportedNetwork::check_mutation(const Run& run, const ExportedOutput& output) const {
  const auto made = run.new_statistics.find(output.value.name);
  const auto known = by_key_.find(output.buffer);
  if (known != by_key_.end()) {
    const Tensor& buffer = state_[known->second].tensor;
    if (output.buffer.ends_with(kTracked)) return;
    if (made != run.new_statistics.end() && made->second.id() == buffer.id()) return;
  }
  throw UnsupportedError("expected a program that leaves its buffers alone, got one that changes " +
                         in_quotes(output.buffer));
}

Value ExportedNetwork::value_of(Run& run, const ExportedValue& value) const {
  switch (value.kind) {
    case NameKind::value:
      return value.value;
    case NameKind::graph:
      throw UnsupportedError("expected arguments of numbers, texts and tensors, got a graph");
    case NameKind::list: {
      List items;
      for (const ExportedValue& item : value.items) items.push_back(value_of(run, item));
      return items;
    }
    case NameKind::name:
      break;
  }
  const auto found = run.names.find(value.name);
  if (found == run.names.end()) {
    const bool is_statistic = run.new_statistics.contains(value.name);
    if (is_statistic) throw UnsupportedError("expected statistics that only buffers get, got " + in_quotes(value.name));
    throw FormatError("expected a value that was made before, got " + in_quotes(value.name));
  }
  return found->second.is_tensor() ? Value(run.aliases.current(found->second.as_tensor())) : found->second;
}

/// Each name is given once. What the file says of a tensor must hold with the sizes that it was exported with.
void ExportedNetwork::bind(Run& run, const std::string& name, const Value& value) const {
  if (!run.names.emplace(name, value).second) {
    throw FormatError("expected one value of each name, got " + in_quotes(name) + " again");
  }
  const auto found = program_.metas.find(name);
  if (!run.has_file_sizes || !value.is_tensor() || found == program_.metas.end()) return;
  const Shape& shape = value.as_tensor().shape();
  const std::vector<std::int64_t>& sizes = found->second.sizes;
  const bool fits = std::equal(sizes.begin(), sizes.end(), shape.begin(), shape.end(),
                               [](std::int64_t told, std::int64_t size) { return told < 0 || told == size; });
  if (fits) return;
  std::string told;
  for (const std::int64_t size : sizes) told += (told.empty() ? "" : ", ") + (size < 0 ? "?" : std::to_string(size));
  throw FormatError("expected a result of the shape [" + told + "], as the file says, got " + to_string(shape));
}

void ExportedNetwork::bind_all(Run& run, const ExportedNode& node, const TensorList& results, bool is_list) const {
  const bool is_checked = run.has_file_sizes;
  if (has_loose_sizes(operator_of(node.target))) run.has_file_sizes = false;
  std::vector<std::string> names;
  for (const ExportedValue& output : node.outputs) {
    if (output.kind == NameKind::list) {
      for (const ExportedValue& item : output.items) names.push_back(item.name);
    } else {
      names.push_back(output.name);
    }
  }
  if (is_list && names.size() != results.size()) {
    throw FormatError("expected names for " + std::to_string(results.size()) + " results, got " +
                      std::to_string(names.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    // What else an operator gives, for its own gradient, is not there, and is refused where it is read.
    if (i < results.size() && results[i].defined()) bind(run, names[i], results[i]);
  }
  run.has_file_sizes = is_checked;
}

void ExportedNetwork::run_node(Run& run, const ExportedNode& node) {
  const ScopeGuard scope(&node);
  const std::string name = operator_of(node.target);
  ExportedArguments arguments;
  for (const auto& [argument, value] : node.inputs) arguments.emplace_back(argument, value_of(run, value));
  if (name.empty()) {
    std::vector<Value> numbers;
    for (const auto& [argument, value] : arguments) numbers.push_back(value);
    const std::optional<Value> result = number_from(node.target, numbers);
    if (!result) throw UnsupportedError("expected an operator of PyTorch that Teff has, got another");
    return bind(run, node.name, *result);
  }
  if (is_assertion(name)) {
    const Value* const condition = argument_of(arguments, "self");
    const bool is_false = condition != nullptr && condition->is_bool() && !condition->as_bool();
    if (is_false) throw FormatError("expected sizes for which the program's assertions hold, got others");
    return;
  }
  if (is_size(name)) {
    const Tensor& tensor = first_tensor(arguments);
    const Value* const dim = argument_of(arguments, "dim");
    if (name == "sym_numel") return bind(run, node.name, tensor.numel());
    if (dim == nullptr || !dim->is_int()) throw FormatError("expected a dimension, got none");
    return bind(run, node.name, tensor.size(dim->as_int()));
  }
  if (is_item(name)) {
    const Tensor& tensor = first_tensor(arguments);
    const Tensor values = is_constant(tensor) ? tensor : values_of(tensor);
    if (!values.defined() || values.numel() != 1) {
      throw UnsupportedError("expected a number that is known before the network runs, got one that is computed");
    }
    const bool is_whole = !is_floating_point(values.dtype());
    return bind(run, node.name, is_whole ? Value(integers_of(values)[0]) : Value(numbers_of(values)[0]));
  }
  if (is_norm(name)) return norm_in_training(run, node, arguments);
  if (name == "detach_") return call_operator(run, node, "detach", std::move(arguments));
  if (is_in_place(name) && find_aten_operator(name) == nullptr) {
    return call_in_place(run, node, without_place(name), std::move(arguments));
  }
  call_operator(run, node, name, std::move(arguments));
}

/// What is computed of constants and sizes alone is computed at once.
TensorList ExportedNetwork::call(Run& run, const ExportedNode& node, const AtenRow& row,
                                 const ExportedArguments& arguments) {
  const auto find_values = [this](const Tensor& tensor) { return values_of(tensor); };
  const ExportedCall call(row, arguments, find_values);
  TensorList results = row.convert(call);
  call.check_asked();
  const auto has_name = [&](const Tensor& tensor) { return by_tensor_.contains(tensor.id()); };
  run.folding.count_constants(results, call.tensors(), has_name);
  const auto is_done = [](const Tensor& tensor) { return !tensor.defined() || is_constant(tensor); };
  if (std::any_of(call.tensors().begin(), call.tensors().end(), is_constant) &&
      !std::all_of(results.begin(), results.end(), is_done)) {
    const ExportedCall known(row, arguments, find_values, true);
    if (std::all_of(known.tensors().begin(), known.tensors().end(), is_done) && run.folding.takes(results)) {
      const detail::NotCapturing now;
      results = row.convert(known);
    }
  }
  const Tensor handle = handle_of(run, node);
  if (!handle.defined()) return results;
  const Tensor now = run.aliases.current(handle);
  if (results.size() == 1 && results[0].defined() && is_same_tensor(results[0], now)) return {handle};
  run.aliases.add_results(row.name, call, handle, now, results);
  return results;
}

/// The first argument as it was made; what changes it in place is seen through the aliases. Undefined if it is none.
Tensor ExportedNetwork::handle_of(const Run& run, const ExportedNode& node) {
  if (node.inputs.empty() || node.inputs[0].second.kind != NameKind::name) return {};
  const auto found = run.names.find(node.inputs[0].second.name);
  return found != run.names.end() && found->second.is_tensor() ? found->second.as_tensor() : Tensor();
}

void ExportedNetwork::call_operator(Run& run, const ExportedNode& node, const std::string& name,
                                    ExportedArguments arguments) {
  const AtenRow* const row = find_aten_operator(name);
  if (row == nullptr) throw UnsupportedError("expected an operator of PyTorch that Teff has, got another");
  bind_all(run, node, call(run, node, *row, arguments), row->gives_list);
}

/// A part's place in what it is of is found by numbers of all its places.
void ExportedNetwork::write_in_place(Run& run, const Tensor& changed, const Tensor& owner, const Tensor& values) {
  if (!is_same_tensor(owner, changed)) {
    if (owner.numel() > run.changed_left) {
      throw UnsupportedError("expected parts of tensors of at most 4194304 elements to be changed in place, got more");
    }
    run.changed_left -= owner.numel();
  }
  if (is_constant(values) && is_constant(run.aliases.current(owner))) {
    const detail::NotCapturing at_once;
    return run.aliases.write(changed, values);
  }
  run.aliases.write(changed, values);
}

/// The result takes the tensor's place in all that comes after.
void ExportedNetwork::call_in_place(Run& run, const ExportedNode& node, const std::string& name,
                                    ExportedArguments arguments) {
  const AtenRow* const row = find_aten_operator(name);
  if (row == nullptr) throw UnsupportedError("expected an operator of PyTorch that Teff has, got another");
  const Tensor changed = handle_of(run, node);
  if (!changed.defined()) throw UnsupportedError("expected a tensor to change in place, got none");
  const Tensor now = run.aliases.current(changed);
  const Tensor owner = run.aliases.owner(changed);
  if (counts_batches(owner)) return bind(run, node.name, changed);  // batch norm does
  if (const auto found = by_tensor_.find(owner.id()); found != by_tensor_.end()) {
    throw UnsupportedError("expected a program that leaves its tensors alone, got one that changes " +
                           in_quotes(state_[found->second].key));
  }
  const ExportedCall given(*row, arguments, [this](const Tensor& tensor) { return values_of(tensor); });
  const TensorList results = row->convert(given);
  given.check_asked();
  if (results.size() != 1) throw UnsupportedError("expected one tensor of an operator in place, got others");
  run.folding.count_constants(results, given.tensors(),
                              [this](const Tensor& tensor) { return by_tensor_.contains(tensor.id()); });
  Tensor values = results[0];
  if (!is_same_tensor(values, now)) {
    if (changes_rank(name)) {
      run.aliases.replace(changed, values);
    } else {
      if (values.shape() != now.shape()) {
        throw FormatError("expected a result of the shape " + to_string(now.shape()) + ", got " +
                          to_string(values.shape()));
      }
      if (values.dtype() != now.dtype()) values = to(values, now.dtype());
      write_in_place(run, changed, owner, values);
    }
  }
  if (node.name.empty()) return;
  if (!run.names.emplace(node.name, changed).second) {
    throw FormatError("expected one value of each name, got " + in_quotes(node.name) + " again");
  }
}

/// Gives the new statistics as results, which the buffers get at the end.
void ExportedNetwork::norm_in_training(Run& run, const ExportedNode& node, const ExportedArguments& arguments) {
  const TensorList results = call(run, node, *find_aten_operator("batch_norm"), arguments);
  bind_all(run, node, {results.at(0)}, false);
  constexpr std::size_t kFirst = 3;
  for (std::size_t i = 0; i < 2; ++i) {
    const Value* const buffer = argument_of(arguments, i == 0 ? "running_mean" : "running_var");
    if (buffer == nullptr || !buffer->is_tensor() || node.outputs.size() <= kFirst + i) continue;
    run.new_statistics.emplace(node.outputs[kFirst + i].name, buffer->as_tensor());
  }
}

}  // namespace teff::serialize
