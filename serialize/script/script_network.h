// SPDX-License-Identifier: MIT
#pragma once

// Private: a TorchScript archive as a function on tensors, which nn::capture's machinery records, as it does ONNX's
// networks (onnx/onnx_network.h).

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "teff/engine/recording.h"
#include "teff/serialize/operators/folding.h"
#include "teff/serialize/script/script_program.h"
#include "teff/serialize/script/script_run.h"
#include "teff/serialize/torch/torch_script.h"

namespace teff::serialize {

/// A tensor of the archive: what stands for it in a record, and the stand-in of the file that has its values.
struct ScriptState {
  enum class Role { parameter, buffer, constant };
  std::string name;
  Tensor tensor;
  Tensor stored;
  const Contents* contents = nullptr;  // that of `stored`
  Role role = Role::parameter;
  std::optional<std::size_t> shares = {};  // the place of another whose tensor it is, too
};

class ScriptNetwork {
 public:
  /// @throws UnsupportedError, FormatError for an archive whose module has no forward of tensors.
  explicit ScriptNetwork(ScriptArchive archive);

  /// Names of forward's inputs.
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<ScriptState>& state() const { return state_; }
  teff::NamedTensors attributes() const;
  detail::ScopeNames scopes() const;
  /// Types of weights, by which inputs can be guessed: those of groups with the channels of all, a bilinear
  /// one as one for each input.
  std::vector<TensorType> hints();
  const ScriptArchive& archive() const { return archive_; }
  /// Of the outputs of the last run, if it was a dictionary.
  const std::vector<std::string>& output_names() const { return output_names_; }

  /// The mode that the archive was saved in.
  bool is_training() const;

  std::vector<Tensor> run(std::span<const Tensor> inputs, bool training = false);
  /// Operators of ATen that the last run has called, until it threw.
  std::size_t calls() const { return calls_; }

  // For a run.

  ScriptProgram& program() { return program_; }
  ScriptValue attribute(ScriptRun& run, const ScriptObject& object, const std::string& name);
  /// CONSTANTS.cN
  ScriptValue constant(ScriptRun& run, const std::string& number);
  /// `in_place`: results take the first argument's place, and are no parts of it.
  ScriptValue call_operator(ScriptRun& run, Folding& folding, const std::string& name, const ScriptArguments& arguments,
                            bool in_place = false);
  /// The values of a tensor that has a name; undefined if it has none, or is none of the archive's.
  Tensor values_of(const Tensor& tensor);
  bool is_parameter(const Tensor& tensor) const;
  /// @throws UnsupportedError for what has a name: its change would outlive the run.
  void check_may_change(const Tensor& owner, bool training) const;
  void count_steps(std::size_t count);

 private:
  std::size_t add_state(const Contents& contents, const Tensor& stored, const std::string& name,
                        ScriptState::Role role);
  void add_frozen();
  void find_inputs();
  ScriptValue convert(ScriptRun& run, const Contents& contents, const Value& value, const std::string& name);
  void add_outputs(ScriptRun& run, const ScriptValue& value, std::vector<Tensor>& outputs, int depth);

  ScriptArchive archive_;
  ScriptProgram program_;
  std::vector<std::string> inputs_, left_out_;  // of forward: left_out_ are None
  std::vector<ScriptState> state_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::tuple<const Contents*, std::size_t>, std::size_t> by_storage_;
  std::unordered_map<const void*, std::size_t> by_stored_;  // by the file's stand-in
  std::unordered_map<const void*, std::size_t> by_tensor_;  // by what stands for it
  std::unordered_map<std::size_t, Tensor> values_;          // that were read, by place in the state
  std::vector<std::string> output_names_;
  std::size_t steps_left_, run_steps_left_ = 0, calls_ = 0;
};

}  // namespace teff::serialize
