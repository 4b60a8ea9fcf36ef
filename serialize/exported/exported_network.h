// SPDX-License-Identifier: MIT
#pragma once

// Private: an exported program as a function on tensors, which nn::capture's machinery records.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "teff/engine/recording.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/exported/exported_call.h"
#include "teff/serialize/exported/exported_program.h"
#include "teff/serialize/operators/folding.h"
#include "teff/serialize/script/script_aliases.h"

namespace teff::serialize {

/// A tensor of the file: what stands for it in a record, and the stand-in that has its values.
struct ExportedState {
  enum class Role : std::uint8_t { parameter, buffer, constant };
  std::string key;
  Tensor tensor;
  Tensor stored;
  const Contents* contents = nullptr;  // that of `stored`
  Role role = Role::parameter;
  std::optional<std::size_t> shares = {};  // the place of another whose tensor it is, too
};

class ExportedNetwork {
 public:
  /// @throws UnsupportedError with all operators that Teff has none for; FormatError.
  ExportedNetwork(ExportedProgram program, std::unique_ptr<Contents> state_dict, std::unique_ptr<Contents> constants);

  /// Of the user: what the program gets.
  const std::vector<const ExportedInput*>& inputs() const { return inputs_; }
  const ExportedProgram& program() const { return program_; }
  const ExportedMeta& meta(const std::string& name) const;
  const std::vector<ExportedState>& state() const { return state_; }
  teff::NamedTensors attributes() const;
  detail::ScopeNames scopes() const;

  /// Whether an operation of the program is told to train.
  bool is_training() const;

  std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  using Environment = std::map<std::string, Value, std::less<>>;
  struct Run;

  void add_inputs();
  void add_state_dict();
  std::size_t add_state(const Contents& contents, const Tensor& stored, const std::string& key,
                        ExportedState::Role role);
  void check_operators() const;
  Value value_of(Run& run, const ExportedValue& value) const;
  void run_node(Run& run, const ExportedNode& node);
  static Tensor handle_of(const Run& run, const ExportedNode& node);
  TensorList call(Run& run, const ExportedNode& node, const AtenRow& row, const ExportedArguments& arguments);
  void call_operator(Run& run, const ExportedNode& node, const std::string& name, ExportedArguments arguments);
  void call_in_place(Run& run, const ExportedNode& node, const std::string& name, ExportedArguments arguments);
  static void write_in_place(Run& run, const Tensor& changed, const Tensor& owner, const Tensor& values);
  void norm_in_training(Run& run, const ExportedNode& node, const ExportedArguments& arguments);
  bool counts_batches(const Tensor& tensor) const;
  void bind(Run& run, const std::string& name, const Value& value) const;
  void bind_all(Run& run, const ExportedNode& node, const TensorList& results, bool is_list) const;
  void check_mutation(const Run& run, const ExportedOutput& output) const;
  Tensor values_of(const Tensor& tensor);

  ExportedProgram program_;
  std::unique_ptr<Contents> state_dict_, constants_;
  std::vector<const ExportedInput*> inputs_;
  std::vector<ExportedState> state_;
  std::map<std::string, std::size_t> by_key_;
  std::map<std::tuple<const Contents*, std::size_t>, std::size_t> by_storage_;
  std::unordered_map<const void*, std::size_t> by_tensor_;  // by what stands for it
  std::unordered_map<std::size_t, Tensor> values_;          // that were read, by place in the state
  Environment initial_;                                     // what the graph's inputs of the file are called
  std::size_t calls_left_;
};

}  // namespace teff::serialize
