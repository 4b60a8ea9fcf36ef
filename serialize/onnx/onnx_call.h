// SPDX-License-Identifier: MIT
#pragma once

// Private: the arguments of a node of an ONNX graph.

#include <vector>

#include "teff/serialize/onnx/onnx_network.h"

namespace teff::serialize {

class OnnxCall final : public OperatorCall {
 public:
  OnnxCall(OnnxNetwork& network, const OnnxNode& node, const std::vector<Tensor>& inputs)
      : network_(network), node_(node), inputs_(inputs), asked_(node.attributes.size()) {}

  std::size_t input_count() const override { return inputs_.size(); }
  std::size_t result_count() const override { return node_.outputs.size(); }
  bool wants(std::size_t i) const override { return i < node_.outputs.size() && !node_.outputs[i].empty(); }
  int opset() const override;
  Tensor maybe(std::size_t i) const override { return i < inputs_.size() ? inputs_[i] : Tensor(); }
  Tensor known(std::size_t i) const override;
  bool is_known(std::size_t i) const override;
  Tensor statistic(std::size_t i) const override;
  std::optional<Value> option(std::string_view name) const override;

  /// @throws UnsupportedError for an attribute that nobody has asked for: it would change the result unseen.
  void check_asked() const;

 private:
  OnnxNetwork& network_;
  const OnnxNode& node_;
  const std::vector<Tensor>& inputs_;
  mutable std::vector<bool> asked_;
};

}  // namespace teff::serialize
