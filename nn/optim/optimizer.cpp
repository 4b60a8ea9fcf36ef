// SPDX-License-Identifier: MIT
#include "teff/nn/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/nn/optim/option_checks.h"
#include "teff/nn/text.h"

namespace teff::optim {
namespace {

using nn::detail::quoted;

/// How PyTorch computes: nothing of it changes a step.
constexpr const char* kNotOptions[] = {"params", "param_names", "foreach", "differentiable", "capturable", "fused"};
constexpr const char* kScheduleKeys[] = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr"};

/// The largest count up to which every integer is a float, and a double.
constexpr std::int64_t kFloatIntegers = std::int64_t{1} << 24, kDoubleIntegers = std::int64_t{1} << 53;

/// PyTorch counts in float32; where that stands still, a double goes on.
Value step_value(StateLayout::Step form, std::int64_t step) {
  if (form == StateLayout::Step::number) return step;
  const Tensor tensor = scalar_tensor<double>(static_cast<double>(step));
  return step <= kFloatIntegers ? tensor.to(DType::float32) : tensor;
}

/// The number of a state dict's step, -1 if it is none.
std::int64_t read_step(const Value& value) {
  double step = -1;
  if (value.is_tensor()) {
    const Tensor& tensor = value.as_tensor();
    if (tensor.defined() && tensor.numel() == 1) step = tensor.item<double>();
  } else {
    step = value.as_float();
  }
  const bool whole = step >= 0 && step <= static_cast<double>(kDoubleIntegers) && step == std::floor(step);
  return whole ? static_cast<std::int64_t>(step) : -1;
}

}  // namespace

ParameterList::ParameterList(const NamedTensors& parameters) {
  for (const auto& [name, tensor] : parameters) {
    names.push_back(name);
    tensors.push_back(tensor);
  }
}

Optimizer::Optimizer(std::string name, StateLayout layout, std::vector<ParameterList> groups)
    : name_(std::move(name)), layout_(std::move(layout)), groups_(std::move(groups)), schedules_(groups_.size()) {
  check_parameters();
  state_ = no_state();
}

Optimizer::State Optimizer::no_state() const {
  return State(first_parameter(groups_.size()), {.tensors = std::vector<Tensor>(layout_.tensors.size())});
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
      if (!in_group.insert(tensor.id()).second) {
        throw ValueError(name_ + ": optimizer contains a parameter group with duplicate parameters");
      }
      if (!seen.insert(tensor.id()).second) {
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

void Optimizer::set_lr(double lr) {
  for (std::size_t group = 0; group < num_groups(); ++group) set_lr(lr, group);
}

const Tensor& Optimizer::slot(std::size_t group, std::size_t parameter, std::size_t slot, double value) {
  Tensor& tensor = state(group, parameter).tensors[slot];
  const Tensor& like = groups_[group].tensors[parameter];
  if (tensor.defined()) return tensor;
  const bool scalar = layout_.tensors[slot].scalar;
  tensor = full(scalar ? Shape() : like.shape(), value, {.dtype = scalar ? DType::float32 : like.dtype()});
  return tensor;
}

std::size_t Optimizer::first_parameter(std::size_t group) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < group; ++i) first += groups_[i].tensors.size();
  return first;
}

void Optimizer::for_each_gradient(
    const std::function<void(std::size_t, std::size_t, const Tensor&, const Tensor&)>& update) {
  const NoGradGuard no_grad;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    for (std::size_t i = 0; i < groups_[group].tensors.size(); ++i) {
      const Tensor& parameter = groups_[group].tensors[i];
      if (!parameter.grad().defined()) continue;
      ++state(group, i).step;
      update(group, i, parameter, parameter.grad());
    }
  }
}

void Optimizer::add_parameters(ParameterList group) {
  groups_.push_back(std::move(group));
  try {
    check_parameters();
  } catch (...) {
    groups_.pop_back();
    throw;
  }
  schedules_.emplace_back();
  state_.resize(first_parameter(groups_.size()), {.tensors = std::vector<Tensor>(layout_.tensors.size())});
}

Dict Optimizer::state_of(const ParameterState& state) const {
  Dict dict;
  const auto defined = [](const Tensor& tensor) { return tensor.defined(); };
  if (std::none_of(state.tensors.begin(), state.tensors.end(), defined)) return dict;
  if (layout_.step != StateLayout::Step::none) dict.insert("step", step_value(layout_.step, state.step));
  for (std::size_t i = 0; i < layout_.tensors.size(); ++i) {
    if (state.tensors[i].defined()) dict.insert(std::string(layout_.tensors[i].name), state.tensors[i]);
  }
  return dict;
}

Dict Optimizer::state_dict() const {
  Dict all_state;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    Dict of_parameter = state_of(state_[i]);
    if (!of_parameter.empty()) all_state.insert(std::to_string(i), std::move(of_parameter));
  }
  add_own_state(all_state);
  List groups;
  std::size_t place = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Dict group = group_options(i);
    for (const auto& [key, value] : layout_.constants) group.insert(key, value);
    for (const auto& [key, value] : schedules_[i]) group.insert(key, value);
    List params;
    while (params.size() < groups_[i].tensors.size()) params.emplace_back(place++);
    group.insert("params", std::move(params));
    const auto& names = groups_[i].names;
    if (!names.empty()) group.insert("param_names", List(names.begin(), names.end()));
    groups.push_back(std::move(group));
  }
  return {{"state", std::move(all_state)}, {"param_groups", std::move(groups)}};
}

void Optimizer::refuse_group(std::size_t group) const {
  throw IndexError(name_ + ": expected a group below " + std::to_string(groups_.size()) + ", got " +
                   std::to_string(group));
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

Commit Optimizer::prepare_load(const Dict& state_dict) {
  return detail::prepared(name_, [&] { return prepare(state_dict); });
}

Commit Optimizer::prepare(const Dict& state_dict) {
  const List& saved_groups = state_dict.at("param_groups").as_list();
  std::vector<std::string> ids;
  const std::vector<std::size_t> places = match(saved_groups, ids);
  Dict saved_state = state_dict.at("state").as_dict();
  Commit set_own = take_own_state(saved_state);
  State state = read_state(saved_state, ids, places);
  std::vector<Dict> options, schedules = schedules_;
  for (const Value& saved : saved_groups) {
    Dict group = saved.as_dict();
    for (const char* key : kNotOptions) group.erase(key);
    for (const char* key : kScheduleKeys) {
      const Value* value = group.find(key);
      if (value != nullptr) schedules[options.size()][key] = value->as_float();
      group.erase(key);
    }
    options.push_back(std::move(group));
  }
  return [this, state = std::move(state), schedules = std::move(schedules), set_own = std::move(set_own),
          set_options = prepare_group_options(options)]() mutable {
    state_ = std::move(state);
    set_own();
    schedules_ = std::move(schedules);
    set_options();
  };
}

/// For each parameter of the dict, in its order, the place of ours; `ids` gets what the dict calls it.
std::vector<std::size_t> Optimizer::match(const List& saved_groups, std::vector<std::string>& ids) const {
  if (saved_groups.size() != groups_.size()) {
    refuse("loaded state dict has a different number of parameter groups: expected " + std::to_string(groups_.size()) +
           ", got " + std::to_string(saved_groups.size()));
  }
  std::vector<std::size_t> places;
  std::set<std::string> seen;
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
  std::set<std::string_view> used;
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
  State state = no_state();
  std::size_t found = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value* of_parameter = saved.find(ids[i]);
    if (of_parameter == nullptr) continue;
    ++found;
    read_parameter(of_parameter->as_dict(), places[i], state[places[i]]);
  }
  if (found != saved.size()) {
    refuse("loaded state dict contains the state of " + std::to_string(saved.size() - found) +
           " parameters that no parameter group lists");
  }
  return state;
}

void Optimizer::read_parameter(const Dict& saved, std::size_t place, ParameterState& state) const {
  bool has_step = false;
  for (const auto& [key, value] : saved) {
    if (key == "step" && layout_.step != StateLayout::Step::none) {
      state.step = read_step(value);
      if (state.step < 0) refuse("step of " + describe(place) + " is not a count");
      has_step = true;
      continue;
    }
    std::size_t slot = 0;
    while (slot < layout_.tensors.size() && layout_.tensors[slot].name != key) ++slot;
    if (slot == layout_.tensors.size()) {
      refuse("loaded state dict contains " + quoted(key) + " for " + describe(place) + ", which " + name_ +
             " does not know");
    }
    if (!value.is_none()) state.tensors[slot] = read_slot(value, layout_.tensors[slot], place);
  }
  check_complete(state, has_step, place);
}

Tensor Optimizer::read_slot(const Value& value, const Slot& slot, std::size_t place) const {
  const Tensor& parameter = parameter_at(place);
  const Tensor& tensor = value.as_tensor();
  const std::string what = std::string(slot.name) + " of " + describe(place);
  const Shape shape = slot.scalar ? Shape() : parameter.shape();
  if (!tensor.defined() || tensor.shape() != shape) {
    refuse("size mismatch for " + what + ": copying a tensor with shape " +
           (tensor.defined() ? to_string(tensor.shape()) : "undefined") + " from checkpoint, the shape of the " +
           (slot.scalar ? "number is " : "parameter is ") + to_string(shape));
  }
  const Tensor as_double = tensor.to(DType::float64);
  for (const double number : as_double.span<double>()) {
    if (!std::isfinite(number)) refuse(what + " is not finite");
    if (slot.non_negative && number < 0) refuse(what + " is negative");
  }
  return tensor.detach().to(slot.scalar ? DType::float32 : parameter.dtype()).clone();
}

/// Half a state would be completed with zeros, which is another run.
void Optimizer::check_complete(const ParameterState& state, bool has_step, std::size_t place) const {
  bool any = has_step;
  for (const Tensor& tensor : state.tensors) any = any || tensor.defined();
  if (!any) return;
  if (layout_.step != StateLayout::Step::none && !has_step) {
    refuse("loaded state dict lacks \"step\" for " + describe(place));
  }
  for (std::size_t i = 0; i < layout_.tensors.size(); ++i) {
    if (layout_.tensors[i].required && !state.tensors[i].defined()) {
      refuse("loaded state dict lacks " + quoted(layout_.tensors[i].name) + " for " + describe(place));
    }
  }
}

const Tensor& Optimizer::parameter_at(std::size_t place) const {
  std::size_t group = 0;
  while (place >= groups_[group].tensors.size()) place -= groups_[group++].tensors.size();
  return groups_[group].tensors[place];
}

}  // namespace teff::optim
