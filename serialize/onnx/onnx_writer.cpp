// SPDX-License-Identifier: MIT
#include <limits>
#include <sstream>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/onnx/onnx_codes.h"
#include "teff/serialize/onnx/onnx_export.h"
#include "teff/serialize/onnx/onnx_file.h"
#include "teff/serialize/onnx/wire_writer.h"

namespace teff::serialize {
namespace {

// The numbers are those of onnx.proto; see onnx_model.h.

constexpr std::int64_t kIrVersion = 8, kOpset = 17;
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

WireMessage tensor_message(const std::string& name, const Tensor& tensor) {
  WireMessage message;
  for (const std::int64_t size : tensor.shape()) message.number(1, size);
  message.number(2, onnx_code(tensor.dtype()));
  if (!name.empty()) message.text(8, name);
  message.bytes(9, tensor);
  return message;
}

/// The kinds of attributes, in ONNX's numbers.
enum AttributeKind : std::int64_t {
  kReal = 1,
  kInteger = 2,
  kText = 3,
  kTensor = 4,
  kReals = 6,
  kIntegers = 7,
  kTexts = 8
};

std::int64_t write_list(WireMessage& message, const List& list) {
  for (const Value& item : list) {
    if (item.is_float()) message.real(7, static_cast<float>(item.as_float()));
    if (item.is_int()) message.number(8, item.as_int());
    if (item.is_text()) message.text(9, item.as_text());
  }
  return list.empty() || list[0].is_int() ? kIntegers : list[0].is_text() ? kTexts : kReals;
}

std::int64_t write_value(WireMessage& message, const Value& value) {
  if (value.is_list()) return write_list(message, value.as_list());
  if (value.is_text()) return message.text(4, value.as_text()), kText;
  if (value.is_tensor()) return message.message(5, tensor_message("", value.as_tensor())), kTensor;
  if (value.is_float()) return message.real(2, static_cast<float>(value.as_float())), kReal;
  return message.number(3, value.is_bool() ? std::int64_t{value.as_bool()} : value.as_int()), kInteger;
}

WireMessage node_message(const ExportNode& node) {
  WireMessage message;
  for (const std::string& input : node.inputs) message.text(1, input);
  for (const std::string& output : node.outputs) message.text(2, output);
  message.text(3, node.name);
  message.text(4, node.op);
  for (const auto& [name, value] : node.attributes) {
    WireMessage attribute;
    attribute.text(1, name);
    attribute.number(20, write_value(attribute, value));
    message.message(5, std::move(attribute));
  }
  return message;
}

WireMessage port_message(const ExportPort& port) {
  WireMessage shape;
  for (std::size_t i = 0; i < port.symbols.size(); ++i) {
    WireMessage dim;
    if (port.symbols[i].empty()) {
      dim.number(1, port.type.shape[i]);
    } else {
      dim.text(2, port.symbols[i]);
    }
    shape.message(1, std::move(dim));
  }
  WireMessage tensor, type, message;
  tensor.number(1, onnx_code(port.type.dtype));
  tensor.message(2, std::move(shape));
  type.message(1, std::move(tensor));
  message.text(1, port.name);
  message.message(2, std::move(type));
  return message;
}

/// The module as it prints.
std::string printed(const nn::GraphModuleData& module) {
  std::ostringstream text;
  text << module.summary;
  return text.str();
}

WireMessage graph_message(const nn::GraphModuleData& module) {
  const ExportGraph graph = export_graph(module);
  WireMessage message;
  for (const ExportNode& node : graph.nodes) message.message(1, node_message(node));
  message.text(2, module.summary.type_name.empty() ? "network" : module.summary.type_name);
  for (const auto& [name, tensor] : graph.initializers) message.message(5, tensor_message(name, tensor));
  message.text(10, printed(module));
  for (const ExportPort& port : graph.inputs) message.message(11, port_message(port));
  for (const ExportPort& port : graph.outputs) message.message(12, port_message(port));
  return message;
}

void add_metadata(WireMessage& message, std::string_view key, std::string_view value) {
  WireMessage pair;
  pair.text(1, key);
  pair.text(2, value);
  message.message(14, std::move(pair));
}

/// Names of buffers that a reader would take for parameters.
std::string buffers_of(const nn::GraphModuleData& module) {
  std::string names;
  for (const nn::GraphState& state : module.state) {
    if (state.is_parameter || !is_computable(state.tensor.dtype())) continue;
    names += (names.empty() ? "" : "\n") + state.key;
  }
  return names;
}

WireMessage model_message(const nn::GraphModuleData& module, const SaveOptions& options) {
  WireMessage message, opset;
  message.number(1, kIrVersion);
  message.text(2, "Teff");
  message.message(7, graph_message(module));
  opset.text(1, "");
  opset.number(2, kOpset);
  message.message(8, std::move(opset));
  for (const auto& [key, value] : options.metadata) {
    if (!value.is_text()) {
      throw ValueError("metadata \"" + escaped(key, 80) + "\": expected text, which is all that ONNX takes, got " +
                       std::string(to_string(value.kind())));
    }
    add_metadata(message, key, value.as_text());
  }
  if (const std::string buffers = buffers_of(module); !buffers.empty()) add_metadata(message, kOnnxBuffers, buffers);
  return message;
}

}  // namespace

void save_onnx(const nn::GraphModuleData& module, ByteSink& file, const SaveOptions& options) {
  const WireMessage message = model_message(module, options);
  if (message.size() > kMostBytes) {
    throw ValueError("expected at most " + std::to_string(kMostBytes) +
                     " bytes, which is the most that an ONNX file may "
                     "have, got " +
                     std::to_string(message.size()) + ": save the model as .teff");
  }
  message.write(file);
}

void save_onnx_tensor(const std::string& name, const Tensor& tensor, ByteSink& file) {
  tensor_message(name, tensor.detach()).write(file);
}

}  // namespace teff::serialize
