// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/fields.h"
#include "teff/nn/optim/optimizer.h"

namespace TEFF_EXPORT teff {
namespace optim {

/// The parameters of a group and the options that hold for them.
template <class Options>
struct ParameterGroup {
  ParameterList params;
  Options options = {};
};

/// An optimiser by its Options: a struct with fields() (see fields.h), among them lr, and with check(owner), which
/// throws ValueError unless they are valid. A field momentum, or betas, is what set_momentum sets.
template <class Options>
class OptimizerOf : public Optimizer {
 public:
  using Group = ParameterGroup<Options>;

  const Options& options(std::size_t group = 0) const { return options_[checked(group)]; }
  /// @throws ValueError as the constructor.
  void set_options(const Options& options, std::size_t group = 0) {
    options.check(name());
    options_[checked(group)] = options;
  }

  /// One more group, for parameters that join later: a layer that is no longer frozen. Schedulers made before
  /// leave it alone. @throws what the constructor throws; the optimiser is then what it was.
  void add_param_group(Group group) {
    group.options.check(name());
    options_.reserve(options_.size() + 1);
    add_parameters(std::move(group.params));
    options_.push_back(group.options);
    on_new_group(num_groups() - 1);
  }

  double lr(std::size_t group = 0) const override { return options(group).lr; }
  using Optimizer::set_lr;
  void set_lr(double lr, std::size_t group) override {
    Options changed = options(group);
    changed.lr = lr;
    set_options(changed, group);
  }

  std::optional<double> momentum(std::size_t group = 0) const override {
    if constexpr (requires(Options o) { o.momentum; }) {
      return options(group).momentum;
    } else if constexpr (requires(Options o) { o.betas; }) {
      return options(group).betas[0];
    } else {
      return std::nullopt;
    }
  }
  void set_momentum(double momentum, std::size_t group) override {
    Options changed = options(group);
    if constexpr (requires(Options o) { o.momentum; }) {
      changed.momentum = momentum;
    } else if constexpr (requires(Options o) { o.betas; }) {
      changed.betas[0] = momentum;
    }
    set_options(changed, group);
  }

 protected:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  OptimizerOf(std::string name, StateLayout layout, std::vector<Group> groups)
      : Optimizer(std::move(name), std::move(layout), parameters_of(groups)) {
    for (const Group& group : groups) {
      group.options.check(this->name());
      options_.push_back(group.options);
    }
  }

  /// Called for a group that has been added.
  virtual void on_new_group(std::size_t group) { static_cast<void>(group); }

  Dict group_options(std::size_t group) const override { return to_dict(options_[group]); }

  Commit prepare_group_options(const std::vector<Dict>& groups) override {
    std::vector<Options> loaded;
    for (const Dict& group : groups) {
      static_cast<void>(group.at("lr"));
      loaded.push_back(from_dict<Options>(group, name()));
      loaded.back().check(name());
    }
    return [this, loaded = std::move(loaded)]() mutable { options_ = std::move(loaded); };
  }

 private:
  static std::vector<ParameterList> parameters_of(std::vector<Group>& groups) {
    std::vector<ParameterList> result;
    result.reserve(groups.size());
    for (Group& group : groups) result.push_back(std::move(group.params));
    return result;
  }

  std::vector<Options> options_;  // by group
};

}  // namespace optim
}  // namespace teff
