// SPDX-License-Identifier: MIT
#pragma once

// ONNX files made by hand, field by field: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace teff::testing::onnx {

inline std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

/// A field that is a number, and one that is bytes: a text or a message.
inline std::string number(std::uint32_t field, std::int64_t value) {
  return varint(field << 3) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(std::uint32_t field, std::string_view value) {
  return varint(field << 3 | 2) + varint(value.size()) + std::string(value);
}
inline std::string real(std::uint32_t field, float value) {
  std::string four(4, '\0');
  std::memcpy(four.data(), &value, 4);
  return varint(field << 3 | 5) + four;
}

constexpr std::int64_t kFloat = 1, kInt32 = 6, kInt64 = 7, kText = 8, kBool = 9;

using Ints = std::vector<std::int64_t>;

template <class T>
std::string tensor(std::string_view name, std::int64_t code, const Ints& dims, const std::vector<T>& values) {
  std::string raw(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  std::string result;
  for (const std::int64_t dim : dims) result += number(1, dim);
  return result + number(2, code) + bytes(8, name) + bytes(9, raw);
}
inline std::string floats(std::string_view name, const Ints& dims, const std::vector<float>& values) {
  return tensor(name, kFloat, dims, values);
}
inline std::string ints(std::string_view name, const Ints& values) {
  return tensor(name, kInt64, {static_cast<std::int64_t>(values.size())}, values);
}

// Attributes.

inline std::string integer(std::string_view name, std::int64_t value) {
  return bytes(1, name) + number(3, value) + number(20, 2);
}
inline std::string float_number(std::string_view name, float value) {
  return bytes(1, name) + real(2, value) + number(20, 1);
}
inline std::string text(std::string_view name, std::string_view value) {
  return bytes(1, name) + bytes(4, value) + number(20, 3);
}
inline std::string integers(std::string_view name, const Ints& values) {
  std::string result = bytes(1, name);
  for (const std::int64_t value : values) result += number(8, value);
  return result + number(20, 7);
}
inline std::string value(std::string_view name, std::string_view tensor) {
  return bytes(1, name) + bytes(5, tensor) + number(20, 4);
}
inline std::string subgraph(std::string_view name, std::string_view graph) {
  return bytes(1, name) + bytes(6, graph) + number(20, 5);
}

using Texts = std::vector<std::string>;

inline std::string node(std::string_view op, const Texts& inputs, const Texts& outputs, const Texts& attributes = {}) {
  std::string result;
  for (const std::string& input : inputs) result += bytes(1, input);
  for (const std::string& output : outputs) result += bytes(2, output);
  result += bytes(3, std::string(op) + "_node") + bytes(4, op);
  for (const std::string& attribute : attributes) result += bytes(5, attribute);
  return result;
}

/// An input or output. A size of -1 is called N, -2 H, -3 W.
inline std::string port(std::string_view name, const Ints& dims, std::int64_t code = kFloat) {
  std::string shape;
  for (const std::int64_t dim : dims) {
    shape += bytes(1, dim >= 0 ? number(1, dim) : bytes(2, std::string(1, "NHW"[-1 - dim])));
  }
  return bytes(1, name) + bytes(2, bytes(1, number(1, code) + bytes(2, shape)));
}

struct Parts {
  Texts nodes, initializers, inputs, outputs;
};

inline std::string graph(const Parts& parts) {
  std::string result;
  for (const std::string& one : parts.nodes) result += bytes(1, one);
  result += bytes(2, "net");
  for (const std::string& one : parts.initializers) result += bytes(5, one);
  for (const std::string& one : parts.inputs) result += bytes(11, one);
  for (const std::string& one : parts.outputs) result += bytes(12, one);
  return result;
}

inline std::string model(std::string_view graph, std::int64_t opset = 17) {
  return number(1, 8) + bytes(2, "test") + bytes(7, graph) + bytes(8, bytes(1, "") + number(2, opset));
}
inline std::string model(const Parts& parts, std::int64_t opset = 17) { return model(graph(parts), opset); }

}  // namespace teff::testing::onnx
