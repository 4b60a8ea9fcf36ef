// SPDX-License-Identifier: MIT
#pragma once

// Private: the graph of an ONNX file as a function on tensors, which nn::capture's machinery records.
//
// Sizes and constants have values, and what is computed of these alone is computed while the function runs; everything
// else, the parameters too, has a type and no values (TypesOnlyGuard), and is recorded. So a run costs little whatever
// the network would, and shape arithmetic is folded by running it. Where it follows sizes of the inputs is found as
// for any captured function, by running it at several.

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "teff/engine/recording.h"
#include "teff/serialize/onnx/onnx_model.h"
#include "teff/serialize/operators/folding.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {

/// A tensor of the file: what stands for it in a record, and where its values are.
struct OnnxState {
  enum class Role { parameter, buffer, statistic, constant };
  std::string name;
  Tensor stand_in;
  const OnnxTensor* values = nullptr;
  Role role = Role::parameter;
};

class OnnxNetwork {
 public:
  /// @throws UnsupportedError that lists the operators that Teff does not have; FormatError for names that are not
  /// there, or twice.
  OnnxNetwork(const OnnxModel& model, std::shared_ptr<const ByteSource> source);

  /// The inputs that are no initialisers.
  const std::vector<const OnnxPort*>& inputs() const { return inputs_; }
  const std::vector<OnnxState>& state() const { return state_; }
  teff::NamedTensors attributes() const;
  const detail::ScopeNames& scopes() const { return scopes_; }
  std::size_t node_count() const { return rows_.size(); }

  std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  friend class OnnxCall;
  struct Frame;

  void check(const OnnxGraph& graph);
  void add_initializer(const OnnxTensor& tensor);
  void add_names(const OnnxNode& node);
  void add_constants(const OnnxGraph& graph, bool is_outermost);
  /// With the values themselves where they are known.
  Tensor add_state(const std::string& name, const OnnxTensor& values, OnnxState::Role role);
  void run_nodes(const OnnxGraph& graph, Frame& frame);
  void run_node(const OnnxNode& node, Frame& frame);
  void run_branch(const OnnxNode& node, Frame& frame);
  TensorList convert(const OnnxNode& node, const std::vector<Tensor>& inputs);

  /// The values of a tensor of the file, read once.
  const Tensor& constant(const OnnxTensor& tensor);
  /// The initialiser that stands for a parameter; null if the tensor is none.
  const OnnxTensor* parameter(const Tensor& tensor) const;
  Tensor statistic(const Tensor& tensor) const;

  const OnnxModel& model_;
  std::shared_ptr<const ByteSource> source_;
  std::vector<const OnnxPort*> inputs_;
  std::vector<OnnxState> state_;
  std::unordered_map<std::string_view, Tensor> initial_;       // of the outermost graph, by name
  std::unordered_map<const void*, std::size_t> state_places_;  // of stand-ins, in state_
  std::unordered_map<const void*, Tensor> statistics_;         // by the stand-in of the same initialiser as a parameter
  std::unordered_map<const OnnxTensor*, Tensor> constants_;
  std::unordered_map<const OnnxNode*, const OperatorRow*> rows_;
  detail::ScopeNames scopes_;
  Folding folding_;  // of a run
};

/// `node 3 (Conv "/conv1/Conv")`
std::string describe(const OnnxNode& node);

}  // namespace teff::serialize
