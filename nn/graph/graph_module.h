// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/graph.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// A parameter or buffer of a GraphModule, under its key in the state dict. Two keys may hold the same tensor.
struct GraphState {
  std::string key;
  Tensor tensor;
  bool is_parameter = true;
};

/// What a GraphModule is made of: plain data, as a model file holds it.
struct GraphModuleData {
  Graph graph;
  std::vector<GraphState> state;  // in the order of the state dict
  ModuleSummary summary;          // of the module that was captured
  bool training = true;
  GraphCost limit = {};  // of a run; what load_model gives has that of LoadOptions. No part of a file
};

/// An input or an output of a GraphModule. A size of -1 is free, or follows one that is.
struct GraphPort {
  std::string name;
  TensorType type;
  friend bool operator==(const GraphPort&, const GraphPort&) = default;
};

/// A module without a class: the captured computation of another module, with its parameters and buffers. It prints,
/// trains, saves, nests and is captured as the original would. In training every dropout and batch norm trains.
class GraphModule : public Module {
 public:
  /// The tensors stay as they are: whether a parameter requires grad is the caller's choice.
  /// @throws ValueError, ShapeError, TypeError if the parts do not fit each other (see GraphExecutor).
  explicit GraphModule(GraphModuleData data);

  Tensor forward(const Tensor& input) override;
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

  /// What it takes and gives. The names are those that rename_ports gave, else those that capture made. Which free
  /// sizes must be the same says free_sizes_of(graph()).
  std::vector<GraphPort> inputs() const;
  std::vector<GraphPort> outputs() const;
  /// @throws ShapeError, TypeError unless it takes inputs of these types, as forward and InferenceSession do, too.
  void check_inputs(std::span<const TensorType> types) const { executor_.check_inputs(types); }
  /// Names inputs and outputs, as model files keep them. An empty list leaves the names as they are.
  /// @throws ValueError unless there is a name for each, no other node has it, and outputs that are one and the same
  /// have the same.
  void rename_ports(std::span<const std::string> inputs, std::span<const std::string> outputs);

  /// The part of the network that gives the tensors at these places, as a module of that many outputs in this order:
  /// features({"layer2", "layer4"}). A name is the path of a module in the original, which stands for the last value
  /// of its last call that others read, or the name of a node of graph(). Outputs have these names, if no other node
  /// does. Parameters are shared with this module; those behind the last place are left out, in the state dict, too,
  /// while print shows the whole. @throws ValueError for a name that is neither; it lists the modules.
  GraphModule features(std::span<const std::string> names) const;
  GraphModule features(std::initializer_list<std::string> names) const {
    return features(std::span<const std::string>(names.begin(), names.size()));
  }

  /// @throws ResourceError if a run on inputs of these types would take more than data().limit (see
  /// GraphExecutor::run).
  void check_cost(std::span<const TensorType> inputs) const { executor_.check_cost(inputs); }

  const Graph& graph() const { return data_.graph; }
  const GraphModuleData& data() const { return data_; }

  std::string type_name() const override { return data_.summary.type_name; }
  ModuleSummary summary() const override;
  std::shared_ptr<Module> copy_handles() const override;
  GraphModule clone() const;
  void visit_members(MemberVisitor& visitor) override;

 protected:
  void set_training(bool mode) override;
  void set_dtype(DType dtype) override;

 private:
  friend std::vector<std::pair<const void*, std::string>> scope_names(Module& module);

  void rebuild();
  void find_counters();

  GraphModuleData data_;
  GraphExecutor executor_;
  std::vector<Tensor> counters_;  // num_batches_tracked of each batch norm: the graph itself does not count
};

/// Captures what a module computes, in evaluation mode, with example inputs [N, ...], and which sizes of them are free:
/// see teff::capture. The module is left as it was: mode, buffers and the default generator's state. The result shares
/// its tensors and has its mode. The record is replayed on other inputs and compared with the module before it is
/// returned, and with what the module does in training, where only operations that have the attribute "training" may
/// differ: its mode changes, so nobody else may use it meanwhile. All of it takes some ten to thirty times as long as
/// one run; examples of two rows or more tell more about what goes with the batch.
/// @throws Error, naming the module concerned, for what cannot be captured, a forward that depends on values that it
/// reads, on state that it keeps, or on is_training() among them.
GraphModule capture(Module& module, std::span<const Tensor> inputs);
inline GraphModule capture(Module& module, const Tensor& input) { return capture(module, {&input, 1}); }
inline GraphModule capture(Module& module, std::initializer_list<Tensor> inputs) {
  return capture(module, std::span<const Tensor>(inputs.begin(), inputs.size()));
}

}  // namespace nn
}  // namespace teff
