// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/onnx/onnx_model.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxText = 1 << 16;
constexpr int kMaxGraphDepth = 8;
constexpr std::size_t kMaxInitializers = 1 << 16;

class Reader {
 public:
  explicit Reader(const ByteSource& source) : file_(source) {}

  OnnxModel read() {
    OnnxModel model;
    WireReader in(file_, {0, file_.source().size()});
    bool has_graph = false;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          model.ir_version = in.number();
          break;
        case 2:
          model.producer = text(in);
          break;
        case 7:
          if (has_graph) in.refuse("expected one graph, got a second one");
          has_graph = true;
          model.graph = graph(in.message(), 0);
          break;
        case 8:
          read_opset(in, model);
          break;
        case 14:
          model.metadata.push_back(pair(in));
          break;
        case 25:
          model.functions.push_back(function_name(in.message()));
          count(in);
          break;
        default:
          break;
      }
    }
    if (!has_graph) throw FormatError("expected a graph, got none");
    return model;
  }

 private:
  /// What is counted takes a few hundred bytes at most where the file has a few.
  void count(const WireReader& in) {
    if (++items_ > kMaxItems / 4) in.refuse("expected at most 524288 names, attributes and tensors, got more");
  }

  std::string text(const WireReader& in) {
    count(in);
    std::string text = in.text(kMaxText);
    if (!is_utf8(text)) in.refuse("expected text in UTF-8, got other bytes");
    return text;
  }

  void read_opset(const WireReader& in, OnnxModel& model) {
    std::string domain;
    std::int64_t version = 0;
    for (WireReader set(file_, in.message()); set.next();) {
      if (set.field() == 1) domain = text(set);
      if (set.field() == 2) version = set.number();
    }
    if (!domain.empty() && domain != "ai.onnx") return;
    if (model.opset != 0) in.refuse("expected one version of ONNX's operators, got a second one");
    if (version < 1) in.refuse("expected a version of ONNX's operators from 1 on, got " + std::to_string(version));
    model.opset = version;
  }

  std::pair<std::string, std::string> pair(const WireReader& in) {
    std::pair<std::string, std::string> result;
    for (WireReader entry(file_, in.message()); entry.next();) {
      if (entry.field() == 1) result.first = text(entry);
      if (entry.field() == 2) result.second = text(entry);
    }
    return result;
  }

  std::string function_name(const Extent& message) {
    std::string name;
    for (WireReader in(file_, message); in.next();) {
      if (in.field() == 1) name = text(in);
    }
    return name;
  }

  OnnxGraph graph(const Extent& message, int depth) {
    OnnxGraph graph;
    for (WireReader in(file_, message); in.next();) {
      if (depth == kMaxGraphDepth) in.refuse("expected graphs at most 8 deep in each other, got a deeper one");
      switch (in.field()) {
        case 1:
          if (++nodes_ > kMaxNodes) in.refuse("expected at most 65536 nodes, got more");
          graph.nodes.push_back(node(in, depth));
          break;
        case 2:
          graph.name = text(in);
          break;
        case 5:
          if (++initializers_ > kMaxInitializers) in.refuse("expected at most 65536 initialisers, got more");
          graph.initializers.push_back(tensor(in));
          if (graph.initializers.back().name.empty()) in.refuse("expected an initialiser with a name, got one without");
          break;
        case 11:
          graph.inputs.push_back(port(in));
          break;
        case 12:
          graph.outputs.push_back(port(in));
          break;
        case 15:
          throw UnsupportedError("at offset " + std::to_string(in.offset()) +
                                 ": expected dense initialisers, got a sparse one");
        default:
          break;
      }
    }
    return graph;
  }

  OnnxNode node(const WireReader& outer, int depth) {
    OnnxNode node;
    node.offset = outer.offset();
    for (WireReader in(file_, outer.message()); in.next();) {
      switch (in.field()) {
        case 1:
          node.inputs.push_back(text(in));
          break;
        case 2:
          node.outputs.push_back(text(in));
          break;
        case 3:
          node.name = text(in);
          break;
        case 4:
          node.op_type = text(in);
          break;
        case 5:
          node.attributes.push_back(attribute(in, depth));
          break;
        case 7:
          node.domain = text(in);
          break;
        default:
          break;
      }
    }
    if (node.op_type.empty()) outer.refuse("expected a node with an operator, got one without");
    check_attributes(outer, node);
    return node;
  }

  static void check_attributes(const WireReader& in, const OnnxNode& node) {
    if (node.attributes.size() > 64) in.refuse("expected at most 64 attributes of a node, got more");
    for (std::size_t i = 0; i < node.attributes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (node.attributes[i].name != node.attributes[j].name) continue;
        in.refuse("expected attributes of different names, got \"" + escaped(node.attributes[i].name, 80) + "\" twice");
      }
    }
  }

  OnnxAttribute attribute(const WireReader& outer, int depth) {
    using Kind = OnnxAttribute::Kind;
    count(outer);
    OnnxAttribute result;
    std::int64_t type = 0;
    for (WireReader in(file_, outer.message()); in.next();) {
      if (in.field() == 20) type = in.number();
      if (in.field() == 1) result.name = text(in);
      if (in.field() == 20 || in.field() == 1 || in.field() == 13) continue;
      const Kind before = result.kind;
      read_value(in, result, depth);
      const bool repeats = result.kind == Kind::reals || result.kind == Kind::integers || result.kind == Kind::texts;
      if (before != Kind::none && (before != result.kind || !repeats)) {
        in.refuse("expected one value of attribute \"" + escaped(result.name, 80) + "\", got a second one");
      }
    }
    if (result.kind == Kind::none) set_empty(result, type);
    return result;
  }

  void read_value(const WireReader& in, OnnxAttribute& result, int depth) {
    using Kind = OnnxAttribute::Kind;
    switch (in.field()) {
      case 2:
        result.kind = Kind::real;
        result.real = in.real();
        break;
      case 3:
        result.kind = Kind::integer;
        result.integer = in.number();
        break;
      case 4:
        result.kind = Kind::text;
        result.text = in.text(kMaxText);
        break;
      case 5:
        result.kind = Kind::tensor;
        result.tensor = std::make_unique<OnnxTensor>(tensor(in));
        break;
      case 6:
        result.kind = Kind::graph;
        result.graph = std::make_unique<OnnxGraph>(graph(in.message(), depth + 1));
        break;
      case 7:
        result.kind = Kind::reals;
        in.fixed<std::uint32_t>([&](std::uint32_t bits) { result.reals.push_back(std::bit_cast<float>(bits)); });
        break;
      case 8:
        result.kind = Kind::integers;
        in.numbers([&](std::int64_t number) { result.integers.push_back(number); });
        break;
      case 9:
        count(in);
        result.kind = Kind::texts;
        result.texts.push_back(in.text(kMaxText));
        break;
      default:
        result.kind = Kind::other;
        break;
    }
  }

  /// A value of 0 or "" and an empty list are not written.
  static void set_empty(OnnxAttribute& result, std::int64_t type) {
    using Kind = OnnxAttribute::Kind;
    constexpr Kind kKinds[] = {Kind::other, Kind::real,  Kind::integer,  Kind::text, Kind::other,
                               Kind::other, Kind::reals, Kind::integers, Kind::texts};
    result.kind = type >= 0 && type < 9 ? kKinds[type] : Kind::other;
  }

  OnnxTensor tensor(const WireReader& outer) {
    count(outer);
    OnnxTensor result;
    result.message = outer.message();
    bool is_external = false;
    OnnxExternalData external;
    for (WireReader in(file_, outer.message()); in.next();) {
      switch (in.field()) {
        case 1:
          in.numbers([&](std::int64_t dim) {
            if (result.dims.size() == 64) in.refuse("expected at most 64 dimensions, got more");
            if (dim < 0) in.refuse("expected sizes from 0 on, got " + std::to_string(dim));
            result.dims.push_back(dim);
          });
          break;
        case 2:
          result.code = in.number();
          break;
        case 3:
          in.refuse("expected a whole tensor, got a segment of one");
        case 8:
          result.name = text(in);
          break;
        case 9:
          if (result.raw) in.refuse("expected the bytes of a tensor once, got them again");
          result.raw = in.message();
          break;
        case 13:
          read_external(in, external);
          break;
        case 14:
          is_external = in.number() == 1;
          break;
        default:
          break;
      }
    }
    if (is_external) {
      if (result.raw) outer.refuse("expected the values of a tensor here or in another file, got both");
      result.external = std::make_unique<OnnxExternalData>(std::move(external));
    }
    return result;
  }

  void read_external(const WireReader& in, OnnxExternalData& external) {
    const auto [key, value] = pair(in);
    const auto number = [&, &value = value] {
      std::uint64_t result = 0;
      const bool is_number = !value.empty() && value.size() < 19 &&
                             std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!is_number) in.refuse("expected an offset or length of external data as digits, got another text");
      for (const char c : value) result = result * 10 + static_cast<std::uint64_t>(c - '0');
      return result;
    };
    if (key == "location") external.location = value;
    if (key == "offset") external.offset = number();
    if (key == "length") external.length = number();
  }

  OnnxPort port(const WireReader& outer) {
    count(outer);
    OnnxPort port;
    for (WireReader in(file_, outer.message()); in.next();) {
      if (in.field() == 1) port.name = text(in);
      if (in.field() != 2) continue;
      for (WireReader type(file_, in.message()); type.next();) {
        if (type.field() == 1) read_tensor_type(type.message(), port);
      }
    }
    return port;
  }

  void read_tensor_type(const Extent& message, OnnxPort& port) {
    for (WireReader in(file_, message); in.next();) {
      if (in.field() == 1) port.code = in.number();
      if (in.field() != 2) continue;
      port.has_shape = true;
      for (WireReader shape(file_, in.message()); shape.next();) {
        if (shape.field() != 1) continue;
        if (port.dims.size() == 64) shape.refuse("expected at most 64 dimensions, got more");
        port.dims.push_back(-1);
        port.symbols.emplace_back();
        for (WireReader dim(file_, shape.message()); dim.next();) {
          if (dim.field() == 1) port.dims.back() = std::max(dim.number(), std::int64_t{-1});
          if (dim.field() == 2) port.symbols.back() = text(dim);
        }
      }
    }
  }

  WireFile file_;
  std::size_t items_ = 0;
  std::size_t nodes_ = 0, initializers_ = 0;
};

}  // namespace

OnnxModel read_onnx(const ByteSource& source) { return Reader(source).read(); }

}  // namespace teff::serialize
