// SPDX-License-Identifier: MIT
#pragma once

// ONNX's published tests of single operators: a folder for each, with model.onnx, and inputs and outputs as
// test_data_set_0/input_0.pb and so on. The files are protocol buffers, of which this reads the few fields that count:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has their numbers.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "teff/engine/tensor.h"

namespace teff::testing {

struct OnnxAttribute {
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  std::vector<std::int64_t> numbers;
  std::vector<double> reals;
};

struct OnnxNode {
  std::string op_type;
  std::vector<std::string> inputs;  // "" for one that is left out
  std::map<std::string, OnnxAttribute> attributes;

  bool has(const std::string& name) const { return attributes.contains(name); }
  std::int64_t number(const std::string& name, std::int64_t otherwise) const;
  double real(const std::string& name, double otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::vector<std::int64_t> numbers(const std::string& name, std::vector<std::int64_t> otherwise = {}) const;
};

struct OnnxTestCase {
  OnnxNode node;
  std::vector<Tensor> inputs;  // in the node's order; undefined for one that is left out
  std::vector<Tensor> outputs;
};

// Both throw Error for a file that cannot be read.

std::string read_bytes(const std::filesystem::path& path);
/// A tensor as a file of its own has it; nothing if it is of a type that Teff does not store.
std::optional<Tensor> read_onnx_values(const std::string& bytes);

/// The model's node; nothing if it has more than one.
std::optional<OnnxNode> read_onnx_node(const std::filesystem::path& folder);
/// Nothing if a tensor is of a type that Teff does not store.
std::optional<OnnxTestCase> read_onnx_test_case(const std::filesystem::path& folder, const OnnxNode& node);

}  // namespace teff::testing
