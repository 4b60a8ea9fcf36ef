// SPDX-License-Identifier: MIT
#pragma once

// Private: which inputs a graph takes.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/graph.h"

namespace teff::detail {

class InputRules {
 public:
  /// @throws ValueError unless the graph's free sizes are dimensions of its inputs, each once, of one captured size.
  explicit InputRules(const Graph& graph);

  /// The types of the inputs, -1 where a size is free.
  const std::vector<TensorType>& types() const { return types_; }
  /// @throws ShapeError, TypeError unless the graph takes inputs of these types.
  void check(std::span<const TensorType> inputs) const;
  void check_count(std::size_t count) const;

 private:
  std::string name_of(std::int64_t input) const;
  void check_free(std::span<const TensorType> inputs) const;

  std::vector<std::string> names_;
  std::vector<TensorType> types_;
  std::vector<FreeSize> free_;
};

/// The inputs with another size there: with fewer elements, or with those that they have again.
std::vector<Tensor> resized(std::vector<Tensor> inputs, const std::vector<InputDim>& places, std::int64_t size);
std::vector<TensorType> resized(std::vector<TensorType> inputs, const std::vector<InputDim>& places, std::int64_t size);

}  // namespace teff::detail
