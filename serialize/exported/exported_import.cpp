// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <new>
#include <set>

#include "teff/engine/build.h"
#include "teff/engine/error.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/recording.h"
#include "teff/serialize/exported/exported_archive.h"
#include "teff/serialize/exported/exported_file.h"
#include "teff/serialize/exported/exported_network.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/operators/imported_graph.h"

namespace teff::serialize {
namespace {

using ProgramTypes = std::vector<TensorType>;

/// Records the program with the types that it was exported with, and with other sizes.
class ExportedImporter {
 public:
  explicit ExportedImporter(ExportedNetwork& network) : network_(network), attributes_(network.attributes()) {}

  Graph import(const ProgramTypes& given) {
    const detail::TypesOnlyGuard types_only;
    const ProgramTypes types = given.empty() ? types_of_file() : checked(given);
    record(types);  // what is wrong is told for these types
    detail::Explored explored = explore(types);
    if constexpr (kHasTraining) follow_modes(explored);
    return std::move(explored.graph);
  }

 private:
  ProgramTypes types_of_file() const {
    ProgramTypes types;
    for (const ExportedInput* input : network_.inputs()) {
      const ExportedMeta& meta = network_.meta(input->name);
      TensorType type{{}, exported_dtype(meta.dtype)};
      for (const std::int64_t size : meta.sizes) {
        if (size < 0) {
          throw UnsupportedError("input \"" + escaped(input->name, 100) +
                                 "\": expected sizes that the program was exported with, got none: give "
                                 "LoadOptions::input_types");
        }
        type.shape.push_back(size);
      }
      types.push_back(type);
    }
    return types;
  }

  ProgramTypes checked(const ProgramTypes& given) const {
    if (given.size() != network_.inputs().size()) {
      throw ValueError("expected LoadOptions::input_types for each of the " + std::to_string(network_.inputs().size()) +
                       " inputs, got " + std::to_string(given.size()));
    }
    return given;
  }

  GraphFunction function() {
    const auto run = [this](std::span<const Tensor> inputs) { return network_.run(inputs); };
    return has_one_shape_ ? of_one_shape(run) : run;
  }

  void record(const ProgramTypes& types) {
    const std::size_t nodes =
        detail::record(function(), stand_ins_for(types), attributes_, network_.scopes()).graph.nodes.size();
    if (nodes <= kMaxRecorded) return;
    throw UnsupportedError("expected a network of at most 8192 operations, got one of " + std::to_string(nodes));
  }

  bool is_open(std::size_t input, std::size_t dim) const {
    const std::vector<bool>& open = network_.meta(network_.inputs()[input]->name).is_open;
    return dim < open.size() && open[dim];
  }

  /// Whether the file has a number for the batch, and the dimension is the batch.
  bool is_fixed_batch(const ProgramTypes& types, const InputDim& place) const {
    const auto input = static_cast<std::size_t>(place.input), dim = static_cast<std::size_t>(place.dim);
    return dim == 0 && !is_open(0, 0) && !types[0].shape.empty() && types[input].shape[0] == types[0].shape[0];
  }

  detail::Explored explore(const ProgramTypes& types) {
    const auto with = [&](bool batch) {
      const auto may_vary = [&, batch](const InputDim& place) {
        return is_open(static_cast<std::size_t>(place.input), static_cast<std::size_t>(place.dim)) ||
               (batch && is_fixed_batch(types, place));
      };
      detail::Explored explored = detail::explore(function(), stand_ins_for(types), attributes_, network_.scopes(),
                                                  {true, may_vary, kMaxExplored});
      if (batch && !types.empty() && !types[0].shape.empty() && !is_open(0, 0)) {
        check_rows(explored.graph, attributes_, types);
      }
      return explored;
    };
    return explore_batch(with, has_one_shape_);
  }

  /// A node says whether it trains, whatever the mode. For batch norm on two rows, if there is a batch.
  void follow_modes(detail::Explored& explored) {
    const std::vector<Tensor> inputs = inputs_of_two_rows(explored);
    try {
      const Graph graph = detail::record(function(), inputs, attributes_, network_.scopes()).graph;
      keep_told_modes(explored.graph, graph, graph);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Error&) {
      return;
    }
  }

  ExportedNetwork& network_;
  const NamedTensors attributes_;
  bool has_one_shape_ = false;  // of its first input
};

/// Parameters and buffers with their values, in the order of the state dict; constants go into the graph.
void add_exported_state(nn::GraphModuleData& data, const ExportedNetwork& network) {
  std::set<std::string> used;
  for (const GraphNode& node : data.graph.nodes) {
    if (node.kind == GraphNode::Kind::get_attr) used.insert(node.target);
  }
  std::vector<Tensor> stored;
  std::vector<std::size_t> places;
  const std::vector<ExportedState>& state = network.state();
  const Contents* contents = nullptr;
  for (std::size_t i = 0; i < state.size(); ++i) {
    if (state[i].role == ExportedState::Role::constant) {
      if (used.contains(state[i].key)) data.graph.constants.emplace_back(state[i].key, state[i].tensor);
    } else if (!state[i].shares) {
      contents = state[i].contents;
      stored.push_back(state[i].stored);
      places.push_back(i);
    }
  }
  std::vector<Tensor> values(state.size());
  const std::vector<Tensor> read = stored.empty() ? std::vector<Tensor>() : contents->read(stored);
  for (std::size_t i = 0; i < read.size(); ++i) values[places[i]] = read[i];
  for (std::size_t i = 0; i < state.size(); ++i) {
    if (state[i].role == ExportedState::Role::constant) continue;
    const Tensor tensor = values[state[i].shares.value_or(i)];
    const bool is_parameter = state[i].role == ExportedState::Role::parameter;
    if (is_parameter && !state[i].shares && is_computable(tensor.dtype())) tensor.requires_grad_();
    data.state.push_back({state[i].key, tensor, is_parameter});
  }
}

std::vector<std::string> input_names(const ExportedNetwork& network) {
  std::vector<std::string> names;
  for (const ExportedInput* input : network.inputs()) names.push_back(input->name);
  return names;
}

}  // namespace

nn::GraphModuleData read_exported_model(const std::shared_ptr<const ByteSource>& source, const LoadOptions& options) {
  const ExportedArchive archive(source, options);
  const JsonTree json(archive.program(), archive.program_offset());
  std::unique_ptr<Contents> state_dict = archive.state_dict(), constants = archive.constants();
  check_supported(*state_dict, options);
  check_supported(*constants, options);
  ExportedNetwork network(read_exported_program(json), std::move(state_dict), std::move(constants));
  nn::GraphModuleData data;
  data.graph = ExportedImporter(network).import(options.input_types);
  add_exported_state(data, network);
  name_ports(data.graph, input_names(network), network.program().output_names);
  data.summary.type_name = "ExportedProgram";
  data.training = network.is_training();
  set_training(data.graph, data.training);
  return data;
}

std::unique_ptr<Contents> open_exported(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  const ExportedArchive archive(std::move(source), options);
  std::unique_ptr<Contents> contents = archive.state_dict();
  const JsonTree json(archive.program(), archive.program_offset());
  json.root().at("graph_module").at("graph").at("nodes").each([&](const JsonValue& node) {
    contents->operators.push_back(list_exported_node(node));
  });
  contents->modules.emplace_back().summary.type_name = "ExportedProgram";
  return contents;
}

}  // namespace teff::serialize
