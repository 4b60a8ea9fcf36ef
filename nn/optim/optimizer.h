// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"
#include "teff/engine/tensor.h"
#include "teff/nn/load_report.h"

namespace TEFF_EXPORT teff {
namespace optim {

/// The parameters of a group: `net.parameters()`, or `net.named_parameters()`, whose names then go into the state
/// dict and are compared when it is loaded.
struct ParameterList {
  ParameterList() = default;
  ParameterList(std::vector<Tensor> parameters) : tensors(std::move(parameters)) {}
  ParameterList(std::initializer_list<Tensor> parameters) : tensors(parameters) {}
  ParameterList(const NamedTensors& parameters);

  std::vector<Tensor> tensors;
  std::vector<std::string> names;  // as many as tensors, or none
};

/// A tensor of state that an optimiser keeps for each parameter, of the parameter's shape and dtype.
struct Slot {
  std::string_view name;
  bool required = false;      // there whenever there is any state
  bool non_negative = false;  // a sum or mean of squares
  bool scalar = false;        // one number for the whole parameter, float32 in a tensor without dimensions
};

/// What an optimiser keeps for each parameter, and how a state dict shows it.
struct StateLayout {
  enum class Step { none, number, tensor };

  Step step = Step::none;  // "step", the count of the parameter's steps: an integer, or a tensor without dimensions
  std::vector<Slot> tensors;
  Dict constants = {};  // entries that PyTorch has in each group and that change nothing here
};

struct LoadOptimizerOptions {
  bool strict = true;  // everything must fit
};

/// What a load that is not strict did: parameters as "3", or by name where there are names.
struct OptimizerLoadReport {
  std::vector<std::string> loaded;   // their state was taken over
  std::vector<std::string> fresh;    // of this optimiser: no state that fits
  std::vector<std::string> ignored;  // of the dict: no such parameter, or a state that does not fit
};

/// Base of the optimisers: parameters in groups that differ in their options, and state per parameter. Holds handles
/// of the parameters. A copy shares them, and the state that there is.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Updates the parameters by their gradients; those without a gradient are left alone.
  virtual void step() = 0;
  /// Removes the gradients of all parameters.
  void zero_grad() const;

  const std::string& name() const { return name_; }
  std::size_t num_groups() const { return groups_.size(); }
  // Groups count from 0. All functions that take one throw IndexError for one that is not there.

  const std::vector<Tensor>& parameters(std::size_t group = 0) const { return groups_[checked(group)].tensors; }

  // What schedulers change. @throws ValueError for a number that the options do not take.
  virtual double lr(std::size_t group = 0) const = 0;
  virtual void set_lr(double lr, std::size_t group) = 0;
  /// Sets the learning rate of all groups.
  void set_lr(double lr);
  /// Momentum, or Adam's first beta; nothing if the optimiser has neither.
  virtual std::optional<double> momentum(std::size_t group = 0) const = 0;
  virtual void set_momentum(double momentum, std::size_t group) = 0;
  /// What schedulers remember about a group; saved with it, under PyTorch's names: "initial_lr", "max_lr", ...
  Dict& schedule(std::size_t group) { return schedules_[checked(group)]; }

  /// PyTorch's form: {"state": {"0": {"momentum_buffer": tensor}}, "param_groups": [{"lr": 0.1, ..., "params": [0]}]}.
  /// Parameters are numbered through all groups. Tensors are handles.
  Dict state_dict() const;
  /// Takes over options and copies of the state, all or nothing; parameters with names are matched by name.
  /// @throws StateDictError if groups, sizes, names, shapes or options do not fit, or a value is not finite; the
  /// optimiser is then what it was.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// Takes over what fits: the state of each parameter that is found (by name where both sides know names, else by its
  /// place) with the right shapes, and the options of groups that are there; the rest begins anew. For a network of
  /// which a part was exchanged. @throws StateDictError for a dict that is none of such an optimiser.
  OptimizerLoadReport load_state_dict(const Dict& state_dict, const LoadOptimizerOptions& options);
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 protected:
  struct ParameterState {
    std::int64_t step = 0;        // steps that this parameter has made
    std::vector<Tensor> tensors;  // undefined at first
  };

  /// `name` begins error messages.
  /// @throws ValueError if there is no parameter, one occurs twice or is not a leaf, or names are missing or repeated;
  /// TypeError for an undefined one or one that is not float32 or float64.
  Optimizer(std::string name, StateLayout layout, std::vector<ParameterList> groups);
  Optimizer(const Optimizer&) = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(const Optimizer&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  ParameterState& state(std::size_t group, std::size_t parameter) { return state_[first_parameter(group) + parameter]; }
  /// The group. @throws IndexError if it is not there.
  std::size_t checked(std::size_t group) const {
    if (group >= groups_.size()) refuse_group(group);
    return group;
  }
  /// A slot, filled with `value` if it was undefined.
  const Tensor& slot(std::size_t group, std::size_t parameter, std::size_t slot, double value = 0);

  /// Calls update(group, i, parameter, gradient) under NoGradGuard for each parameter that has a gradient, when its
  /// step has been counted.
  void for_each_gradient(
      const std::function<void(std::size_t group, std::size_t i, const Tensor& parameter, const Tensor& grad)>& update);

  /// What an optimiser keeps beside the slots: entries of state dicts.
  virtual void add_own_state(Dict& state) const { static_cast<void>(state); }
  /// Takes its entries out of a state dict's "state". The result takes them over; it cannot fail.
  virtual Commit take_own_state(Dict& state) {
    static_cast<void>(state);
    return [] {};
  }

  /// A further group, without options: OptimizerOf's add_param_group. @throws as the constructor; the groups are then
  /// what they were.
  void add_parameters(ParameterList group);

  /// The options of a group by name.
  virtual Dict group_options(std::size_t group) const = 0;
  /// What takes over the options of all groups. @throws ValueError, TypeError if one is not valid.
  virtual Commit prepare_group_options(const std::vector<Dict>& groups) = 0;

 private:
  using State = std::vector<ParameterState>;

  State no_state() const;
  std::size_t first_parameter(std::size_t group) const;
  void check_parameters() const;
  Dict state_of(const ParameterState& state) const;
  Commit prepare(const Dict& state_dict);
  std::string id_of(std::size_t place) const;
  Dict fitting_part(const Dict& state_dict, std::vector<std::string>& ignored) const;
  bool fits(const Dict& saved, std::size_t place) const;
  std::vector<std::size_t> match(const List& saved_groups, std::vector<std::string>& ids) const;
  void match_group(const Dict& saved, std::size_t group, std::vector<std::size_t>& places) const;
  State read_state(const Dict& saved, std::span<const std::string> ids, std::span<const std::size_t> places) const;
  void read_parameter(const Dict& saved, std::size_t place, ParameterState& state) const;
  Tensor read_slot(const Value& value, const Slot& slot, std::size_t place) const;
  void check_complete(const ParameterState& state, bool has_step, std::size_t place) const;
  const Tensor& parameter_at(std::size_t place) const;
  std::string describe(std::size_t place) const;
  [[noreturn]] void refuse(const std::string& text) const;
  [[noreturn]] void refuse_group(std::size_t group) const;

  std::string name_;
  StateLayout layout_;
  std::vector<ParameterList> groups_;
  std::vector<Dict> schedules_;  // by group
  State state_;                  // by parameter
};

}  // namespace optim
}  // namespace teff
