// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"
#include "teff/engine/tensor.h"

namespace teff::optim {

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

/// Base of the optimisers: parameters in groups that differ in their options, and tensors of state per parameter.
/// Holds handles of the parameters. A copy shares them, and the state that there is.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Updates the parameters by their gradients; those without a gradient are left alone.
  virtual void step() = 0;
  /// Removes the gradients of all parameters.
  void zero_grad() const;

  std::size_t num_groups() const { return groups_.size(); }
  const std::vector<Tensor>& parameters(std::size_t group = 0) const { return groups_.at(group).tensors; }

  /// PyTorch's form: {"state": {"0": {"momentum_buffer": tensor}}, "param_groups": [{"lr": 0.1, ..., "params": [0]}]}.
  /// Parameters are numbered through all groups. Tensors are handles.
  Dict state_dict() const;
  /// Takes over options and copies of the state, all or nothing; parameters with names are matched by name.
  /// @throws StateDictError if groups, sizes, names, shapes or options do not fit, or a value is not finite; the
  /// optimiser is then what it was.
  void load_state_dict(const Dict& state_dict);

 protected:
  /// `name` begins error messages; `slots` names the tensors of state, each of its parameter's shape.
  /// @throws ValueError if there is no parameter, one occurs twice or is not a leaf, or names are missing or repeated;
  /// TypeError for an undefined one or one that is not float32 or float64.
  Optimizer(std::string name, std::vector<std::string_view> slots, std::vector<ParameterList> groups);
  Optimizer(const Optimizer&) = default;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(const Optimizer&) = default;
  Optimizer& operator=(Optimizer&&) = default;

  /// State `slot` of a parameter, undefined at first.
  Tensor& state(std::size_t group, std::size_t parameter, std::size_t slot) {
    return state_[first_parameter(group) + parameter][slot];
  }
  const std::string& name() const { return name_; }

  /// The options of a group by name.
  virtual Dict group_options(std::size_t group) const = 0;
  /// Takes over the options of all groups. @throws ValueError, TypeError, and changes nothing, if one is not valid.
  virtual void set_group_options(const std::vector<Dict>& groups) = 0;

 private:
  using State = std::vector<std::vector<Tensor>>;  // by parameter and slot

  std::size_t first_parameter(std::size_t group) const;
  void check_parameters() const;
  std::vector<std::size_t> match(const List& saved_groups, std::vector<std::string>& ids) const;
  void match_group(const Dict& saved, std::size_t group, std::vector<std::size_t>& places) const;
  State read_state(const Dict& saved, std::span<const std::string> ids, std::span<const std::size_t> places) const;
  void read_parameter(const Dict& saved, std::size_t place, State& state) const;
  std::string describe(std::size_t place) const;
  [[noreturn]] void refuse(const std::string& text) const;

  std::string name_;
  std::vector<std::string_view> slots_;
  std::vector<ParameterList> groups_;
  State state_;
};

}  // namespace teff::optim
