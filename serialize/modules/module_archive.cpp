// SPDX-License-Identifier: MIT
#include "teff/serialize/modules/module_archive.h"

#include <algorithm>
#include <array>
#include <span>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/modules/layer_code.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShownClasses = 5;

constexpr auto kHooks =
    std::to_array<std::string_view>({"_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"});
/// What PyTorch looks up on the object itself when it is called, and would find there before the class's.
constexpr auto kMethods = std::to_array<std::string_view>(
    {"forward", "_call_impl", "_slow_forward", "_compiled_call_impl", "_conv_forward", "_output_padding",
     "_check_input_dim", "_check_no_batch_dim", "_get_no_batch_dim", "_handle_no_batch_input", "_apply_instance_norm",
     "_check_non_zero_input_channels", "check_forward_input", "check_forward_hidden", "_sa_block", "_ff_block"});
/// Of torch.nn, what has modules within that it calls.
constexpr auto kContainers = std::to_array<std::string_view>(
    {"torch.nn.modules.container.Sequential", "torch.nn.modules.container.ModuleList",
     "torch.nn.parallel.data_parallel.DataParallel", "torch.nn.modules.transformer.TransformerEncoder",
     "torch.nn.modules.transformer.TransformerEncoderLayer", "torch.nn.modules.activation.MultiheadAttention"});

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_name(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The classes without code here, each once. What is within them is nobody's matter.
void add_unknown(const PickledModule& module, std::vector<std::string>& classes) {
  if (!has_layer(module.type)) {
    if (!has_name(classes, module.type)) classes.push_back(module.type);
    return;
  }
  for (const PickledModule& child : module.children) add_unknown(child, classes);
}

void check_classes(const PickledModule& root) {
  std::vector<std::string> classes;
  add_unknown(root, classes);
  if (classes.empty()) return;
  std::string text;
  for (std::size_t i = 0; i < classes.size() && i < kShownClasses; ++i) {
    text += (i == 0 ? "" : ", ") + escaped(classes[i], 100);
  }
  if (classes.size() > kShownClasses) text += " and " + std::to_string(classes.size() - kShownClasses) + " more";
  throw UnsupportedError(
      "expected a pickled module that is a tree of nn.Sequential and of PyTorch's layers, or one of torchvision's "
      "networks for classification, got one of " +
      text +
      ": what the forward of such a class does is Python's code, which is not in the file. Use load for its state "
      "dict, or write the network with torch.jit.trace(model, example) or torch.jit.script(model) and torch.jit.save, "
      "or with torch.onnx.export");
}

/// Hooks do more than the layer, and methods of an object's own something else.
void check_members(const PickledModule& module) {
  const auto refuse = [&](const std::string& expected, const std::string& name, const std::string& cure) {
    throw UnsupportedError("expected " + expected + ", got \"" + escaped(name, 100) + "\" of the " +
                           escaped(module.type, 100) + " \"" + escaped(module.path, 100) + "\": " + cure);
  };
  if (!module.has_members) refuse("a module with its members", "", "its pickle is none of torch.save");
  for (const std::string& name : module.others) {
    if (is_among(kHooks, name)) {
      refuse("modules without hooks", name,
             "weight_norm, spectral_norm and pruning work by them; take them out in Python "
             "(torch.nn.utils.remove_weight_norm, remove_spectral_norm, prune.remove) before torch.save");
    }
    if (is_among(kMethods, name)) {
      refuse("modules with the methods of their classes", name, "save it with torch.jit.save");
    }
  }
  const bool is_layer = module.type.starts_with("torch.nn.") && !is_among(kContainers, module.type);
  if (!module.children.empty() && is_layer) {
    refuse("a layer without modules in it", module.children.front().name, "save it with torch.jit.save");
  }
}

/// Whether all are in training mode; evaluation is what a file is for otherwise.
bool trains(const PickledModule& module) {
  const Value* const training = module.attributes.find("training");
  return (training == nullptr || !training->is_bool() || training->as_bool()) &&
         std::all_of(module.children.begin(), module.children.end(), trains);
}

/// Adds the object, and those within; in Python an attribute is found before a parameter of its name.
const ScriptObject* add_object(std::deque<ScriptObject>& objects, PickledModule& module) {
  check_members(module);
  ScriptObject& object = objects.emplace_back();
  object.type = "__torch__." + module.type;
  object.path = module.path;
  const auto add_state = [&](const std::string& name, bool is_parameter) {
    if (module.attributes.contains(name) || has_name(module.others, name)) {
      throw FormatError("expected a parameter or buffer as \"" + escaped(name, 100) + "\" of the " +
                        escaped(module.type, 100) + " \"" + escaped(module.path, 100) + "\", got something else");
    }
    object.attributes.push_back({name, {}, nullptr, true, is_parameter});
  };
  for (const std::string& name : module.parameters) add_state(name, true);
  for (const std::string& name : module.buffers) add_state(name, false);
  for (const auto& [name, value] : module.attributes) object.attributes.push_back({name, value});
  List names;
  for (PickledModule& child : module.children) {
    names.emplace_back(child.name);
    object.attributes.push_back({child.name, {}, add_object(objects, child)});
  }
  object.attributes.push_back({"_modules", std::move(names)});
  return &object;
}

}  // namespace

ScriptArchive archive_of(PickledNetwork file) {
  check_classes(file.module);
  ScriptArchive archive;
  const bool training = trains(file.module);
  file.module.attributes["training"] = training;
  add_object(archive.objects, file.module);
  for (const auto& [key, value] : file.contents->structure) {
    if (!value.is_tensor()) throw FormatError("expected tensors as a module's state, got \"" + escaped(key, 100) + '"');
  }
  archive.module = std::move(file.contents);
  archive.code = layer_code;
  archive.is_pickled = true;
  return archive;
}

}  // namespace teff::serialize
