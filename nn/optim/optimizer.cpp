// SPDX-License-Identifier: MIT
#include "teff/nn/optim/optimizer.h"

#include <cmath>
#include <unordered_set>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::optim {

using nn::detail::quoted;

ParameterList::ParameterList(const NamedTensors& parameters) {
  for (const auto& [name, tensor] : parameters) {
    names.push_back(name);
    tensors.push_back(tensor);
  }
}

Optimizer::Optimizer(std::string name, std::vector<std::string_view> slots, std::vector<ParameterList> groups)
    : name_(std::move(name)), slots_(std::move(slots)), groups_(std::move(groups)) {
  check_parameters();
  state_.assign(first_parameter(groups_.size()), std::vector<Tensor>(slots_.size()));
}

void Optimizer::check_parameters() const {
  std::unordered_set<const void*> seen;
  for (const ParameterList& group : groups_) {
    if (group.tensors.empty()) throw ValueError(name_ + ": optimizer got an empty parameter list");
    std::unordered_set<const void*> in_group;
    for (const Tensor& tensor : group.tensors) {
      if (!tensor.defined()) throw TypeError(name_ + ": expected defined parameters, got an undefined one");
      if (!is_computable(tensor.dtype())) {
        throw TypeError(name_ + ": expected parameters of float32 or float64, got one of " +
                        std::string(to_string(tensor.dtype())));
      }
      if (!tensor.is_leaf()) throw ValueError(name_ + ": can't optimize a non-leaf Tensor");
      if (!in_group.insert(tensor.impl().get()).second) {
        throw ValueError(name_ + ": optimizer contains a parameter group with duplicate parameters");
      }
      if (!seen.insert(tensor.impl().get()).second) {
        throw ValueError(name_ + ": some parameters appear in more than one parameter group");
      }
    }
    if (group.names.empty()) continue;
    const std::unordered_set<std::string_view> names(group.names.begin(), group.names.end());
    if (names.size() != group.tensors.size()) {
      throw ValueError(name_ + ": expected a name of its own for each parameter, got " + std::to_string(names.size()) +
                       " names for " + std::to_string(group.tensors.size()) + " parameters");
    }
  }
  if (groups_.empty()) throw ValueError(name_ + ": optimizer got an empty parameter list");
}

void Optimizer::zero_grad() const {
  for (const ParameterList& group : groups_) {
    for (const Tensor& parameter : group.tensors) parameter.set_grad({});
  }
}

std::size_t Optimizer::first_parameter(std::size_t group) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < group; ++i) first += groups_[i].tensors.size();
  return first;
}

Dict Optimizer::state_dict() const {
  Dict all_state;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    Dict of_parameter;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (state_[i][slot].defined()) of_parameter.insert(std::string(slots_[slot]), state_[i][slot]);
    }
    if (!of_parameter.empty()) all_state.insert(std::to_string(i), std::move(of_parameter));
  }
  List groups;
  std::size_t place = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Dict group = group_options(i);
    List params;
    while (params.size() < groups_[i].tensors.size()) params.emplace_back(place++);
    group.insert("params", std::move(params));
    const auto& names = groups_[i].names;
    if (!names.empty()) group.insert("param_names", List(names.begin(), names.end()));
    groups.push_back(std::move(group));
  }
  return {{"state", std::move(all_state)}, {"param_groups", std::move(groups)}};
}

void Optimizer::refuse(const std::string& text) const { throw StateDictError(name_ + ": " + text); }

/// `parameter 3 ("conv1.weight")`
std::string Optimizer::describe(std::size_t place) const {
  std::string text = "parameter " + std::to_string(place);
  for (const ParameterList& group : groups_) {
    if (place < group.tensors.size()) {
      return group.names.empty() ? text : text + " (" + quoted(group.names[place]) + ')';
    }
    place -= group.tensors.size();
  }
  return text;
}

void Optimizer::load_state_dict(const Dict& state_dict) {
  State state;
  try {
    const List& saved_groups = state_dict.at("param_groups").as_list();
    std::vector<std::string> ids;
    const std::vector<std::size_t> places = match(saved_groups, ids);
    state = read_state(state_dict.at("state").as_dict(), ids, places);
    std::vector<Dict> options;
    for (const Value& group : saved_groups) {
      options.push_back(group.as_dict());
      options.back().erase("params");
      options.back().erase("param_names");
    }
    set_group_options(options);  // the last that can fail
  } catch (const StateDictError&) {
    throw;
  } catch (const Error& error) {
    throw StateDictError(name_ + ": loaded state dict is not valid: " + error.what());
  }
  state_ = std::move(state);
}

/// For each parameter of the dict, in its order, the place of ours; `ids` gets what the dict calls it.
std::vector<std::size_t> Optimizer::match(const List& saved_groups, std::vector<std::string>& ids) const {
  if (saved_groups.size() != groups_.size()) {
    refuse("loaded state dict has a different number of parameter groups: expected " + std::to_string(groups_.size()) +
           ", got " + std::to_string(saved_groups.size()));
  }
  std::vector<std::size_t> places;
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Dict& saved = saved_groups[i].as_dict();
    const List& params = saved.at("params").as_list();
    if (params.size() != groups_[i].tensors.size()) {
      refuse("loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
             "expected " +
             std::to_string(groups_[i].tensors.size()) + " parameters in group " + std::to_string(i) + ", got " +
             std::to_string(params.size()));
    }
    for (const Value& id : params) {
      ids.push_back(id.is_text() ? id.as_text() : std::to_string(id.as_int()));
      if (!seen.insert(ids.back()).second) refuse("loaded state dict lists parameter " + ids.back() + " twice");
    }
    match_group(saved, i, places);
  }
  return places;
}

/// By name where both sides know names, else by order.
void Optimizer::match_group(const Dict& saved, std::size_t group, std::vector<std::size_t>& places) const {
  const std::vector<std::string>& names = groups_[group].names;
  const std::size_t first = places.size();
  const Value* saved_names = saved.find("param_names");
  if (names.empty() || saved_names == nullptr || saved_names->is_none()) {
    for (std::size_t i = 0; i < groups_[group].tensors.size(); ++i) places.push_back(first + i);
    return;
  }
  std::unordered_set<std::string_view> used;
  for (const Value& saved_name : saved_names->as_list()) {
    const std::string& name = saved_name.as_text();
    std::size_t i = 0;
    while (i < names.size() && names[i] != name) ++i;
    if (i == names.size() || !used.insert(name).second) {
      refuse("loaded state dict contains parameter " + quoted(name) + " in group " + std::to_string(group) +
             (i == names.size() ? ", which the optimizer does not have there" : " twice"));
    }
    places.push_back(first + i);
  }
  if (used.size() != names.size()) {
    refuse("loaded state dict contains " + std::to_string(used.size()) + " names for the " +
           std::to_string(names.size()) + " parameters of group " + std::to_string(group));
  }
}

Optimizer::State Optimizer::read_state(const Dict& saved, std::span<const std::string> ids,
                                       std::span<const std::size_t> places) const {
  State state(state_.size(), std::vector<Tensor>(slots_.size()));
  std::size_t found = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value* of_parameter = saved.find(ids[i]);
    if (of_parameter == nullptr) continue;
    ++found;
    read_parameter(of_parameter->as_dict(), places[i], state);
  }
  if (found != saved.size()) {
    refuse("loaded state dict contains the state of " + std::to_string(saved.size() - found) +
           " parameters that no parameter group lists");
  }
  return state;
}

void Optimizer::read_parameter(const Dict& saved, std::size_t place, State& state) const {
  std::size_t index = place, group = 0;
  while (index >= groups_[group].tensors.size()) index -= groups_[group++].tensors.size();
  const Tensor& parameter = groups_[group].tensors[index];
  for (const auto& [key, value] : saved) {
    std::size_t slot = 0;
    while (slot < slots_.size() && slots_[slot] != key) ++slot;
    if (slot == slots_.size()) {
      refuse("loaded state dict contains " + quoted(key) + " for " + describe(place) + ", which " + name_ +
             " does not know");
    }
    if (value.is_none()) continue;
    const Tensor& tensor = value.as_tensor();
    const std::string what = key + " of " + describe(place);
    if (!tensor.defined() || tensor.shape() != parameter.shape()) {
      refuse("size mismatch for " + what + ": copying a tensor with shape " +
             (tensor.defined() ? to_string(tensor.shape()) : "undefined") +
             " from checkpoint, the shape of the parameter is " + to_string(parameter.shape()));
    }
    const Tensor as_double = tensor.to(DType::float64);
    for (const double number : as_double.span<double>()) {
      if (!std::isfinite(number)) refuse(what + " is not finite");
    }
    state[place][slot] = tensor.detach().to(parameter.dtype()).clone();
  }
}

}  // namespace teff::optim
