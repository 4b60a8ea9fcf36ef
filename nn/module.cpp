// SPDX-License-Identifier: MIT
#include "teff/nn/module.h"

#include <ostream>
#include <unordered_set>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/text.h"
#include "teff/nn/module_members.h"

namespace teff::nn {
namespace {

/// The tensors of the state that are parameters, or those that are not, each once.
NamedTensors distinct(const Module& module, bool parameters) {
  NamedTensors result;
  std::unordered_set<const void*> seen;
  for (detail::StateEntry& entry : detail::named_state(module)) {
    if (entry.is_parameter == parameters && seen.insert(entry.tensor.id()).second) {
      result.emplace_back(std::move(entry.name), std::move(entry.tensor));
    }
  }
  return result;
}

std::vector<Tensor> without_names(NamedTensors named) {
  std::vector<Tensor> result;
  result.reserve(named.size());
  for (auto& [name, tensor] : named) result.push_back(std::move(tensor));
  return result;
}

void add_modules(const std::string& path, Module& module, std::unordered_set<Module*>& seen,
                 std::vector<std::pair<std::string, Module*>>& result) {
  if (!seen.insert(&module).second) return;
  result.emplace_back(path, &module);
  for (const auto& [name, child] : detail::members_of(module).children) {
    add_modules(path.empty() ? name : path + '.' + name, *child, seen, result);
  }
}

void indent_lines(std::string& lines, const std::string& text) {
  lines += "\n  ";
  for (const char c : text) {
    lines += c;
    if (c == '\n') lines += "  ";
  }
}

/// Names may come from a file: line ends in them could pass for other lines. Those of extra_repr are indented.
std::string print(const ModuleSummary& summary) {
  const std::string type = teff::detail::escaped(summary.type_name);
  if (summary.children.empty() && summary.extra_repr.find('\n') == std::string::npos) {
    return type + '(' + summary.extra_repr + ')';
  }
  std::string lines;
  if (!summary.extra_repr.empty()) indent_lines(lines, summary.extra_repr);
  for (const ModuleSummary& child : summary.children) {
    indent_lines(lines, '(' + teff::detail::escaped(child.name) + "): " + print(child));
  }
  return type + '(' + lines + "\n)";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ModuleSummary& summary) {
  return out << teff::detail::printable(print(summary));  // it may come from a file
}
std::ostream& operator<<(std::ostream& out, const Module& module) { return out << module.summary(); }

Tensor Module::forward(const Tensor&) {
  throw Error(type_name() + ": expected a class that overrides forward(input), got one that does not");
}

std::vector<Tensor> Module::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 1) {
    throw Error(type_name() + ": expected 1 input (override forward_many to take several), got " +
                std::to_string(inputs.size()));
  }
  return {forward(inputs[0])};
}

Tensor Module::operator()(const Tensor& input) {
  const ScopeGuard scope(this);
  if (hooks_.empty()) return forward(input);
  const std::vector<Tensor> inputs = hooks_.before(*this, {&input, 1});
  expect_one("hooks that leave one input", inputs.size());
  const std::vector<Tensor> outputs = hooks_.after(*this, inputs, {forward(inputs[0])});
  expect_one("hooks that leave one output", outputs.size());
  return outputs[0];
}

std::vector<Tensor> Module::operator()(std::span<const Tensor> inputs) {
  const ScopeGuard scope(this);
  if (hooks_.empty()) return forward_many(inputs);
  const std::vector<Tensor> seen = hooks_.before(*this, inputs);
  return hooks_.after(*this, seen, forward_many(seen));
}

void Module::expect_one(const char* what, std::size_t count) const {
  if (count != 1) throw Error(type_name() + ": expected " + what + ", got " + std::to_string(count));
}

std::vector<Tensor> Module::operator()(std::initializer_list<Tensor> inputs) {
  return (*this)(std::span<const Tensor>(inputs.begin(), inputs.size()));
}

ModuleSummary Module::summary() const {
  ModuleSummary result{"", type_name(), extra_repr(), {}};
  for (const auto& [name, child] : detail::members_of(*this).children) {
    result.children.push_back(child->summary());
    result.children.back().name = name;
  }
  return result;
}

std::vector<Tensor> Module::parameters() const { return without_names(named_parameters()); }
std::vector<Tensor> Module::buffers() const { return without_names(named_buffers()); }
NamedTensors Module::named_parameters() const { return distinct(*this, true); }
NamedTensors Module::named_buffers() const { return distinct(*this, false); }

std::vector<std::pair<std::string, Module*>> Module::named_children() {
  std::vector<std::pair<std::string, Module*>> result;
  std::unordered_set<Module*> seen;
  for (auto& child : detail::members_of(*this).children) {
    if (seen.insert(child.second).second) result.push_back(std::move(child));
  }
  return result;
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  std::vector<std::pair<std::string, Module*>> result;
  std::unordered_set<Module*> seen;
  add_modules("", *this, seen, result);
  return result;
}

std::int64_t Module::num_parameters() const {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

Dict Module::state_dict() const {
  Dict result;
  for (detail::StateEntry& entry : detail::persistent_state(*this)) {
    result.insert(std::move(entry.name), std::move(entry.tensor));
  }
  return result;
}

void Module::train(bool mode) {
  for (const auto& [name, module] : named_modules()) module->set_training(mode);
}

void Module::zero_grad() {
  for (const Tensor& parameter : parameters()) parameter.set_grad({});
}

void Module::requires_grad_(bool requires_grad) {
  for (const Tensor& parameter : parameters()) parameter.requires_grad_(requires_grad);
}

void Module::to(DType dtype) {
  const bool is_half = dtype == DType::float16 || dtype == DType::bfloat16;
  if (!is_computable(dtype) && !is_half) {
    throw TypeError(type_name() + "::to: expected float32, float64, float16 or bfloat16, got " +
                    std::string(to_string(dtype)));
  }
  const NoGradGuard no_grad;
  std::vector<std::pair<Tensor, Tensor>> converted;  // all of them before the first is replaced
  for (const detail::StateEntry& entry : detail::named_state(*this)) {
    if (!is_floating_point(entry.tensor.dtype()) || entry.tensor.dtype() == dtype) continue;
    converted.emplace_back(entry.tensor, entry.tensor.to(dtype));
  }
  for (const auto& [tensor, value] : converted) {
    if (is_half) tensor.requires_grad_(false);
    tensor.set_data(value);
  }
  for (const auto& [name, module] : named_modules()) module->set_dtype(dtype);
}

void Module::apply(const std::function<void(Module&)>& function) {
  if (!function) throw TypeError(type_name() + ": expected a function to apply, got an empty one");
  for (const auto& [name, child] : named_children()) child->apply(function);
  function(*this);
}

std::shared_ptr<Module> Module::copy_handles() const {
  throw Error(type_name() + ": expected a class that can be copied and has TEFF_MODULE, got one that does not");
}

}  // namespace teff::nn
