// SPDX-License-Identifier: MIT
#include "teff/engine/input_rules.h"

#include <algorithm>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

template <class Types>
decltype(auto) size_at(Types& types, const InputDim& place) {
  return types[static_cast<std::size_t>(place.input)].shape[static_cast<std::size_t>(place.dim)];
}

std::vector<TensorType> input_types(const Graph& graph) {
  std::vector<TensorType> types;
  for (const GraphNode& node : graph.nodes) {
    if (node.kind == GraphNode::Kind::placeholder) types.push_back(node.type);
  }
  return types;
}

}  // namespace

std::vector<FreeSize> free_sizes_of(const Graph& graph) {
  const std::vector<TensorType> types = input_types(graph);
  if (!graph.free_sizes.empty() || types.empty() || types[0].shape.empty()) return graph.free_sizes;
  FreeSize batch;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].shape.empty() || types[i].shape[0] != types[0].shape[0]) continue;
    batch.places.push_back({static_cast<std::int64_t>(i), 0});
  }
  return {std::move(batch)};
}

namespace detail {

InputRules::InputRules(const Graph& graph) : types_(input_types(graph)), free_(free_sizes_of(graph)) {
  const std::vector<TensorType> captured = types_;
  for (const GraphNode& node : graph.nodes) {
    if (node.kind == GraphNode::Kind::placeholder) names_.push_back(node.name);
  }
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const auto& [places, least] : free_) {
    if (places.empty()) throw ValueError("graph: expected a free size to have a dimension, got one without");
    for (const InputDim& place : places) {
      const bool exists =
          place.input >= 0 && static_cast<std::size_t>(place.input) < types_.size() && place.dim >= 0 &&
          static_cast<std::size_t>(place.dim) < types_[static_cast<std::size_t>(place.input)].shape.size();
      if (!exists || !seen.emplace(place.input, place.dim).second ||
          size_at(captured, place) != size_at(captured, places[0])) {
        throw ValueError("graph: expected as a free size dimensions of inputs, each once, of one size, got dimension " +
                         std::to_string(place.dim) + " of input " + std::to_string(place.input));
      }
      size_at(types_, place) = -1;
    }
    if (least < 0 || least > size_at(captured, places[0])) {
      throw ValueError("graph: expected the least of a free size from 0 to the captured " +
                       std::to_string(size_at(captured, places[0])) + ", got " + std::to_string(least));
    }
  }
}

std::string InputRules::name_of(std::int64_t input) const {
  return '"' + escaped(names_[static_cast<std::size_t>(input)]) + '"';
}

void InputRules::check_count(std::size_t count) const {
  if (count == types_.size()) return;
  throw ShapeError("graph: expected " + std::to_string(types_.size()) + " inputs, got " + std::to_string(count));
}

void InputRules::check(std::span<const TensorType> inputs) const {
  check_count(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape &rule = types_[i].shape, &actual = inputs[i].shape;
    const bool fits = std::equal(rule.begin(), rule.end(), actual.begin(), actual.end(),
                                 [](auto size, auto other) { return size == other || (size == -1 && other >= 0); });
    if (fits && inputs[i].dtype == types_[i].dtype) continue;
    const std::string text = "graph: expected as " + name_of(static_cast<std::int64_t>(i)) + ' ' + describe(types_[i]) +
                             (rule.contains(-1) ? ", where -1 is any size" : "") + ", got " + describe(inputs[i]) +
                             "; it was not captured for others";
    if (inputs[i].dtype != types_[i].dtype) throw TypeError(text);
    throw ShapeError(text);
  }
  check_free(inputs);
}

void InputRules::check_free(std::span<const TensorType> inputs) const {
  const auto name = [&](const InputDim& place) {
    return "dimension " + std::to_string(place.dim) + " of " + name_of(place.input);
  };
  for (const auto& [places, least] : free_) {
    const std::int64_t size = size_at(inputs, places[0]);
    if (size < least) {
      throw ShapeError("graph: expected at least " + std::to_string(least) + " as " + name(places[0]) + ", got " +
                       std::to_string(size) + "; it was not captured for less");
    }
    for (const InputDim& place : places) {
      if (size_at(inputs, place) == size) continue;
      throw ShapeError("graph: expected one size for " + name(places[0]) + " and " + name(place) + ", got " +
                       std::to_string(size) + " and " + std::to_string(size_at(inputs, place)));
    }
  }
}

std::vector<Tensor> resized(std::vector<Tensor> inputs, const std::vector<InputDim>& places, std::int64_t size) {
  for (const InputDim& place : places) {
    Tensor& input = inputs[static_cast<std::size_t>(place.input)];
    const std::int64_t old = input.size(place.dim);
    if (input.impl()->storage == nullptr) {
      TensorType type = input.type();
      type.shape[static_cast<std::size_t>(place.dim)] = size;
      input = make_without_values(type);
      continue;
    }
    std::vector<std::int64_t> index;
    for (std::int64_t i = 0; i < size; ++i) index.push_back(i % old);
    input = index_select(input.detach(), place.dim, tensor(index));
  }
  return inputs;
}

std::vector<TensorType> resized(std::vector<TensorType> inputs, const std::vector<InputDim>& places,
                                std::int64_t size) {
  for (const InputDim& place : places) size_at(inputs, place) = size;
  return inputs;
}

}  // namespace detail
}  // namespace teff
