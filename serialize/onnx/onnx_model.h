// SPDX-License-Identifier: MIT
#pragma once

// Private: what an ONNX file says, as plain data. The numbers of the fields are those of onnx.proto,
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/onnx/onnx_codes.h"
#include "teff/serialize/onnx/wire_reader.h"

namespace teff::serialize {

/// Characters that an error shows of a text in the file.
constexpr std::size_t kShownText = 100;
inline std::string quoted(std::string_view name) { return '"' + escaped(name, kShownText) + '"'; }

/// Where the values of a tensor are that are not in the file itself.
struct OnnxExternalData {
  std::string location;  // a file
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

struct OnnxTensor {
  std::string name;
  std::int64_t code = 0;                       // of the dtype, in ONNX's numbers
  std::vector<std::int64_t> dims;              // checked: none is negative, the product is below 2^59
  Extent message;                              // in the file: typed fields are read again from here
  std::optional<Extent> raw;                   // the values, if they are bytes
  std::unique_ptr<OnnxExternalData> external;  // the same
};

struct OnnxGraph;

struct OnnxAttribute {
  enum class Kind : std::uint8_t { none, real, integer, text, tensor, graph, reals, integers, texts, other };
  std::string name;
  Kind kind = Kind::none;
  float real = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
  std::vector<std::string> texts;
  std::unique_ptr<OnnxTensor> tensor;
  std::unique_ptr<OnnxGraph> graph;
};

struct OnnxNode {
  std::string op_type, domain, name;
  std::vector<std::string> inputs, outputs;  // "" for one that is left out
  std::vector<OnnxAttribute> attributes;
  std::uint64_t offset = 0;  // in the file
};

/// An input or output. `type` is that of tensors; sizes that the file leaves open are -1.
struct OnnxPort {
  std::string name;
  std::int64_t code = 0;  // of the dtype; 0: not a tensor, or not said
  bool has_shape = false;
  std::vector<std::int64_t> dims;
  std::vector<std::string> symbols;  // by dimension: its name, if it has one
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxPort> inputs, outputs;
};

struct OnnxModel {
  std::int64_t ir_version = 0;
  std::string producer;
  std::int64_t opset = 0;  // of the operators that ONNX itself defines
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> functions;  // names of operators that the file defines itself
  OnnxGraph graph;
};

/// Reads all but the values of tensors, within limits: 65536 nodes, graphs 8 deep in each other, texts of 64 KiB.
/// @throws FormatError with the offset; UnsupportedError for files of kinds that are not read.
OnnxModel read_onnx(const ByteSource& source);

/// The type. @throws UnsupportedError for a dtype that Teff does not have, or more dimensions.
TensorType onnx_type(const OnnxTensor& tensor);
/// The values. @throws FormatError if they are not as many as the type says.
Tensor read_onnx_tensor(const ByteSource& source, const OnnxTensor& tensor);
/// The same for several, whose bytes are read by several threads. All must have a type.
std::vector<Tensor> read_onnx_tensors(const ByteSource& source, const std::vector<const OnnxTensor*>& tensors);

}  // namespace teff::serialize
