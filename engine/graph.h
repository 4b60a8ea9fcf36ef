// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/modes.h"
#include "teff/engine/op.h"

namespace TEFF_EXPORT teff {

/// Tensors by dotted name: "conv1.weight".
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// One tensor of a Graph.
struct GraphNode {
  enum class Kind {
    placeholder,  // an input of the graph
    get_attr,     // a parameter, buffer or constant, by name
    call,         // an operation on earlier nodes; if it has several results, the first of them
    result,       // the next result of the call before it, right behind that call or its result before
  };
  Kind kind = Kind::placeholder;
  std::string name;                  // unique in the graph
  std::string target;                // get_attr: the tensor's name; call: the op's name
  int version = 1;                   // call: the op's version
  Dict attributes;                   // call: the op's attributes; an integer that follows the batch is {"batch": k}:
                                     // k times the size of dimension 0 of the first input
  std::vector<std::int64_t> inputs;  // call: places of earlier nodes; result: the place of its call
  std::string scope;                 // path of the module that made the call; "" for the root
  TensorType type;                   // as captured; where it follows the batch, with the captured batch
  friend bool operator==(const GraphNode&, const GraphNode&) = default;
};

std::string_view to_string(GraphNode::Kind kind);

/// A computation as plain data: what a model file holds. See op.h.
struct Graph {
  std::vector<GraphNode> nodes;       // each after all that it uses; placeholders first, in the order of the inputs
  std::vector<std::int64_t> outputs;  // places of nodes
  NamedTensors constants;             // tensors that are neither inputs nor named: values that the code made
};

/// How many results the graph has of the node at that place: 1, and the nodes of kind `result` behind a call.
std::size_t result_count(const Graph& graph, std::size_t place);

/// One line for each node: `%3 conv2d(%0, %1, %2) {stride: [1, 1], ...} -> float32 [4, 6, 28, 28]  # conv1`; all
/// results of a call on one: `%5, %6 max_with_indices(%4) {dim: 1, ...} -> float32 [4], int64 [4]`
std::ostream& operator<<(std::ostream& out, const Graph& graph);

using GraphFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// Writes down what `function` does with the inputs. `attributes` names the tensors that stay outside of the graph
/// (parameters and buffers); scope_names gives the paths of the objects that ScopeGuard marks.
///
/// The function is run at two sizes of dimension 0 (the batch) and the two records are unified, so that no batch
/// size is frozen in; inputs without dimensions are captured at one.
/// @throws Error, naming the module, for what cannot be captured: an output that depends on a value read with
/// item(), a size that follows the batch in a way that is not a multiple of it, different operations at different
/// batch sizes, values that differ from run to run.
Graph capture(const GraphFunction& function, std::span<const Tensor> inputs, const NamedTensors& attributes,
              const std::vector<std::pair<const void*, std::string>>& scope_names = {});

/// What a run of a graph takes, as its types and Op::flop tell: operations on single values, and bytes of the results
/// of all calls, which training keeps, and of the constants that each reads, which a session packs. Or the most that it
/// may take.
struct GraphCost {
  double work = std::numeric_limits<double>::infinity();
  double bytes = std::numeric_limits<double>::infinity();
};

/// A Graph made ready to run: ops made by name, attributes looked up, everything checked once. Holds handles of the
/// tensors that it was given. run() may be called from several threads at once, if no op of it is in training.
class GraphExecutor {
 public:
  /// `attributes` must name every get_attr target that is not among the graph's constants.
  /// @throws ValueError, ShapeError, TypeError if the graph is not valid: an unknown op, a reference forward,
  /// a missing tensor, types that do not fit (all ops are checked with the placeholders' types); ResourceError if
  /// a run on inputs of these types would take more than `limit`.
  GraphExecutor(const Graph& graph, const NamedTensors& attributes, const GraphCost& limit = {});
  ~GraphExecutor();
  GraphExecutor(const GraphExecutor&);
  GraphExecutor(GraphExecutor&&) noexcept;
  GraphExecutor& operator=(const GraphExecutor&);
  GraphExecutor& operator=(GraphExecutor&&) noexcept;

  /// The outputs. Every operation goes through apply(), so gradients flow as they did in the original.
  /// @throws ResourceError, before anything is computed, if that would take more than the limit: for inputs of more
  /// elements than the placeholders have, and than 1000, as many times more.
  std::vector<Tensor> run(std::span<const Tensor> inputs) const;

  /// @throws ResourceError if run() would, for inputs of these types.
  void check_cost(std::span<const TensorType> inputs) const;

  /// The types of the outputs for inputs of these types. @throws what run() throws for such inputs.
  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const;

  /// Sets the attribute "training" of every op that has one: dropout, batch_norm.
  void set_training(bool training);

  /// For each call that changes inputs in training (Op::updates_input), the name of the first such tensor.
  std::vector<std::string> updated_tensors() const;

  /// The paths of the modules that its operations came from, for a Profiler.
  std::vector<std::pair<const void*, std::string>> scope_names() const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

/// Sets the attribute "training" of every call that has one: dropout, batch_norm.
void set_training(Graph& graph, bool training);

}  // namespace teff
