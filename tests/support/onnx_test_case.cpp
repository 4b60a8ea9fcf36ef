// SPDX-License-Identifier: MIT
#include "support/onnx_test_case.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "teff/engine/error.h"

namespace teff::testing {
namespace {

/// A protocol buffer: fields one after the other, each with its number and, by its kind, a number or bytes.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next field; false at the end.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = varint();
    field_ = key >> 3;
    kind_ = key & 7;
    if (kind_ == kVarint) {
      number_ = varint();
    } else {
      bytes_ = take(kind_ == kFixed64 ? 8 : kind_ == kFixed32 ? 4 : kind_ == kBytes ? varint() : rest_.size() + 1);
    }
    return true;
  }

  std::uint64_t field() const { return field_; }
  std::int64_t number() const { return static_cast<std::int64_t>(number_); }
  std::string_view bytes() const { return bytes_; }
  std::string text() const { return std::string(bytes_); }
  float real() const { return value<float>(bytes_); }

  /// Adds the field's numbers: one, or several that are packed.
  void append_numbers(std::vector<std::int64_t>& numbers) const {
    if (kind_ == kVarint) return numbers.push_back(number());
    for (Message packed(bytes_); !packed.rest_.empty();) numbers.push_back(static_cast<std::int64_t>(packed.varint()));
  }
  /// The same of numbers of fixed size.
  template <class T>
  void append_fixed(std::vector<double>& numbers) const {
    for (std::string_view rest = bytes_; !rest.empty(); rest.remove_prefix(sizeof(T))) {
      numbers.push_back(static_cast<double>(value<T>(rest)));
    }
  }

 private:
  static constexpr std::uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

  template <class T>
  static T value(std::string_view bytes) {
    T result;
    if (bytes.size() < sizeof result) throw Error("onnx: expected a whole number, got its beginning");
    std::memcpy(&result, bytes.data(), sizeof result);
    return result;
  }

  std::uint64_t varint() {
    std::uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      result |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return result;
    }
    throw Error("onnx: expected a number of at most 10 bytes, got more");
  }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) throw Error("onnx: expected a whole message, got its beginning");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_, bytes_;
  std::uint64_t field_ = 0, kind_ = 0, number_ = 0;
};

std::optional<DType> dtype_of_code(std::int64_t code) {
  static const std::map<std::int64_t, DType> known = {
      {1, DType::float32},  {2, DType::uint8},    {3, DType::int8},     {4, DType::uint16}, {12, DType::uint32},
      {13, DType::uint64},  {5, DType::int16},    {6, DType::int32},    {7, DType::int64},  {9, DType::bool_},
      {10, DType::float16}, {11, DType::float64}, {16, DType::bfloat16}};
  const auto place = known.find(code);
  return place == known.end() ? std::nullopt : std::optional(place->second);
}

/// The values are raw bytes, or numbers in a field that depends on the type.
std::optional<Tensor> read_tensor(std::string_view bytes) {
  std::vector<std::int64_t> dims, numbers;
  std::vector<double> reals;
  std::optional<std::string_view> raw;
  std::optional<DType> dtype;
  for (Message message(bytes); message.next();) {
    if (message.field() == 1) message.append_numbers(dims);
    if (message.field() == 2) dtype = dtype_of_code(message.number());
    if (message.field() == 4) message.append_fixed<float>(reals);
    if (message.field() == 5 || message.field() == 7 || message.field() == 11) message.append_numbers(numbers);
    if (message.field() == 9) raw = message.bytes();
    if (message.field() == 10) message.append_fixed<double>(reals);
  }
  if (!dtype || dims.size() > kMaxRank) return {};
  const Shape shape{std::span<const std::int64_t>(dims)};
  if (raw) {
    const Tensor result = empty(shape, {.dtype = *dtype});
    if (raw->size() != result.nbytes()) throw Error("onnx: expected as many bytes as the shape says");
    if (!raw->empty()) std::memcpy(result.raw_data(), raw->data(), raw->size());
    return result;
  }
  if (is_floating_point(*dtype)) return tensor(reals, shape).to(*dtype);
  return tensor(numbers, shape).to(*dtype);
}

std::pair<std::string, OnnxAttribute> read_attribute(std::string_view bytes) {
  std::string name;
  OnnxAttribute attribute;
  for (Message message(bytes); message.next();) {
    if (message.field() == 1) name = message.text();
    if (message.field() == 2) attribute.real = static_cast<double>(message.real());
    if (message.field() == 3) attribute.number = message.number();
    if (message.field() == 4) attribute.text = message.text();
    if (message.field() == 7) message.append_fixed<float>(attribute.reals);
    if (message.field() == 8) message.append_numbers(attribute.numbers);
  }
  return {name, attribute};
}

OnnxNode read_node(std::string_view bytes) {
  OnnxNode node;
  for (Message message(bytes); message.next();) {
    if (message.field() == 1) node.inputs.push_back(message.text());
    if (message.field() == 4) node.op_type = message.text();
    if (message.field() == 5) node.attributes.insert(read_attribute(message.bytes()));
  }
  return node;
}

std::vector<OnnxNode> read_nodes(const std::string& model) {
  std::vector<OnnxNode> nodes;
  for (Message message(model); message.next();) {
    if (message.field() != 7) continue;
    for (Message graph(message.bytes()); graph.next();) {
      if (graph.field() == 1) nodes.push_back(read_node(graph.bytes()));
    }
  }
  return nodes;
}

const OnnxAttribute* find(const OnnxNode& node, const std::string& name) {
  const auto place = node.attributes.find(name);
  return place == node.attributes.end() ? nullptr : &place->second;
}

}  // namespace

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("onnx: cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<Tensor> read_onnx_values(const std::string& bytes) { return read_tensor(bytes); }

std::int64_t OnnxNode::number(const std::string& name, std::int64_t otherwise) const {
  const OnnxAttribute* found = find(*this, name);
  return found == nullptr ? otherwise : found->number;
}

double OnnxNode::real(const std::string& name, double otherwise) const {
  const OnnxAttribute* found = find(*this, name);
  return found == nullptr ? otherwise : found->real;
}

std::string OnnxNode::text(const std::string& name, const std::string& otherwise) const {
  const OnnxAttribute* found = find(*this, name);
  return found == nullptr ? otherwise : found->text;
}

std::vector<std::int64_t> OnnxNode::numbers(const std::string& name, std::vector<std::int64_t> otherwise) const {
  const OnnxAttribute* found = find(*this, name);
  return found == nullptr ? otherwise : found->numbers;
}

std::optional<OnnxNode> read_onnx_node(const std::filesystem::path& folder) {
  const std::vector<OnnxNode> nodes = read_nodes(read_bytes(folder / "model.onnx"));
  return nodes.size() == 1 ? std::optional(nodes[0]) : std::nullopt;
}

std::optional<OnnxTestCase> read_onnx_test_case(const std::filesystem::path& folder, const OnnxNode& node) {
  OnnxTestCase result{node, {}, {}};
  const auto path = [&](const char* kind, std::size_t i) {
    return folder / "test_data_set_0" / (kind + std::to_string(i) + ".pb");
  };
  std::size_t files = 0;
  for (const std::string& name : result.node.inputs) {
    const std::optional<Tensor> input = name.empty() ? Tensor() : read_tensor(read_bytes(path("input_", files++)));
    if (!input) return {};
    result.inputs.push_back(*input);
  }
  for (std::size_t i = 0; std::filesystem::exists(path("output_", i)); ++i) {
    const std::optional<Tensor> output = read_tensor(read_bytes(path("output_", i)));
    if (!output) return {};
    result.outputs.push_back(*output);
  }
  return result;
}

}  // namespace teff::testing
