// SPDX-License-Identifier: MIT
#include "support/onnx_operators.h"

#include <algorithm>
#include <numeric>

#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"

namespace teff::testing {

OnnxOperator one(std::function<Tensor(const OnnxTestCase&)> function) {
  return [=](const OnnxTestCase& c) { return std::vector<Tensor>{function(c)}; };
}

Tensor input_or_none(const OnnxTestCase& c, std::size_t i) { return i < c.inputs.size() ? c.inputs[i] : Tensor(); }

namespace {

using Case = OnnxTestCase;
using Numbers = std::vector<std::int64_t>;

IntList list(const Numbers& numbers) { return IntList(std::span<const std::int64_t>(numbers)); }

bool has_input(const Case& c, std::size_t i) { return i < c.inputs.size() && c.inputs[i].defined(); }

OnnxOperator unary(Tensor (*function)(Tensor)) {
  return one([=](const Case& c) { return function(c.inputs[0]); });
}

OnnxOperator binary(Tensor (*function)(const Tensor&, const Tensor&)) {
  return one([=](const Case& c) {
    expect_covered(c.inputs[0].dtype() == c.inputs[1].dtype(), "two dtypes");
    return function(c.inputs[0], c.inputs[1]);
  });
}

/// Of any number of inputs, joined from left to right.
OnnxOperator joined(Tensor (*function)(const Tensor&, const Tensor&), bool mean) {
  return one([=](const Case& c) {
    Tensor result = c.inputs[0];
    for (std::size_t i = 1; i < c.inputs.size(); ++i) result = function(result, c.inputs[i]);
    return mean ? result / static_cast<double>(c.inputs.size()) : result;
  });
}

OnnxOperator over_axes(Tensor (*function)(const Tensor&, const IntList&, bool)) {
  return one([=](const Case& c) {
    const Numbers axes = has_input(c, 1) ? numbers_of(c.inputs[1]) : c.node.numbers("axes");
    if (axes.empty() && c.node.number("noop_with_empty_axes", 0) != 0) return c.inputs[0];
    return function(c.inputs[0], list(axes), c.node.number("keepdims", 1) != 0);
  });
}

OnnxOperator over_axis(Tensor (*function)(const Tensor&, Integer)) {
  return one([=](const Case& c) { return function(c.inputs[0], c.node.number("axis", -1)); });
}

double number_of(const Tensor& tensor) { return tensor.to(DType::float64).item<double>(); }

void add_elementwise(OnnxOperators& ops) {
  ops["Abs"] = unary(abs);
  ops["Exp"] = unary(exp);
  ops["Log"] = unary(log);
  ops["Neg"] = unary(neg);
  ops["Relu"] = unary(relu);
  ops["Sigmoid"] = unary(sigmoid);
  ops["Sqrt"] = unary(sqrt);
  ops["Tanh"] = unary(tanh);
  ops["HardSwish"] = unary(hardswish);
  ops["Softplus"] = one([](const Case& c) { return softplus(c.inputs[0]); });
  ops["Elu"] = one([](const Case& c) { return elu(c.inputs[0], c.node.real("alpha", 1)); });
  ops["LeakyRelu"] = one([](const Case& c) { return leaky_relu(c.inputs[0], c.node.real("alpha", 0.01)); });
  ops["PRelu"] = one([](const Case& c) { return apply(*make_op("prelu", {}), {c.inputs[0], c.inputs[1]}); });
  ops["HardSigmoid"] = one(
      [](const Case& c) { return clamp(c.inputs[0] * c.node.real("alpha", 0.2) + c.node.real("beta", 0.5), 0, 1); });
  ops["Clip"] = one([](const Case& c) {
    if (!has_input(c, 1) && !has_input(c, 2)) return c.inputs[0];
    const auto bound = [&](std::size_t i) {
      return has_input(c, i) ? std::optional(number_of(c.inputs[i])) : std::nullopt;
    };
    return clamp(c.inputs[0], bound(1), bound(2));
  });
  ops["Add"] = binary(add);
  ops["Sub"] = binary(sub);
  ops["Mul"] = binary(mul);
  ops["Div"] = binary(div);
  ops["Pow"] = binary(pow);
  ops["Equal"] = binary(eq);
  ops["Greater"] = binary(gt);
  ops["GreaterOrEqual"] = binary(ge);
  ops["Less"] = binary(lt);
  ops["LessOrEqual"] = binary(le);
  ops["Max"] = joined(maximum, false);
  ops["Min"] = joined(minimum, false);
  ops["Sum"] = joined(add, false);
  ops["Mean"] = joined(add, true);
}

Tensor gemm(const Case& c) {
  const auto matrix = [&](std::size_t i, const char* flag) {
    return c.node.number(flag, 0) != 0 ? c.inputs[i].t() : c.inputs[i];
  };
  const Tensor product = matmul(matrix(0, "transA"), matrix(1, "transB")) * c.node.real("alpha", 1);
  return has_input(c, 2) ? product + c.inputs[2] * c.node.real("beta", 1) : product;
}

void add_over_dimensions(OnnxOperators& ops) {
  ops["MatMul"] = binary(matmul);
  ops["Gemm"] = one(gemm);
  ops["Softmax"] = over_axis(softmax);
  ops["LogSoftmax"] = over_axis(log_softmax);
  ops["ReduceSum"] = over_axes(sum);
  ops["ReduceMean"] = over_axes(mean);
  ops["ReduceMax"] = over_axes(amax);
  ops["ReduceMin"] = over_axes(amin);
  ops["ArgMax"] = one([](const Case& c) {
    expect_covered(c.node.number("select_last_index", 0) == 0, "the last of equal values");
    return argmax(c.inputs[0], c.node.number("axis", 0), c.node.number("keepdims", 1) != 0);
  });
}

Tensor reshaped(const Case& c) {
  Numbers shape = numbers_of(c.inputs[1]);
  for (std::size_t i = 0; i < shape.size() && c.node.number("allowzero", 0) == 0; ++i) {
    if (shape[i] == 0) shape[i] = c.inputs[0].size(static_cast<std::int64_t>(i));
  }
  return view(c.inputs[0], list(shape));
}

Tensor flattened(const Case& c) {
  const Shape& shape = c.inputs[0].shape();
  std::int64_t axis = c.node.number("axis", 1), rows = 1;
  if (axis < 0) axis += c.inputs[0].dim();
  for (std::int64_t i = 0; i < axis; ++i) rows *= shape[static_cast<std::size_t>(i)];
  return view(c.inputs[0], {rows, -1});
}

Tensor transposed(const Case& c) {
  Numbers order(c.inputs[0].shape().size());
  std::iota(order.rbegin(), order.rend(), 0);
  return permute(c.inputs[0], list(c.node.numbers("perm", order)));
}

/// From the first to the last, where each is counted in the result.
Tensor unsqueezed(const Case& c) {
  Numbers axes = has_input(c, 1) ? numbers_of(c.inputs[1]) : c.node.numbers("axes");
  const auto rank = c.inputs[0].dim() + static_cast<std::int64_t>(axes.size());
  for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  Tensor result = c.inputs[0];
  for (const std::int64_t axis : axes) result = unsqueeze(result, axis);
  return result;
}

Tensor squeezed(const Case& c) {
  Numbers axes = has_input(c, 1) ? numbers_of(c.inputs[1]) : c.node.numbers("axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? c.inputs[0].dim() : 0;
  std::sort(axes.rbegin(), axes.rend());
  Tensor result = c.inputs[0];
  for (const std::int64_t axis : axes) result = squeeze(result, axis);
  return axes.empty() ? squeeze(result) : result;
}

Tensor sliced(const Case& c) {
  expect_covered(c.inputs.size() > 1, "bounds as attributes");
  const Numbers starts = numbers_of(c.inputs[1]), ends = numbers_of(c.inputs[2]);
  Tensor result = c.inputs[0];
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = has_input(c, 3) ? numbers_of(c.inputs[3])[i] : static_cast<std::int64_t>(i);
    const std::int64_t step = has_input(c, 4) ? numbers_of(c.inputs[4])[i] : 1;
    expect_covered(step > 0, "a negative step");
    result = slice(result, axis, starts[i], ends[i], step);
  }
  return result;
}

std::vector<Tensor> split(const Case& c) {
  const std::int64_t axis = c.node.number("axis", 0), size = c.inputs[0].size(axis);
  const auto parts = static_cast<std::int64_t>(c.outputs.size());
  const Numbers sizes =
      has_input(c, 1) ? numbers_of(c.inputs[1]) : c.node.numbers("split", Numbers(c.outputs.size(), size / parts));
  return teff::split(c.inputs[0], sizes, axis);
}

void add_shapes(OnnxOperators& ops) {
  ops["Reshape"] = one(reshaped);
  ops["Flatten"] = one(flattened);
  ops["Transpose"] = one(transposed);
  ops["Unsqueeze"] = one(unsqueezed);
  ops["Squeeze"] = one(squeezed);
  ops["Slice"] = one(sliced);
  ops["Split"] = split;
  ops["Concat"] = one([](const Case& c) { return cat(c.inputs, c.node.number("axis", 0)); });
  ops["Expand"] = one(
      [](const Case& c) { return c.inputs[0] + zeros(list(numbers_of(c.inputs[1])), {.dtype = c.inputs[0].dtype()}); });
}

Reduction reduction_of(const Case& c) {
  Reduction reduction{};
  from_string(c.node.text("reduction", "mean"), reduction);
  return reduction;
}

constexpr std::int64_t kNoClass = -1000000;

void add_losses(OnnxOperators& ops) {
  ops["NegativeLogLikelihoodLoss"] = one([](const Case& c) {
    return nll_loss(c.inputs[0], c.inputs[1],
                    {.weight = input_or_none(c, 2),
                     .ignore_index = c.node.number("ignore_index", kNoClass),
                     .reduction = reduction_of(c)});
  });
  ops["SoftmaxCrossEntropyLoss"] = one([](const Case& c) {
    return cross_entropy(c.inputs[0], c.inputs[1],
                         {.weight = input_or_none(c, 2),
                          .ignore_index = c.node.number("ignore_index", kNoClass),
                          .reduction = reduction_of(c)});
  });
}

}  // namespace

void expect_covered(bool covered, const char* what) {
  if (!covered) throw NotCovered(what);
}

std::vector<std::int64_t> numbers_of(const Tensor& input) {
  const Tensor values = input.to(DType::int64);
  const auto span = values.span<std::int64_t>();
  return {span.begin(), span.end()};
}

const OnnxOperators& onnx_operators() {
  static const OnnxOperators operators = [] {
    OnnxOperators result;
    add_elementwise(result);
    add_over_dimensions(result);
    add_shapes(result);
    add_losses(result);
    add_indexing_operators(result);
    add_image_operators(result);
    return result;
  }();
  return operators;
}

}  // namespace teff::testing
