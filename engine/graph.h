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
  Dict attributes;                   // call: the op's attributes; an integer that follows a size of the inputs is
                                     // {"batch": k}: k times the size of dimension 0 of the first input; or {"size":
                                     // [place, dim, ...], "times": k, "plus": p, "over": n}: k times the product of
                                     // these dimensions of an earlier node, plus p, over n, rounded down (1, 0 and 1
                                     // where absent)
  std::vector<std::int64_t> inputs;  // call: places of earlier nodes; result: the place of its call
  std::string scope;                 // path of the module that made the call; "" for the root
  TensorType type;                   // as captured; where it follows a size, with the captured one
  friend bool operator==(const GraphNode&, const GraphNode&) = default;
};

std::string_view to_string(GraphNode::Kind kind);

/// A dimension of an input of a graph.
struct InputDim {
  std::int64_t input = 0;
  std::int64_t dim = 0;
  friend bool operator==(const InputDim&, const InputDim&) = default;
};

/// Dimensions of the inputs that have one size, which may be another than the captured one: the batch of all inputs.
struct FreeSize {
  std::vector<InputDim> places;  // at least one
  std::int64_t least = 0;        // smaller ones are refused
  friend bool operator==(const FreeSize&, const FreeSize&) = default;
};

/// A computation as plain data: what a model file holds. See op.h.
struct Graph {
  std::vector<GraphNode> nodes;       // each after all that it uses; placeholders first, in the order of the inputs
  std::vector<std::int64_t> outputs;  // places of nodes
  NamedTensors constants;             // tensors that are neither inputs nor named: values that the code made
  std::vector<FreeSize> free_sizes;   // what may differ from the captured sizes; empty: see free_sizes_of
};

/// The sizes of the inputs that may be others than the captured ones. Of a graph that lists none, and has no attribute
/// {"size": ...}, it is the batch alone: dimension 0 of the first input, and of all others of the same size there.
std::vector<FreeSize> free_sizes_of(const Graph& graph);

/// How many results the graph has of the node at that place: 1, and the nodes of kind `result` behind a call.
std::size_t result_count(const Graph& graph, std::size_t place);

/// One line for each node: `%3 conv2d(%0, %1, %2) {stride: [1, 1], ...} -> float32 [4, 6, 28, 28]  # conv1`; all
/// results of a call on one: `%5, %6 max_with_indices(%4) {dim: 1, ...} -> float32 [4], int64 [4]`
std::ostream& operator<<(std::ostream& out, const Graph& graph);

using GraphFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// Writes down what `function` does with the inputs. `attributes` names the tensors that stay outside of the graph
/// (parameters and buffers); scope_names gives the paths of the objects that ScopeGuard marks.
///
/// No size is frozen in unseen. The function is run on inputs of several sizes of the batch (dimension 0 of the first
/// input, and what goes with it), which must be free: N as given, N + 1, 2 N + 1, 1. Every other dimension of the
/// inputs is tried, too, alone and together with those of the same size: smaller, larger, even and odd. The records are
/// unified: an attribute that follows a size is written as such (GraphNode::attributes). A dimension becomes free
/// (Graph::free_sizes) if the function takes other sizes there, does the same with them, and the graph gives its values
/// bit by bit; all others keep the captured size, and a graph takes no other. Sizes at which it does something else, as
/// code may below a window's size, are refused (FreeSize::least). Inputs are made larger by repeating their elements.
/// Where the first input has no dimensions there is no batch.
/// @throws Error, naming the module, for what cannot be captured: an output that depends on a value read with
/// item(); at other batch sizes other operations, or an attribute or constant that does not follow the batch; values
/// that differ from run to run.
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
  /// @throws what check_inputs throws, and what the operations do; ResourceError, before anything is computed, if that
  /// would take more than the limit: for inputs of more elements than the placeholders have, and than 1000, as many
  /// times more.
  std::vector<Tensor> run(std::span<const Tensor> inputs) const;

  /// The types of the inputs that it takes: -1 where a size is free.
  std::vector<TensorType> input_types() const;
  /// @throws ShapeError, TypeError unless inputs of these types are as many, of the dtypes and of the sizes that the
  /// graph was captured for.
  void check_inputs(std::span<const TensorType> inputs) const;
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
