// SPDX-License-Identifier: MIT
#include "teff/nn/optim/sgd.h"

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/fields.h"
#include "teff/engine/update.h"
#include "teff/nn/text.h"

namespace teff::optim {
namespace {

void check_number(const char* name, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  std::string text = nn::detail::python_float(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  nn::detail::expect(false, "SGD", std::string(name) + " >= 0 and finite", text);
}

const SGDOptions& checked(const SGDOptions& options) {
  check_number("lr", options.lr);
  check_number("momentum", options.momentum);
  check_number("weight_decay", options.weight_decay);
  nn::detail::expect(std::isfinite(options.dampening), "SGD", "dampening finite",
                     nn::detail::python_float(options.dampening));
  nn::detail::expect(!options.nesterov || (options.momentum > 0 && options.dampening == 0), "SGD",
                     "momentum > 0 and dampening 0 with nesterov",
                     "momentum " + nn::detail::python_float(options.momentum) + " and dampening " +
                         nn::detail::python_float(options.dampening));
  return options;
}

std::vector<ParameterList> parameters_of(std::vector<SGDGroup>& groups) {
  std::vector<ParameterList> result;
  for (SGDGroup& group : groups) result.push_back(std::move(group.params));
  return result;
}

}  // namespace

SGD::SGD(ParameterList parameters, const SGDOptions& options)
    : SGD(std::vector<SGDGroup>{{std::move(parameters), options}}) {}

SGD::SGD(std::vector<SGDGroup> groups) : Optimizer("SGD", {"momentum_buffer"}, parameters_of(groups)) {
  for (const SGDGroup& group : groups) options_.push_back(checked(group.options));
}

void SGD::step() {
  for (std::size_t group = 0; group < num_groups(); ++group) {
    const SGDOptions& options = options_[group];
    SgdStep step{.lr = options.lr,
                 .momentum = options.momentum,
                 .dampening = options.dampening,
                 .weight_decay = options.weight_decay,
                 .nesterov = options.nesterov,
                 .maximize = options.maximize};
    for (std::size_t i = 0; i < parameters(group).size(); ++i) {
      const Tensor& parameter = parameters(group)[i];
      if (!parameter.grad().defined()) continue;
      Tensor& buffer = state(group, i, 0);
      step.first_step = options.momentum != 0 && !buffer.defined();
      if (step.first_step) buffer = empty(parameter.shape(), {.dtype = parameter.dtype()});
      sgd_step_(parameter, parameter.grad(), buffer, step);
    }
  }
}

void SGD::set_options(const SGDOptions& options, std::size_t group) { options_.at(group) = checked(options); }

void SGD::set_lr(double lr) {
  check_number("lr", lr);
  for (SGDOptions& options : options_) options.lr = lr;
}

Dict SGD::group_options(std::size_t group) const {
  Dict options = to_dict(options_[group]);
  options.insert("foreach", nullptr);
  options.insert("differentiable", false);
  return options;
}

void SGD::set_group_options(const std::vector<Dict>& groups) {
  std::vector<SGDOptions> loaded;
  for (Dict group : groups) {
    static_cast<void>(group.at("lr"));
    // How PyTorch computes, and what its schedulers remember: nothing of it changes a step.
    for (const char* key : {"foreach", "differentiable", "fused", "initial_lr"}) group.erase(key);
    loaded.push_back(checked(from_dict<SGDOptions>(group, "SGD")));
  }
  options_ = std::move(loaded);
}

}  // namespace teff::optim
