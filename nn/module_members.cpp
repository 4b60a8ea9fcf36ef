// SPDX-License-Identifier: MIT
#include "teff/nn/module_members.h"

namespace teff::nn::detail {
namespace {

/// "a.b" of "a.b.weight": a GraphModule declares dotted names.
std::string_view parent_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

class Collector : public MemberVisitor {
 public:
  Members members;

  /// Parameters come before the buffers of the same parent, whatever the order of declaration.
  void operator()(const std::string& name, Parameter& parameter) override {
    if (!parameter.defined()) return;
    auto place = members.state.end();
    while (place != members.state.begin()) {
      const StateEntry& before = *std::prev(place);
      if (before.is_parameter || parent_of(before.name) != parent_of(name)) break;
      --place;
    }
    members.state.insert(place, {name, parameter, true});
  }
  void operator()(const std::string& name, Buffer& buffer) override {
    if (buffer.defined()) members.state.push_back({name, buffer, false, buffer.is_persistent()});
  }
  void operator()(const std::string& name, Module& child) override { members.children.emplace_back(name, &child); }
  void operator()(const std::string& name, std::shared_ptr<Module>& child) override {
    if (child != nullptr) members.children.emplace_back(name, child.get());
  }
};

void add_state(const Module& module, const std::string& prefix, std::vector<StateEntry>& all) {
  Members members = members_of(module);
  for (StateEntry& entry : members.state) {
    all.push_back({prefix + entry.name, std::move(entry.tensor), entry.is_parameter, entry.is_persistent});
  }
  for (const auto& [name, child] : members.children) add_state(*child, prefix + name + '.', all);
}

}  // namespace

Members members_of(const Module& module) {
  Collector collector;
  const_cast<Module&>(module).visit_members(collector);  // the collector changes nothing
  return std::move(collector.members);
}

std::vector<StateEntry> named_state(const Module& module) {
  std::vector<StateEntry> all;
  add_state(module, "", all);
  return all;
}

std::vector<StateEntry> persistent_state(const Module& module) {
  std::vector<StateEntry> state = named_state(module);
  std::erase_if(state, [](const StateEntry& entry) { return !entry.is_persistent; });
  return state;
}

ModeGuard::ModeGuard(Module& module, bool training) {
  for (const auto& [name, below] : module.named_modules()) modes_.emplace_back(below, below->is_training());
  module.train(training);
}

ModeGuard::~ModeGuard() {
  for (const auto& [module, training] : modes_) module->set_training(training);
}

}  // namespace teff::nn::detail
