// SPDX-License-Identifier: MIT
#include "fuzz/random_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "support/op_samples.h"
#include "teff/engine/error.h"
#include "teff/engine/op_registry.h"

namespace teff::fuzz {
namespace {

using testing::op_samples;
using testing::OpSample;

constexpr std::int64_t kMaxElements = 1 << 12;  // of an input

/// Decisions. When the bytes are used up, all are 0.
class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : rest_(bytes) {}

  bool are_left() const { return !rest_.empty(); }
  std::size_t below(std::size_t count) {
    std::size_t value = 0;
    for (std::size_t most = 1; most < count; most *= 256) value = value * 256 + byte();
    return value % count;
  }
  bool one_in(std::size_t count) { return below(count) == count - 1; }

  std::int64_t integer() {
    const auto small = static_cast<std::int64_t>(below(8));
    switch (below(8)) {
      case 0:
        return -small;
      case 1:
        return near_power(below(64), small);
      case 2:
        return near_power(31, small);
      case 3:
        return near_power(30, small);
      case 4:
        return small < 4 ? std::numeric_limits<std::int64_t>::max() - small
                         : std::numeric_limits<std::int64_t>::min() + small - 4;
      default:
        return small;
    }
  }
  /// In [1, 2^31).
  std::int64_t step() {
    const auto small = static_cast<std::int64_t>(1 + below(4));
    return one_in(3) ? std::clamp<std::int64_t>(near_power(below(32), small), 1, (std::int64_t{1} << 31) - 1) : small;
  }
  double number() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    constexpr double kNumbers[] = {
        0.0,    1.0,       -1.0,       0.5,        2.0,      1e-300,
        1e300,  kInfinity, -kInfinity, 1e-30,      1e30,     0x1p31,
        0x1p63, -0.0,      0.1,        3.0,        1e5,      std::numeric_limits<double>::quiet_NaN(),
        1e-7,   0.999,     134217728,  2147483647, 0.000001, 1.0001};
    return kNumbers[below(std::size(kNumbers))];
  }

 private:
  static std::int64_t near_power(std::size_t power, std::int64_t distance) {
    return static_cast<std::int64_t>((std::uint64_t{1} << power) + static_cast<std::uint64_t>(distance) - 4);
  }
  std::size_t byte() {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<std::size_t>(rest_[0]);
    rest_ = rest_.subspan(1);
    return value;
  }

  std::span<const std::byte> rest_;
};

/// Some of the numbers in a value become others.
void distort(Choices& choices, Value& value) {
  if (value.is_list()) {
    for (Value& part : value.as_list()) distort(choices, part);
  } else if (!choices.one_in(3)) {
    return;
  } else if (value.is_bool()) {
    value = !value.as_bool();
  } else if (value.is_int()) {
    value = choices.integer();
  } else if (value.is_float()) {
    value = choices.number();
  } else if (value.is_none() && choices.one_in(2)) {
    value = choices.integer();
  }
}

/// Padding that leaves few outputs of windows of any stride and dilation: what is large may still be accepted.
void fit_windows(Choices& choices, Dict& attributes, const std::string& op, const std::vector<TensorType>& inputs) {
  const bool transposed = op == "conv_transpose2d", pool = op == "max_pool2d" || op == "avg_pool2d";
  if (!transposed && !pool && op != "conv2d") return;
  if (inputs[0].shape.size() != 4 || (!pool && inputs[1].shape.size() != 4)) return;
  List strides, paddings, dilations, kernels;
  for (std::size_t i = 2; i < 4; ++i) {
    const std::int64_t size = inputs[0].shape[i], stride = choices.step();
    const std::int64_t dilation = op == "avg_pool2d" ? 1 : choices.step();
    const std::int64_t kernel = pool ? choices.step() : inputs[1].shape[i];
    const auto out = static_cast<std::int64_t>(1 + choices.below(4));
    const std::int64_t extent = dilation * (kernel - 1) + 1;
    const std::int64_t excess = transposed ? (size - 1) * stride + extent - out : (out - 1) * stride + extent - size;
    const std::int64_t padding = std::max<std::int64_t>(0, (excess + 1) / 2);
    strides.emplace_back(stride);
    dilations.emplace_back(dilation);
    kernels.emplace_back(kernel);
    paddings.emplace_back(pool ? std::min(padding, kernel / 2) : padding);
  }
  attributes["stride"] = strides;
  attributes["padding"] = paddings;
  if (op != "avg_pool2d") attributes["dilation"] = dilations;
  if (pool) attributes["kernel_size"] = kernels;
}

Shape random_shape(Choices& choices, Shape shape, const Shape& neighbour) {
  constexpr std::int64_t kSizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 0, 257};
  if (choices.one_in(16) && !shape.empty()) shape.erase(shape.size() - 1);
  if (choices.one_in(16) && shape.size() < kMaxRank) shape.push_back(1);
  for (std::int64_t& size : shape) {
    if (choices.one_in(3)) size = kSizes[choices.below(std::size(kSizes))];
    if (!neighbour.empty() && choices.one_in(4)) size = neighbour[choices.below(neighbour.size())];
  }
  return shape;
}

Tensor random_tensor(Choices& choices, const TensorType& type) {
  if (type.dtype == DType::int64) {
    std::int64_t next = choices.one_in(8) ? choices.integer() % 3 : 0;
    Tensor tensor = zeros(type.shape, {.dtype = DType::int64});
    for (std::int64_t& value : tensor.span<std::int64_t>()) {
      value = next;
      next = (next + 1) % 3;
    }
    return tensor;
  }
  std::vector<float> values(static_cast<std::size_t>(numel(type.shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i) + 0.5F) + 0.1F;
  if (!values.empty() && choices.one_in(8)) values[choices.below(values.size())] = static_cast<float>(choices.number());
  return tensor(values).view(type.shape).to(type.dtype);
}

/// Those that have places to compute, so that half of all calls are theirs.
const std::vector<OpSample>& image_samples() {
  static const std::vector<OpSample> samples = [] {
    std::vector<OpSample> result;
    for (const OpSample& sample : op_samples()) {
      for (const char* part : {"conv", "pool", "interpolate", "pad"}) {
        if (sample.op.find(part) != std::string::npos) result.push_back(sample);
      }
    }
    return result;
  }();
  return samples;
}

/// Input, weight and bias of a convolution that fit each other; the input has the channels of `neighbour` if that is
/// of images.
std::vector<Shape> convolution_shapes(Choices& choices, bool transposed, const Shape& neighbour, Dict& attributes) {
  constexpr std::int64_t kGroups[] = {1, 1, 1, 2, 4, 16}, kChannels[] = {1, 2, 3, 16, 40};
  constexpr std::int64_t kBatches[] = {1, 2, 9, 17};
  const auto one_of = [&](const auto& values) { return values[choices.below(std::size(values))]; };
  const auto small = [&] { return static_cast<std::int64_t>(1 + choices.below(6)); };
  std::int64_t groups = one_of(kGroups), in = one_of(kChannels);
  if (neighbour.size() == 4) {
    groups = choices.one_in(2) ? std::max<std::int64_t>(1, neighbour[1]) : 1;
    in = neighbour[1] / groups;
  }
  const std::int64_t out = choices.one_in(3) ? 1 : one_of(kChannels);
  attributes["groups"] = groups;
  const Shape weight =
      transposed ? Shape{in * groups, out, small(), small()} : Shape{out * groups, in, small(), small()};
  return {{one_of(kBatches), in * groups, small() + small(), small() + small()}, weight, {out * groups}};
}

class Builder {
 public:
  explicit Builder(std::span<const std::byte> bytes) : choices_(bytes) {}

  RandomModel build() {
    const bool is_double = choices_.one_in(4);
    dtype_ = is_double ? DType::float64 : DType::float32;
    model_.data.training = choices_.one_in(2);
    model_.data.summary.type_name = "Random";
    for (int attempts = 0; attempts < 12 && choices_.are_left(); ++attempts) add_call();
    if (graph().nodes.empty()) add_leaf({{2, 3}, dtype_}, true);
    graph().outputs.push_back(last());
    if (choices_.one_in(4)) graph().outputs.push_back(static_cast<std::int64_t>(choices_.below(graph().nodes.size())));
    return std::move(model_);
  }

 private:
  Graph& graph() { return model_.data.graph; }
  std::int64_t last() { return static_cast<std::int64_t>(graph().nodes.size()) - 1; }
  const TensorType& type_of(std::int64_t place) { return graph().nodes[static_cast<std::size_t>(place)].type; }
  Shape neighbour() { return graph().nodes.empty() ? Shape() : type_of(last()).shape; }

  std::int64_t add_leaf(const TensorType& type, bool is_input) {
    const Tensor value = random_tensor(choices_, type);
    GraphNode node;
    node.kind = is_input ? GraphNode::Kind::placeholder : GraphNode::Kind::get_attr;
    if (!is_input) node.target = "t" + std::to_string(graph().nodes.size());
    add_node(node, type);
    if (is_input) {
      model_.inputs.push_back(value);
    } else {
      const bool is_parameter = is_computable(type.dtype) && !choices_.one_in(3);
      model_.data.state.push_back({node.target, value, is_parameter});
      if (is_parameter) model_.data.state.back().tensor.requires_grad_();
    }
    return last();
  }

  /// A sample's operation, with other sizes and options. What does not fit is left out again.
  void add_call() {
    const std::vector<OpSample>& samples = choices_.one_in(2) ? image_samples() : op_samples();
    const OpSample& sample = samples[choices_.below(samples.size())];
    const Graph graph_before = graph();
    const std::size_t states = model_.data.state.size(), inputs = model_.inputs.size();
    const bool is_first = graph().nodes.empty(), plain = choices_.one_in(2);
    try {
      GraphNode node;
      node.kind = GraphNode::Kind::call;
      node.target = sample.op;
      node.attributes = sample.attributes;
      std::vector<TensorType> types;
      const bool transposed = sample.op == "conv_transpose2d", fits = sample.op == "conv2d" || transposed;
      std::vector<Shape> fitting;
      if (fits) fitting = convolution_shapes(choices_, transposed, neighbour(), node.attributes);
      for (std::size_t i = 0; i < sample.makers.size(); ++i) {
        TensorType type = sample.makers[i].make(1).type();
        if (fits) type.shape = fitting[i];
        node.inputs.push_back(choose_input(type, i, is_first, plain || fits));
        types.push_back(type_of(node.inputs.back()));
      }
      if (is_first) std::sort(node.inputs.begin(), node.inputs.end());
      if (choices_.one_in(2)) {
        for (DictItem& item : node.attributes) distort(choices_, item.value);
      }
      if (choices_.one_in(2)) fit_windows(choices_, node.attributes, sample.op, types);
      add(std::move(node), types);
    } catch (const Error&) {
      graph() = graph_before;
      model_.data.state.resize(states);
      model_.inputs.resize(inputs);
    }
  }

  std::int64_t choose_input(TensorType type, std::size_t i, bool is_first, bool plain) {
    if (type.dtype == DType::float64) type.dtype = dtype_;
    if (!is_first && (i == 0 || choices_.one_in(plain ? 16 : 4))) {
      return i == 0 && !choices_.one_in(4) ? last() : static_cast<std::int64_t>(choices_.below(graph().nodes.size()));
    }
    if (!plain) type.shape = random_shape(choices_, type.shape, neighbour());
    if (numel(type.shape) > kMaxElements) throw ShapeError("too large");
    return add_leaf(type, is_first && (i == 0 || choices_.one_in(4)) && model_.data.state.empty());
  }

  void add(GraphNode node, const std::vector<TensorType>& types) {
    const std::shared_ptr<const Op> op = make_op(node.target, node.attributes);
    node.version = op->version();
    const std::int64_t place = last() + 1;
    for (const TensorType& type : teff::detail::output_types(*op, types)) {
      if (last() >= place) {
        node = {};
        node.kind = GraphNode::Kind::result;
        node.inputs = {place};
        if (last() - place > 16) throw ShapeError("too many results");
      }
      add_node(node, type);
    }
  }

  void add_node(GraphNode node, const TensorType& type) {
    node.name = "n" + std::to_string(graph().nodes.size());
    node.type = type;
    graph().nodes.push_back(std::move(node));
  }

  Choices choices_;
  DType dtype_ = DType::float32;
  RandomModel model_;
};

}  // namespace

RandomModel make_random_model(std::span<const std::byte> bytes) { return Builder(bytes).build(); }

void mutate_decisions(Bytes& bytes, Random& random, Mutator mutate) {
  if (random() % 4 == 0) return mutate(bytes);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8);
}

}  // namespace teff::fuzz
