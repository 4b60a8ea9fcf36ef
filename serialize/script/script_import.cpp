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
#include "teff/serialize/operators/imported_graph.h"
#include "teff/serialize/script/input_search.h"
#include "teff/serialize/script/script_file.h"
#include "teff/serialize/script/script_network.h"

namespace teff::serialize {
namespace {

using Types = std::vector<TensorType>;

/// Finds types of inputs for which the network's code runs, and records it.
class ScriptImporter {
 public:
  explicit ScriptImporter(ScriptNetwork& network) : network_(network) {}

  Graph import(const Types& given) {
    const detail::TypesOnlyGuard types_only;
    const Types types = given.empty() ? find_types() : checked(given);
    const NamedTensors attributes = network_.attributes();
    detail::Explored explored = explore(types, attributes);
    if constexpr (kHasTraining) follow_modes(explored, attributes);
    return std::move(explored.graph);
  }

 private:
  Types checked(const Types& given) {
    if (given.size() != network_.inputs().size()) {
      throw ValueError("expected LoadOptions::input_types for each of the " + std::to_string(network_.inputs().size()) +
                       " inputs, got " + std::to_string(given.size()));
    }
    record(given);
    return given;
  }

  Types find_types() {
    return find_input_types(network_.inputs().size(), network_.hints(), [&](const Types& types) -> InputTrial {
      try {
        const detail::Recording recording = record(types);
        return {"", network_.calls(), false, keeps_rows(types, recording.outputs)};
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const ResourceError&) {
        throw;
      } catch (const Error& error) {
        return {error.what(), network_.calls(), dynamic_cast<const UnsupportedError*>(&error) != nullptr, false};
      }
    });
  }

  /// Whether an output has the inputs' rows: where x.view({-1, 400}) makes more of them, other sizes were meant.
  static bool keeps_rows(const Types& types, const std::vector<Tensor>& outputs) {
    const Shape& input = types.empty() ? Shape{} : types[0].shape;
    if (input.empty()) return true;
    return std::any_of(outputs.begin(), outputs.end(), [&](const Tensor& output) {
      return output.dim() == 0 || output.size(0) == input[0] || (output.dim() > 1 && output.size(1) == input[0]);
    });
  }

  detail::Recording record(const Types& types, bool training = false) {
    detail::Recording recording =
        detail::record(function(training), stand_ins_for(types), network_.attributes(), network_.scopes());
    if (recording.graph.nodes.size() > kMaxRecorded) {
      throw UnsupportedError("expected a network of at most 8192 operations, got one of " +
                             std::to_string(recording.graph.nodes.size()));
    }
    return recording;
  }

  GraphFunction function(bool training = false) {
    const auto run = [this, training](std::span<const Tensor> inputs) { return network_.run(inputs, training); };
    return has_one_shape_ ? of_one_shape(run) : run;
  }

  /// With the batch free, or else with what is.
  detail::Explored explore(const Types& types, const NamedTensors& attributes) {
    const auto with = [&](bool batch) {
      const auto may_vary = [batch](const InputDim& place) { return batch || place != InputDim{0, 0}; };
      return detail::explore(function(), stand_ins_for(types), attributes, network_.scopes(),
                             {true, may_vary, kMaxExplored});
    };
    return explore_batch(with, has_one_shape_);
  }

  /// What the code tells an operation of its mode in both modes alike stays so. Code that does something else in
  /// training, as to give more outputs, is taken as it is in evaluation mode.
  void follow_modes(detail::Explored& explored, const NamedTensors& attributes) {
    const std::vector<Tensor> inputs = inputs_of_two_rows(explored);
    try {
      const auto run = [&](bool training) {
        return detail::record(function(training), inputs, attributes, network_.scopes()).graph;
      };
      keep_told_modes(explored.graph, run(false), run(true));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Error&) {
      return;
    }
  }

  ScriptNetwork& network_;
  bool has_one_shape_ = false;  // of its first input
};

/// Parameters and buffers with their values; what else the code reads goes into the graph.
void add_script_state(nn::GraphModuleData& data, const ScriptNetwork& network) {
  std::set<std::string> used;
  for (const GraphNode& node : data.graph.nodes) {
    if (node.kind == GraphNode::Kind::get_attr) used.insert(node.target);
  }
  std::map<const Contents*, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < network.state().size(); ++i) {
    const ScriptState& state = network.state()[i];
    if (state.role == ScriptState::Role::constant) {
      if (used.contains(state.name)) data.graph.constants.emplace_back(state.name, state.tensor);
    } else if (!state.shares) {
      places[state.contents].push_back(i);
    }
  }
  std::vector<Tensor> values(network.state().size());
  for (const auto& [contents, of_contents] : places) {
    std::vector<Tensor> stored;
    for (const std::size_t place : of_contents) stored.push_back(network.state()[place].stored);
    const std::vector<Tensor> read = contents->read(stored);
    for (std::size_t i = 0; i < read.size(); ++i) values[of_contents[i]] = read[i];
  }
  for (std::size_t i = 0; i < network.state().size(); ++i) {
    const ScriptState& state = network.state()[i];
    if (state.role == ScriptState::Role::constant) continue;
    const Tensor tensor = values[state.shares.value_or(i)];
    const bool is_parameter = state.role == ScriptState::Role::parameter;
    if (is_parameter && !state.shares && is_computable(tensor.dtype())) tensor.requires_grad_();
    data.state.push_back({state.name, tensor, is_parameter});
  }
}

}  // namespace

nn::GraphModuleData read_script_model(ScriptArchive archive, const LoadOptions& options) {
  check_supported(*archive.module, options);
  if (archive.constants != nullptr) check_supported(*archive.constants, options);
  ScriptNetwork network(std::move(archive));
  nn::GraphModuleData data;
  data.graph = ScriptImporter(network).import(options.input_types);
  add_script_state(data, network);
  name_ports(data.graph, network.inputs(), network.output_names());
  data.summary = network.archive().module->modules.at(0).summary;
  data.training = network.is_training();
  set_training(data.graph, data.training);  // it was recorded in evaluation mode
  return data;
}

}  // namespace teff::serialize
