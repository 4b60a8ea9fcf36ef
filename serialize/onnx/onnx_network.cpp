// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/onnx_network.h"

#include <algorithm>
#include <map>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/onnx/onnx_call.h"

namespace teff::serialize {
namespace {

constexpr std::int64_t kMaxStatedSize = 64;  // elements of a parameter that may take part in arithmetic on sizes

/// The path of the module that PyTorch exported the node from: "/layer1/layer1.0/conv1/Conv" is of layer1.0.conv1.
std::string scope_of(const OnnxNode& node) {
  std::string_view rest = node.name;
  if (rest.empty() || rest[0] != '/' || rest.size() > kShownText) return "";
  std::string path, before;
  for (rest.remove_prefix(1); rest.find('/') != rest.npos; rest.remove_prefix(rest.find('/') + 1)) {
    const std::string part(rest.substr(0, rest.find('/')));
    const bool is_longer = !before.empty() && part.starts_with(before + '.');
    path += (path.empty() ? "" : ".") + (is_longer ? part.substr(before.size() + 1) : part);
    before = part;
  }
  return path;
}

const OnnxGraph* branch_of(const OnnxNode& node, std::string_view name) {
  for (const OnnxAttribute& attribute : node.attributes) {
    if (attribute.name == name && attribute.graph != nullptr) return attribute.graph.get();
  }
  return nullptr;
}

}  // namespace

std::string describe(const OnnxNode& node) {
  return "node at offset " + std::to_string(node.offset) + " (" + escaped(node.op_type, kShownText) +
         (node.name.empty() ? "" : ' ' + quoted(node.name)) + ')';
}

/// Tensors by name: those of a graph, and of the graphs that it is in.
struct OnnxNetwork::Frame {
  const Frame* outer = nullptr;
  std::unordered_map<std::string_view, Tensor> tensors = {};

  const Tensor& at(const std::string& name) const {
    for (const Frame* frame = this; frame != nullptr; frame = frame->outer) {
      const auto found = frame->tensors.find(name);
      if (found != frame->tensors.end()) return found->second;
    }
    throw FormatError("expected a tensor that was made before, got " + quoted(name));
  }
};

OnnxNetwork::OnnxNetwork(const OnnxModel& model, std::shared_ptr<const ByteSource> source)
    : model_(model), source_(std::move(source)) {
  if (model.opset == 0) throw FormatError("expected a version of ONNX's operators, got none");
  constexpr std::int64_t kLatest = 22;
  if (model.opset > kLatest) {
    throw UnsupportedError("expected operators of ONNX's version 1 to 22, got those of version " +
                           std::to_string(model.opset) + ": export it for version 17");
  }
  check(model.graph);
  for (const OnnxTensor& tensor : model.graph.initializers) add_initializer(tensor);
  for (const OnnxPort& port : model.graph.inputs) {
    if (!initial_.contains(port.name)) inputs_.push_back(&port);
  }
  for (const OnnxNode& node : model.graph.nodes) add_names(node);
  add_constants(model.graph, true);
}

/// An Identity gives a tensor that two parameters share both their names; batch norm makes of a parameter a statistic,
/// which must not be shared, for training changes it.
void OnnxNetwork::add_names(const OnnxNode& node) {
  const auto stand_in_of = [&](std::size_t input) {
    const auto found = input < node.inputs.size() ? initial_.find(node.inputs[input]) : initial_.end();
    return found != initial_.end() && parameter(found->second) != nullptr ? found->second : Tensor();
  };
  if (node.op_type == "Identity" && node.outputs.size() == 1) {
    const Tensor shared = stand_in_of(0);
    if (!shared.defined() || is_constant(shared) || initial_.contains(node.outputs[0])) return;
    initial_.emplace(node.outputs[0], add_state(node.outputs[0], *parameter(shared), OnnxState::Role::parameter));
  } else if (node.op_type == "BatchNormalization") {
    for (const std::size_t input : {std::size_t{3}, std::size_t{4}}) {
      const Tensor shared = stand_in_of(input);
      if (!shared.defined() || is_constant(shared) || statistics_.contains(shared.id())) continue;
      statistics_.emplace(shared.id(),
                          add_state(node.inputs[input] + ".running", *parameter(shared), OnnxState::Role::statistic));
    }
  }
}

/// They are named, too, so that a record refers to them and holds no copies.
void OnnxNetwork::add_constants(const OnnxGraph& graph, bool is_outermost) {
  if (!is_outermost) {
    for (const OnnxTensor& tensor : graph.initializers) add_state(tensor.name, tensor, OnnxState::Role::constant);
  }
  for (const OnnxNode& node : graph.nodes) {
    for (const OnnxAttribute& attribute : node.attributes) {
      if (attribute.graph != nullptr) add_constants(*attribute.graph, false);
      if (attribute.tensor == nullptr || node.outputs.empty() || !onnx_dtype(attribute.tensor->code)) continue;
      add_state(node.outputs[0], *attribute.tensor, OnnxState::Role::constant);
    }
  }
}

void OnnxNetwork::check(const OnnxGraph& root) {
  std::map<std::string, std::pair<std::size_t, const OnnxNode*>> unknown;
  const auto visit = [&](const auto& self, const OnnxGraph& graph) -> void {
    for (const OnnxNode& node : graph.nodes) {
      const bool is_own = node.domain.empty() || node.domain == "ai.onnx";
      const OperatorRow* row = is_own ? find_onnx_operator(node.op_type, model_.opset) : nullptr;
      rows_.emplace(&node, row);
      if (row == nullptr && (node.op_type != "If" || !is_own)) {
        auto& [count, first] = unknown[(is_own ? "" : node.domain + '.') + node.op_type];
        if (count++ == 0) first = &node;
      }
      if (const std::string scope = scope_of(node); !scope.empty()) scopes_.emplace_back(&node, scope);
      for (const OnnxAttribute& attribute : node.attributes) {
        if (attribute.graph != nullptr) self(self, *attribute.graph);
      }
    }
  };
  visit(visit, root);
  if (unknown.empty()) return;
  std::string text;
  for (const auto& [name, use] : unknown) {
    if (text.size() > 1000) {
      text += ", ...";
      break;
    }
    text += (text.empty() ? "" : ", ") + escaped(name, kShownText) + " (" + std::to_string(use.first) +
            (use.first == 1 ? " node, " : " nodes, the first ") + describe(*use.second) + ')';
  }
  throw UnsupportedError("expected operators that Teff has in version " + std::to_string(model_.opset) + ", got " +
                         text + ": its tensors can be loaded by load");
}

void OnnxNetwork::add_initializer(const OnnxTensor& tensor) {
  if (initial_.contains(tensor.name)) {
    throw FormatError("expected initialisers of different names, got " + quoted(tensor.name) + " twice");
  }
  using Role = OnnxState::Role;
  const Role role = is_computable(onnx_type(tensor).dtype) ? Role::parameter : Role::buffer;
  initial_.emplace(tensor.name, add_state(tensor.name, tensor, role));
}

Tensor OnnxNetwork::add_state(const std::string& name, const OnnxTensor& values, OnnxState::Role role) {
  const bool is_known = role == OnnxState::Role::buffer || role == OnnxState::Role::constant;
  const Tensor stand_in = is_known ? constant(values) : detail::make_without_values(onnx_type(values));
  state_places_.emplace(stand_in.id(), state_.size());
  state_.push_back({name, stand_in, &values, role});
  return stand_in;
}

teff::NamedTensors OnnxNetwork::attributes() const {
  teff::NamedTensors named;
  for (const OnnxState& one : state_) named.emplace_back(one.name, one.stand_in);
  return named;
}

const Tensor& OnnxNetwork::constant(const OnnxTensor& tensor) {
  Tensor& values = constants_[&tensor];
  if (!values.defined()) values = read_onnx_tensor(*source_, tensor);
  return values;
}

const OnnxTensor* OnnxNetwork::parameter(const Tensor& tensor) const {
  const auto found = state_places_.find(tensor.id());
  return found == state_places_.end() ? nullptr : state_[found->second].values;
}

Tensor OnnxNetwork::statistic(const Tensor& tensor) const {
  const auto found = statistics_.find(tensor.id());
  return found == statistics_.end() ? tensor : found->second;
}

std::vector<Tensor> OnnxNetwork::run(std::span<const Tensor> inputs) {
  folding_ = {};
  Frame frame;
  frame.tensors = initial_;
  for (std::size_t i = 0; i < inputs_.size(); ++i) frame.tensors.insert_or_assign(inputs_[i]->name, inputs[i]);
  run_nodes(model_.graph, frame);
  std::vector<Tensor> outputs;
  for (const OnnxPort& port : model_.graph.outputs) outputs.push_back(frame.at(port.name));
  return outputs;
}

void OnnxNetwork::run_nodes(const OnnxGraph& graph, Frame& frame) {
  for (const OnnxNode& node : graph.nodes) {
    try {
      run_node(node, frame);
    } catch (const TypeError& error) {  // a dtype that the operator has in ONNX and not in Teff
      throw UnsupportedError(describe(node) + ": " + error.what());
    } catch (const Error& error) {
      detail::throw_again(error, describe(node) + ": " + error.what());
    }
  }
}

void OnnxNetwork::run_node(const OnnxNode& node, Frame& frame) {
  const OperatorRow* row = rows_.at(&node);
  if (row == nullptr) return run_branch(node, frame);
  const ScopeGuard scope(&node);
  std::vector<Tensor> inputs;
  for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? Tensor() : frame.at(name));
  const TensorList results = convert(node, inputs);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const std::string& name = node.outputs[i];
    if (name.empty()) continue;
    if (i >= results.size() || !results[i].defined()) {
      throw UnsupportedError("expected at most " + std::to_string(results.size()) + " results, got a name for result " +
                             std::to_string(i));
    }
    const auto [place, is_new] = frame.tensors.emplace(name, results[i]);
    if (!is_new && !(node.op_type == "Identity" && parameter(place->second) != nullptr)) {
      throw FormatError("expected one tensor of each name, got " + quoted(name) + " again");
    }
  }
}

/// What is computed of constants and sizes alone is computed at once.
TensorList OnnxNetwork::convert(const OnnxNode& node, const std::vector<Tensor>& inputs) {
  const OperatorRow* row = rows_.at(&node);
  const OnnxCall call(*this, node, inputs);
  bool any_known = false, all_known = true;
  std::vector<Tensor> known;
  for (const Tensor& input : inputs) {
    if (!input.defined()) {
      known.push_back(input);
      continue;
    }
    const OnnxTensor* values = parameter(input);
    const bool is_parameter = values != nullptr && !is_constant(input);
    any_known = any_known || is_constant(input);
    all_known = all_known && (is_constant(input) || (is_parameter && input.numel() <= kMaxStatedSize));
    known.push_back(all_known && is_parameter ? constant(*values) : input);
  }
  TensorList results = row->convert(call);
  call.check_asked();
  folding_.count_constants(results, inputs, [&](const Tensor& tensor) { return parameter(tensor) != nullptr; });
  if (!any_known || !all_known || results.empty()) return results;
  const bool is_done = std::all_of(results.begin(), results.end(),
                                   [&](const Tensor& result) { return !result.defined() || is_constant(result); });
  if (is_done) return results;
  if (!folding_.takes(results)) return results;
  const detail::NotCapturing now;
  return row->convert(OnnxCall(*this, node, known));
}

void OnnxNetwork::run_branch(const OnnxNode& node, Frame& frame) {
  if (node.inputs.size() != 1) {
    throw FormatError("expected a condition as the only input, got " + std::to_string(node.inputs.size()) + " inputs");
  }
  const std::vector<Tensor> inputs{frame.at(node.inputs[0])};
  const OnnxCall call(*this, node, inputs);
  const bool condition = call.known_integer(0) != 0;
  const OnnxGraph* branch = branch_of(node, condition ? "then_branch" : "else_branch");
  if (branch == nullptr) throw FormatError("expected two branches, got none");
  Frame inner{&frame};
  for (const OnnxTensor& tensor : branch->initializers) inner.tensors.emplace(tensor.name, constant(tensor));
  run_nodes(*branch, inner);
  if (branch->outputs.size() < node.outputs.size()) throw FormatError("expected as many outputs as the branch has");
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    frame.tensors.emplace(node.outputs[i], inner.at(branch->outputs[i].name));
  }
}

}  // namespace teff::serialize
