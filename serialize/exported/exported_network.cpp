// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_network.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/exported/exported_targets.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

using StateRole = ExportedState::Role;

constexpr std::size_t kMaxRuns = 64;  // of all nodes
constexpr std::size_t kShownNames = 10;

std::string quoted_key(const std::string& key) { return '"' + escaped(key, 100) + '"'; }

}  // namespace

ExportedNetwork::ExportedNetwork(ExportedProgram program, std::unique_ptr<Contents> state_dict,
                                 std::unique_ptr<Contents> constants)
    : program_(std::move(program)), state_dict_(std::move(state_dict)), constants_(std::move(constants)) {
  calls_left_ = kMaxRuns * (program_.nodes.size() + 64);
  check_operators();
  add_state_dict();
  add_inputs();
}

void ExportedNetwork::check_operators() const {
  std::string names;
  std::set<std::string> missing;
  for (const ExportedNode& node : program_.nodes) {
    if (is_known_target(node.target) || !missing.insert(node.target).second) continue;
    if (missing.size() <= kShownNames) names += (names.empty() ? "" : ", ") + describe(node);
  }
  if (missing.empty()) return;
  if (missing.size() > kShownNames) names += " and " + std::to_string(missing.size() - kShownNames) + " other ones";
  throw UnsupportedError("expected operators of PyTorch that Teff has, got " + names);
}

/// All keys, also those that no node reads.
void ExportedNetwork::add_state_dict() {
  std::set<std::string> parameters;
  for (const ExportedInput& input : program_.inputs) {
    if (input.role == ExportedInput::Role::parameter) parameters.insert(input.target);
  }
  for (const auto& [key, value] : state_dict_->structure) {
    if (!value.is_tensor()) continue;
    add_state(*state_dict_, value.as_tensor(), key,
              parameters.contains(key) ? StateRole::parameter : StateRole::buffer);
  }
}

/// Tensors of whole numbers have their values, for they may be indices and sizes.
std::size_t ExportedNetwork::add_state(const Contents& contents, const Tensor& stored, const std::string& key,
                                       StateRole role) {
  const std::size_t place = state_.size();
  if (!by_key_.emplace(key, place).second)
    throw FormatError("expected one tensor of each name, got " + quoted_key(key));
  ExportedState state{key, {}, stored, &contents, role};
  const auto storage = std::tuple(&contents, contents.place_of(stored).storage);
  const auto shared = by_storage_.find(storage);
  if (shared != by_storage_.end() && role != StateRole::constant &&
      state_[shared->second].role != StateRole::constant && state_[shared->second].stored.type() == stored.type()) {
    state.shares = shared->second;
    state.tensor = state_[shared->second].tensor;
    if (role == StateRole::parameter) state_[shared->second].role = role;  // the signature names one of its keys
    state.role = state_[shared->second].role;
  } else if (role == StateRole::constant || !is_computable(stored.dtype())) {
    state.tensor = contents.read(std::span(&stored, 1))[0];
    values_.emplace(place, state.tensor);
  } else {
    state.tensor = detail::make_without_values(stored.type());
  }
  by_storage_.emplace(storage, place);
  by_tensor_.emplace(state.tensor.id(), place);
  state_.push_back(std::move(state));
  return place;
}

void ExportedNetwork::add_inputs() {
  using InputRole = ExportedInput::Role;
  const auto find = [](const Contents& contents, const std::string& key) -> const Tensor* {
    const Value* const value = contents.structure.find(key);
    return value != nullptr && value->is_tensor() ? &value->as_tensor() : nullptr;
  };
  for (const ExportedInput& input : program_.inputs) {
    if (input.role == InputRole::fixed) {
      if (!input.name.empty()) initial_.emplace(input.name, input.value);
      continue;
    }
    if (input.role == InputRole::user) {
      const ExportedMeta& of = meta(input.name);
      static_cast<void>(exported_dtype(of.dtype));
      inputs_.push_back(&input);
      continue;
    }
    auto known = by_key_.find(input.target);
    if (known == by_key_.end()) {
      const Tensor* const stored = find(*constants_, input.target);
      if (stored == nullptr) {
        throw FormatError("expected a tensor for " + quoted_key(input.target) + " in the file, got none");
      }
      add_state(*constants_, *stored, input.target, StateRole::constant);
      known = by_key_.find(input.target);
    }
    const Tensor& tensor = state_[known->second].tensor;
    if (!initial_.emplace(input.name, tensor).second) {
      throw FormatError("expected one input of each name, got " + quoted_key(input.name) + " again");
    }
  }
}

const ExportedMeta& ExportedNetwork::meta(const std::string& name) const {
  const auto found = program_.metas.find(name);
  if (found == program_.metas.end()) throw FormatError("expected the type of " + quoted_key(name) + ", got none");
  return found->second;
}

teff::NamedTensors ExportedNetwork::attributes() const {
  teff::NamedTensors named;
  for (const ExportedState& one : state_) {
    if (!one.shares) named.emplace_back(one.key, one.tensor);
  }
  return named;
}

detail::ScopeNames ExportedNetwork::scopes() const {
  detail::ScopeNames names;
  for (const ExportedNode& node : program_.nodes) names.emplace_back(&node, node.scope);
  return names;
}

bool ExportedNetwork::is_training() const {
  return std::any_of(program_.nodes.begin(), program_.nodes.end(), [](const ExportedNode& node) {
    const auto is_told = [&](std::string_view name, ExportedValue::Kind kind) {
      return std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& input) {
        const ExportedValue& value = input.second;
        if (input.first != name || value.kind != kind) return false;
        return kind == ExportedValue::Kind::name || (value.value.is_bool() && value.value.as_bool());
      });
    };
    // Without statistics there is nothing but what training does: it is an instance norm.
    return is_told("train", ExportedValue::Kind::value) ||
           (is_told("training", ExportedValue::Kind::value) && is_told("running_mean", ExportedValue::Kind::name));
  });
}

Tensor ExportedNetwork::values_of(const Tensor& tensor) {
  const auto found = by_tensor_.find(tensor.id());
  if (found == by_tensor_.end()) return {};
  const ExportedState& state = state_[found->second];
  Tensor& values = values_[found->second];
  if (!values.defined()) values = state.contents->read(std::span(&state.stored, 1))[0];
  return values;
}

}  // namespace teff::serialize
