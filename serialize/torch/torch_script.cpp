// SPDX-License-Identifier: MIT

// TorchScript archives: the state dict of the module that torch.jit.load would give.

#include <algorithm>
#include <array>
#include <string>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/serialize/torch/pickle_text.h"
#include "teff/serialize/torch/torch_guard.h"
#include "teff/serialize/torch/torch_script.h"
#include "teff/serialize/torch/torch_script_code.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kScript = "__torch__.";
constexpr std::string_view kCustom = "__torch__.torch.classes.";  // of C++: weights that an operator has packed

bool is_listed(const std::vector<std::string>& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

}  // namespace

void TorchValues::fill_script(Contents& contents, ScriptCode& code, std::deque<ScriptObject>* objects) {
  const NoGradGuard no_grad;
  const NodeId root = pickle_.root();
  if (pickle_[root].kind != NodeKind::object || !class_of(pickle_, pickle_[root].a).starts_with(kScript)) {
    refuse("expected a module of TorchScript, got something else");
  }
  Dict state;
  nn::ModuleSummary summary;
  {
    const Guard guard(*this, root);
    add_script_module(state, "", root, code, summary);
  }
  if (objects != nullptr) script_object(root, "", code, *objects);
  modules_.push_back({"", std::move(summary)});
  left_out_ = false;
  finish(contents, std::move(state));
}

/// Which attributes are parameters and which buffers stands in the code; without it all tensors count as buffers.
void TorchValues::add_script_module(Dict& state, const std::string& prefix, NodeId id, ScriptCode& code,
                                    nn::ModuleSummary& summary) {
  const PickledObject object = pickle_.object(id);
  const std::string name = class_of(pickle_, object.callee);
  const ScriptClass* const known_class = code.find(name);
  summary.type_name = "RecursiveScriptModule";
  summary.extra_repr = "original_name=" + name.substr(name.rfind('.') + 1);
  count(summary.type_name.size() + summary.extra_repr.size());
  if (object.state == kNoNode || pickle_[object.state].kind != NodeKind::dict) return;
  const std::vector<NodeId> nodes = items(object.state);
  const auto each = [&](auto&& visit) {
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
      if (pickle_[nodes[i]].kind != NodeKind::text) refuse("expected names of text in a module, got something else");
      if (pickle_[nodes[i + 1]].kind == NodeKind::object) visit(std::string(pickle_.text(nodes[i])), nodes[i + 1]);
    }
  };
  const auto class_at = [&](NodeId node) { return class_of(pickle_, pickle_[node].a); };
  const auto add_tensors = [&](bool parameters) {
    each([&](const std::string& key, NodeId node) {
      if (class_at(node).starts_with(kScript)) return;
      if (known_class == nullptr ? !parameters
                                 : is_listed(parameters ? known_class->parameters : known_class->buffers, key))
        add_state_item(state, prefix + key, node);
    });
  };
  add_tensors(true);
  add_tensors(false);
  each([&](const std::string& key, NodeId node) {
    const std::string type = class_at(node);
    if (!type.starts_with(kScript)) return;
    const std::string place_of = prefix + key + '.';
    if (type.starts_with(kCustom)) {
      const bool is_quantised = type.find("quantized") != std::string::npos;
      return add_unsupported_part(place_of, (is_quantised ? "quantised: " : "packed: ") + type);
    }
    const ScriptClass* const child = code.find(type);
    if (child != nullptr && !child->is_module) return;  // a class of Python that is no module
    if (std::find(within_.begin(), within_.end(), node) != within_.end()) {
      return add_unsupported_part(place_of, "a module that contains itself");
    }
    count(8 + key.size());
    const Guard guard(*this, node);
    summary.children.emplace_back();
    summary.children.back().name = key;
    add_script_module(state, place_of, node, code, summary.children.back());
  });
}

const ScriptObject* TorchValues::script_object(NodeId id, const std::string& path, ScriptCode& code,
                                               std::deque<ScriptObject>& objects) {
  if (const auto found = objects_.find(id); found != objects_.end()) return found->second;
  const Guard guard(*this, id);
  const PickledObject pickled = pickle_.object(id);
  ScriptObject& object = objects.emplace_back();
  objects_.emplace(id, &object);
  object.type = class_of(pickle_, pickled.callee);
  object.path = path;
  count(sizeof(ScriptObject) + object.type.size() + path.size());
  if (pickled.state == kNoNode || pickle_[pickled.state].kind != NodeKind::dict) return &object;
  const ScriptClass* const known_class = code.find(object.type);
  const std::vector<NodeId> nodes = items(pickled.state);
  for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
    ScriptObject::Attribute attribute;
    attribute.name = pickle_.text(nodes[i]);  // checked by add_script_module
    const NodeId node = nodes[i + 1];
    const Within within(*this, std::string_view(attribute.name));
    count(sizeof(attribute) + attribute.name.size());
    attribute.is_parameter = known_class != nullptr && is_listed(known_class->parameters, attribute.name);
    attribute.is_state =
        attribute.is_parameter || (known_class != nullptr && is_listed(known_class->buffers, attribute.name));
    if (!attribute.is_state) {
      if (pickle_[node].kind == NodeKind::object && class_of(pickle_, pickle_[node].a).starts_with(kScript)) {
        attribute.object =
            script_object(node, path.empty() ? attribute.name : path + '.' + attribute.name, code, objects);
      } else {
        attribute.value = value(node);
        if (take_left_out()) continue;
      }
    }
    object.attributes.push_back(std::move(attribute));
  }
  return &object;
}

}  // namespace teff::serialize
