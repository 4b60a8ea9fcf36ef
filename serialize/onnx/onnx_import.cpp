// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <new>
#include <set>
#include <type_traits>

#include "teff/engine/error.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/text.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/onnx/onnx_network.h"
#include "teff/serialize/operators/imported_graph.h"

namespace teff::serialize {
namespace {

using Types = std::vector<TensorType>;

/// Behind the name of an initialiser: what training changes of it.
constexpr std::string_view kRunning = ".running";

bool is_open(const OnnxPort& port, std::size_t dim) { return port.dims[dim] < 0; }

/// Whether two dimensions have one name or number.
bool is_same(const OnnxPort& a, std::size_t dim_a, const OnnxPort& b, std::size_t dim_b) {
  if (a.dims[dim_a] != b.dims[dim_b]) return false;
  return !is_open(a, dim_a) || a.symbols[dim_a] == b.symbols[dim_b];
}

/// Finds sizes for which the network's types fit each other, and records it.
class Importer {
 public:
  explicit Importer(OnnxNetwork& network) : network_(network), attributes_(network.attributes()) {
    for (const OnnxPort* port : network.inputs()) check(*port);
  }

  Graph import() {
    const Types types = find_types();
    try {
      return explore(types, true);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const ResourceError&) {
      throw;
    } catch (const Error&) {
      Graph graph = explore(types, false);
      has_one_shape_ = frees_batch_unseen(graph);
      return has_one_shape_ ? explore(types, false) : std::move(graph);
    }
  }

 private:
  static void check(const OnnxPort& port) {
    const std::string what = "input " + quoted(port.name) + ": expected ";
    if (!onnx_dtype(port.code)) {
      throw UnsupportedError(what + "a tensor of a dtype that Teff has, got " +
                             (port.code == 0 ? "something else" : onnx_dtype_name(port.code)));
    }
    if (!port.has_shape || port.dims.size() > kMaxRank) {
      throw UnsupportedError(what + "a tensor of up to 8 dimensions, got " +
                             (port.has_shape ? std::to_string(port.dims.size()) : "one without a shape"));
    }
  }

  /// The batch, and all other sizes that the file leaves open, are tried: sizes of images and lengths of texts.
  Types find_types() {
    const bool has_open = std::any_of(network_.inputs().begin(), network_.inputs().end(), [](const OnnxPort* port) {
      return std::any_of(port->dims.begin(), port->dims.end(), [](std::int64_t dim) { return dim < 0; });
    });
    std::string first;
    for (const std::int64_t batch : {2, 1}) {
      for (const std::int64_t size : {64, 224, 32, 8, 2, 1, 128, 16, 4, 3, 299, 512}) {
        const Types types = types_for(batch, size);
        std::string refusal = refusal_of(types);
        if (refusal.empty()) return types;
        if (first.empty()) first = std::move(refusal);
        if (!has_open || explored_ > kMaxExplored) break;
      }
    }
    throw FormatError(first);
  }

  Types types_for(std::int64_t batch, std::int64_t size) const {
    Types types;
    for (const OnnxPort* port : network_.inputs()) {
      TensorType type{{}, *onnx_dtype(port->code)};
      for (std::size_t d = 0; d < port->dims.size(); ++d) {
        type.shape.push_back(!is_open(*port, d) ? port->dims[d] : is_batch(*port, d) ? batch : size);
      }
      types.push_back(type);
    }
    return types;
  }

  bool is_batch(const OnnxPort& port, std::size_t dim) const {
    const OnnxPort& first = *network_.inputs()[0];
    if (first.dims.empty()) return false;
    return (dim == 0 && is_open(port, dim) && port.symbols[dim].empty()) || is_same(port, dim, first, 0);
  }

  /// What is wrong with inputs of these types, or "".
  std::string refusal_of(const Types& types) {
    explored_ += network_.node_count();
    try {
      const detail::TypesOnlyGuard types_only;
      const std::size_t nodes =
          detail::record(function(), stand_ins_for(types), attributes_, network_.scopes()).graph.nodes.size();
      if (nodes <= kMaxRecorded) return "";
      throw UnsupportedError("expected a network of at most 8192 operations, got one of " + std::to_string(nodes));
    } catch (const UnsupportedError&) {
      throw;
    } catch (const ResourceError&) {
      throw;
    } catch (const Error& error) {
      return error.what();
    }
  }

  GraphFunction function() {
    const auto run = [this](std::span<const Tensor> inputs) { return network_.run(inputs); };
    return has_one_shape_ ? of_one_shape(run) : run;
  }

  Graph explore(const Types& types, bool with_batch) {
    const auto may_vary = [&](const InputDim& place) {
      const OnnxPort& port = *network_.inputs()[static_cast<std::size_t>(place.input)];
      const auto dim = static_cast<std::size_t>(place.dim);
      const bool batch = is_batch(port, dim);
      return batch ? with_batch : is_open(port, dim);
    };
    const std::size_t left = kMaxExplored - std::min(kMaxExplored, explored_);
    Graph graph =
        teff::detail::explore(function(), stand_ins_for(types), attributes_, network_.scopes(), {true, may_vary, left})
            .graph;
    if (with_batch) check_batch(graph, types);
    return graph;
  }

  void check_batch(const Graph& graph, const Types& types) const {
    if (network_.inputs().empty()) return;
    const OnnxPort& first = *network_.inputs()[0];
    if (!first.dims.empty() && !is_open(first, 0)) check_rows(graph, attributes_, types);
  }

  OnnxNetwork& network_;
  const NamedTensors attributes_;
  std::size_t explored_ = 0;
  bool has_one_shape_ = false;  // of its first input
};

template <class Ports>
std::vector<std::string> names_of(const Ports& ports) {
  std::vector<std::string> names;
  for (const auto& port : ports) {
    if constexpr (std::is_pointer_v<std::decay_t<decltype(port)>>) {
      names.push_back(port->name);
    } else {
      names.push_back(port.name);
    }
  }
  return names;
}

/// The names that nodes read, and those of the outputs.
void add_read_names(const OnnxGraph& graph, std::set<std::string>& names) {
  for (const OnnxNode& node : graph.nodes) {
    names.insert(node.inputs.begin(), node.inputs.end());
    for (const OnnxAttribute& attribute : node.attributes) {
      if (attribute.graph != nullptr) add_read_names(*attribute.graph, names);
    }
  }
  for (const OnnxPort& port : graph.outputs) names.insert(port.name);
}

/// What the graph reads; and initialisers that nothing in the file reads, for they are there for their own sake.
std::set<std::string> kept_names(const nn::GraphModuleData& data, const OnnxNetwork& network, const OnnxModel& model) {
  std::set<std::string> kept, read;
  for (const GraphNode& node : data.graph.nodes) {
    if (node.kind == GraphNode::Kind::get_attr) kept.insert(node.target);
  }
  add_read_names(model.graph, read);
  for (const OnnxState& state : network.state()) {
    if (state.role != OnnxState::Role::constant && !read.contains(state.name) && !state.name.ends_with(kRunning)) {
      kept.insert(state.name);
    }
  }
  return kept;
}

/// What Teff's own files say of parameters that are none.
std::set<std::string> told_buffers(const OnnxModel& model) {
  std::set<std::string> names;
  for (const auto& [key, value] : model.metadata) {
    if (key != kOnnxBuffers) continue;
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find('\n', begin), value.size());
      names.insert(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

/// Parameters and buffers that the graph reads, with their values; constants go into the graph.
void add_state(nn::GraphModuleData& data, const OnnxNetwork& network, const OnnxModel& model,
               const ByteSource& source) {
  const std::set<std::string> used = kept_names(data, network, model), buffers = told_buffers(model);
  std::vector<const OnnxState*> states;
  std::vector<const OnnxTensor*> tensors;
  for (const OnnxState& state : network.state()) {
    if (!used.contains(state.name)) continue;
    states.push_back(&state);
    tensors.push_back(state.values);
  }
  const std::vector<Tensor> values = read_onnx_tensors(source, tensors);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const OnnxState& state = *states[i];
    if (state.role == OnnxState::Role::constant) {
      data.graph.constants.emplace_back(state.name, state.stand_in);
      continue;
    }
    const bool is_parameter = state.role == OnnxState::Role::parameter && !buffers.contains(state.name);
    if (is_parameter) values[i].requires_grad_();
    data.state.push_back({state.name, values[i], is_parameter});
  }
}

/// "x.running" is called "x" where x is nothing else.
void shorten_statistics(nn::GraphModuleData& data) {
  std::set<std::string> keys;
  for (const nn::GraphState& state : data.state) keys.insert(state.key);
  for (nn::GraphState& state : data.state) {
    if (state.is_parameter || !state.key.ends_with(kRunning)) continue;
    const std::string name = state.key.substr(0, state.key.size() - kRunning.size());
    if (!keys.insert(name).second) continue;
    for (GraphNode& node : data.graph.nodes) {
      if (node.kind == GraphNode::Kind::get_attr && node.target == state.key) node.target = name;
    }
    state.key = name;
  }
}

/// In the order of the file.
void sort_state(nn::GraphModuleData& data, const OnnxModel& model) {
  std::map<std::string, std::size_t> places;
  for (const OnnxTensor& tensor : model.graph.initializers) places.emplace(tensor.name, places.size());
  const auto place_of = [&](const nn::GraphState& state) {
    const auto found = places.find(state.key);
    return found == places.end() ? places.size() : found->second;
  };
  std::stable_sort(data.state.begin(), data.state.end(),
                   [&](const nn::GraphState& a, const nn::GraphState& b) { return place_of(a) < place_of(b); });
}

}  // namespace

nn::GraphModuleData read_onnx_model(const std::shared_ptr<const ByteSource>& source) {
  const OnnxModel model = read_onnx(*source);
  OnnxNetwork network(model, source);
  nn::GraphModuleData data;
  data.graph = Importer(network).import();
  add_state(data, network, model, *source);
  shorten_statistics(data);
  sort_state(data, model);
  name_ports(data.graph, names_of(network.inputs()), names_of(model.graph.outputs));
  data.summary.type_name = "ONNX";
  data.training = false;
  return data;
}

}  // namespace teff::serialize
