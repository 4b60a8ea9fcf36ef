// SPDX-License-Identifier: MIT
#pragma once

// Private: the tree of a network's modules as classes of TorchScript.

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "teff/nn/graph/graph_module.h"

namespace teff::serialize {

/// A module that is written: parameters and buffers are places in GraphModuleData::state.
struct OutModule {
  std::string name, type_name;
  std::string expression;  // "self.features"; what code calls it
  std::vector<std::size_t> parameters, buffers;
  std::vector<OutModule*> children;
  std::map<std::string, OutModule*, std::less<>> by_name;
  std::string class_name;  // "__torch__.___torch_mangle_0.Conv2d"
};

class OutModules {
 public:
  /// The modules that the summary lists, and those that only keys name. @throws ValueError for names that TorchScript
  /// cannot have: empty ones, two things of one name, more modules in each other than it is safe to read.
  explicit OutModules(const nn::GraphModuleData& data);

  const OutModule& root() const { return all_.front(); }
  /// The module of that path, or, if there is none, the nearest above.
  const OutModule& at(std::string_view path) const;
  /// What code calls a parameter or buffer; "" if there is none of that key.
  std::string attribute(const std::string& key) const;
  /// The texts of the classes by the names of their entries; `forward` is the method of the root.
  std::map<std::string, std::string> classes(const std::string& forward) const;

  /// The last part of a key.
  static std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

 private:
  void add_summary(OutModule& module, const nn::ModuleSummary& summary, std::size_t depth);
  OutModule& child(OutModule& module, std::string_view name);
  void add_state(std::size_t place);
  void name_classes();
  void name_class(OutModule& module);
  std::string body(const OutModule& module) const;

  const nn::GraphModuleData& data_;
  std::deque<OutModule> all_;  // the root first
  std::map<std::string, std::string, std::less<>> attributes_;
  std::map<std::string, std::string> by_text_;  // classes by what they consist of
  std::map<std::string, std::string> mangled_;  // those that share a name with one before: their texts
  std::map<std::string, std::string> plain_;    // by class name: text
  std::vector<std::string> order_;              // class names, each after those that it uses
};

}  // namespace teff::serialize
