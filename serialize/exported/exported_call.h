// SPDX-License-Identifier: MIT
#pragma once

// Private: the arguments of a node of an exported program, which all have names.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/serialize/operators/aten.h"

namespace teff::serialize {

/// An argument with its value: numbers, texts, tensors, and lists of them.
using ExportedArguments = std::vector<std::pair<std::string, Value>>;

class ExportedCall final : public OperatorCall {
 public:
  using ValuesOf = std::function<Tensor(const Tensor&)>;

  /// `values_of`: the values of a tensor of the file, or an undefined one. `known`: parameters that take part in
  /// arithmetic on sizes are given with their values.
  /// @throws UnsupportedError for an argument that the row has no name for.
  ExportedCall(const AtenRow& row, const ExportedArguments& arguments, ValuesOf values_of, bool known = false);

  std::size_t input_count() const override { return values_.size(); }
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
  void add_tensors(Value& value, bool known);

  std::vector<std::string_view> names_;  // of the places
  std::vector<Value> values_;            // by place, up to the last that is given
  std::vector<Tensor> tensors_;
  mutable std::vector<bool> asked_;
  ValuesOf values_of_;
};

}  // namespace teff::serialize
