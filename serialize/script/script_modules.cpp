// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_modules.h"

#include <algorithm>
#include <set>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kLongestKey = 4096;
constexpr std::string_view kRoot = "__torch__";

std::string attribute_of(const std::string& object, std::string_view name) {
  if (is_aten_name(name)) return object + '.' + std::string(name);
  return "getattr(" + object + ", " + aten_quoted(name) + ')';
}

/// "  conv1 : __torch__.Conv2d", or what code has for names that are none.
std::string declaration(std::string_view name, const std::string& type) {
  if (is_aten_name(name)) return "  " + std::string(name) + " : " + type + '\n';
  return "  __annotations__[" + aten_quoted(name) + "] = " + type + '\n';
}

/// What a class may be called.
std::string class_name_of(const std::string& type_name) {
  AtenState names;
  return type_name.empty() ? "Module" : names.unique(type_name);
}

/// Of a module that came from TorchScript that of the original.
std::string type_name_of(const nn::ModuleSummary& summary) {
  constexpr std::string_view kOriginal = "original_name=";
  if (summary.type_name != "RecursiveScriptModule" || !summary.extra_repr.starts_with(kOriginal)) {
    return summary.type_name;
  }
  return summary.extra_repr.substr(kOriginal.size());
}

void check_name(std::string_view name, std::string_view key) {
  constexpr std::string_view kTaken[] = {"training", "forward", "__parameters__", "__buffers__", "__annotations__"};
  const bool is_taken = std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken);
  if (!name.empty() && !is_taken) return;
  throw ValueError("\"" + escaped(key, 100) + "\": expected names that a module of TorchScript can have, got \"" +
                   escaped(name, 100) + '"');
}

[[noreturn]] void refuse_depth() {
  throw ValueError("expected at most " + std::to_string(kMaxDepth) + " modules in each other, got more");
}

}  // namespace

OutModules::OutModules(const nn::GraphModuleData& data) : data_(data) {
  OutModule& root = all_.emplace_back();
  root.expression = "self";
  root.type_name = type_name_of(data.summary);
  add_summary(root, data.summary, 1);
  for (std::size_t i = 0; i < data.state.size(); ++i) add_state(i);
  name_classes();
}

void OutModules::add_summary(OutModule& module, const nn::ModuleSummary& summary, std::size_t depth) {
  if (depth > kMaxDepth) refuse_depth();
  for (const nn::ModuleSummary& one : summary.children) {
    if (one.name.find('.') != one.name.npos) check_name("", one.name);
    OutModule& below = child(module, one.name);
    below.type_name = type_name_of(one);
    add_summary(below, one, depth + 1);
  }
}

OutModule& OutModules::child(OutModule& module, std::string_view name) {
  const auto known = module.by_name.find(name);
  if (known != module.by_name.end()) return *known->second;
  check_name(name, name);
  OutModule& below = all_.emplace_back();
  below.name = name;
  below.expression = attribute_of(module.expression, name);
  module.children.push_back(&below);
  module.by_name.emplace(name, &below);
  return below;
}

void OutModules::add_state(std::size_t place) {
  const std::string& key = data_.state[place].key;
  OutModule* module = &all_.front();
  std::string_view rest = key;
  if (key.size() > kLongestKey) {
    throw ValueError("\"" + escaped(key, 100) + "\": expected keys of at most " + std::to_string(kLongestKey) +
                     " bytes, got " + std::to_string(key.size()));
  }
  std::size_t depth = 1;
  for (std::size_t dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
    if (++depth > kMaxDepth) refuse_depth();
    check_name(rest.substr(0, dot), key);
    module = &child(*module, rest.substr(0, dot));
    rest = rest.substr(dot + 1);
  }
  check_name(rest, key);
  (data_.state[place].is_parameter ? module->parameters : module->buffers).push_back(place);
  if (!attributes_.emplace(key, attribute_of(module->expression, rest)).second) check_name("", key);
}

const OutModule& OutModules::at(std::string_view path) const {
  const OutModule* module = &all_.front();
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const auto below = module->by_name.find(path.substr(0, dot));
    if (below == module->by_name.end()) break;
    module = below->second;
    path = dot == path.npos ? "" : path.substr(dot + 1);
  }
  return *module;
}

std::string OutModules::attribute(const std::string& key) const {
  const auto found = attributes_.find(key);
  return found == attributes_.end() ? "" : found->second;
}

/// The root has its name first: nothing else is like it, for it has a method.
void OutModules::name_classes() {
  OutModule& root = all_.front();
  const std::string name = class_name_of(root.type_name);
  root.class_name = std::string(kRoot) + '.' + name;
  plain_.emplace(name, "");
  for (OutModule* below : root.children) name_class(*below);
  plain_[name] = "class " + name + "(Module):\n" + body(root);
  order_.push_back(name);
}

/// Modules that consist of the same have one class.
void OutModules::name_class(OutModule& module) {
  for (OutModule* below : module.children) name_class(*below);
  const std::string name = class_name_of(module.type_name);
  const std::string text = "class " + name + "(Module):\n" + body(module);
  const auto known = by_text_.find(text);
  if (known != by_text_.end()) {
    module.class_name = known->second;
    return;
  }
  if (plain_.emplace(name, text).second) {
    order_.push_back(name);
    module.class_name = std::string(kRoot) + '.' + name;
  } else {
    const std::string mangle = "___torch_mangle_" + std::to_string(mangled_.size());
    mangled_.emplace(mangle, text);
    module.class_name = std::string(kRoot) + '.' + mangle + '.' + name;
  }
  by_text_.emplace(text, module.class_name);
}

std::string OutModules::body(const OutModule& module) const {
  const auto names = [&](const std::vector<std::size_t>& places) {
    std::string list;
    for (const std::size_t place : places) list += aten_quoted(last_part(data_.state[place].key)) + ", ";
    return '[' + list + "]\n";
  };
  std::set<std::string_view> tensors;
  std::string text = "  __parameters__ = " + names(module.parameters) + "  __buffers__ = " + names(module.buffers);
  for (const auto* places : {&module.parameters, &module.buffers}) {
    for (const std::size_t place : *places) {
      const std::string_view name = last_part(data_.state[place].key);
      tensors.insert(name);
      text += declaration(name, "Tensor");
    }
  }
  text += "  training : bool\n";
  for (const OutModule* below : module.children) {
    if (tensors.contains(below->name)) {
      throw ValueError("\"" + escaped(below->name, 100) + "\": expected a tensor or a module of that name, got both");
    }
    text += declaration(below->name, below->class_name);
  }
  return text;
}

std::map<std::string, std::string> OutModules::classes(const std::string& forward) const {
  std::map<std::string, std::string> entries;
  std::string& all = entries["code/__torch__.py"];
  for (const std::string& name : order_) all += plain_.at(name);
  all += forward;  // the root is the last
  for (const auto& [mangle, text] : mangled_) entries.emplace("code/__torch__/" + mangle + ".py", text);
  return entries;
}

}  // namespace teff::serialize
