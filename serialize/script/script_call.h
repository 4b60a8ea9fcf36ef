// SPDX-License-Identifier: MIT
#pragma once

// Private: the arguments of a call of one of ATen's operators.

#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/operators/aten.h"
#include "teff/serialize/script/script_run.h"

namespace teff::serialize {

class ScriptCall final : public OperatorCall {
 public:
  /// `known`: parameters that take part in arithmetic on sizes are given with their values.
  ScriptCall(ScriptRun& run, const AtenRow& row, const ScriptArguments& arguments, bool known = false);

  std::size_t input_count() const override { return arguments_.places(); }
  std::size_t result_count() const override { return 3; }
  bool wants(std::size_t) const override { return true; }
  int opset() const override { return 1000; }  // ATen has none: all of ONNX's are older
  Tensor maybe(std::size_t i) const override;
  Tensor known(std::size_t i) const override;
  bool is_known(std::size_t i) const override;
  Tensor statistic(std::size_t i) const override { return tensor(i); }
  std::optional<Value> option(std::string_view name) const override;

  /// All tensors among the arguments, those in lists, too.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// @throws UnsupportedError for an argument that nobody has asked for: it would change the result unseen.
  void check_asked() const;

 private:
  void add_tensors(ScriptValue& value, int depth);
  const ScriptValue* argument(std::size_t place) const;
  const ScriptValue* argument(std::string_view name) const;
  Value to_value(const ScriptValue& value, int depth) const;

  ScriptRun& run_;
  ScriptArguments arguments_;
  std::vector<std::string_view> names_;  // of the places
  std::vector<Tensor> tensors_;
  mutable std::vector<bool> asked_;
  bool known_;
};

}  // namespace teff::serialize
