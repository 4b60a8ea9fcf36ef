// SPDX-License-Identifier: MIT
#include "support/op_samples.h"

#include <ostream>

#include "support/input_makers.h"
#include "teff/engine/op_registry.h"

namespace teff::testing {
namespace {

IntList pair(std::int64_t height, std::int64_t width) { return {height, width}; }

Dict conv(const IntList& stride, const IntList& padding, const IntList& dilation, std::int64_t groups) {
  return {{"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"groups", groups}};
}

Dict batch_norm(bool training, bool statistics, bool affine) {
  return {{"training", training}, {"momentum", 0.3},   {"eps", 1e-3}, {"has_running_stats", statistics},
          {"has_weight", affine}, {"has_bias", affine}};
}

Dict reduced(const IntList& dims, bool keepdim) { return {{"dims", dims}, {"keepdim", keepdim}}; }

void add_elementwise(std::vector<OpSample>& samples) {
  for (const char* op : {"add", "sub", "mul", "maximum", "minimum"}) {
    samples.push_back({op, {}, {distinct({3, 5}), smooth({5})}});
    samples.push_back({op, {}, {smooth({2, 1, 3}), smooth({1, 4, 1})}});
  }
  samples.push_back({"div", {}, {smooth({3, 5}), positive({3, 1})}});
  samples.push_back({"pow", {}, {positive({3, 5}), smooth({5})}});
  for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    samples.push_back({op, {}, {smooth({3, 5}), smooth({3, 1})}});
    samples.push_back({std::string(op) + "_scalar", {{"value", 0.25}}, {smooth({3, 5})}});
  }
  for (const char* op : {"add_scalar", "sub_scalar", "rsub_scalar", "mul_scalar", "div_scalar", "rdiv_scalar"}) {
    samples.push_back({op, {{"value", -1.75}}, {away_from_zero({3, 7})}});
  }
  samples.push_back({"pow_scalar", {{"exponent", 2.5}}, {positive({3, 7})}});
  samples.push_back({"pow_scalar", {{"exponent", 3.0}}, {away_from_zero({3, 7})}});
  for (const char* op : {"neg", "exp", "sigmoid", "tanh", "clone", "detach"}) {
    samples.push_back({op, {}, {smooth({3, 7})}});
  }
  for (const char* op : {"log", "sqrt"}) samples.push_back({op, {}, {positive({3, 7})}});
  for (const char* op : {"abs", "relu"}) samples.push_back({op, {}, {away_from_zero({3, 7})}});
  samples.push_back({"leaky_relu", {{"negative_slope", 0.2}}, {away_from_zero({3, 7})}});
  samples.push_back({"clamp", {{"min", -0.5}, {"max", 1.0}}, {distinct({3, 7})}});
  samples.push_back({"clamp", {{"min", Value()}, {"max", 0.5}}, {distinct({3, 7})}});
  samples.push_back({"to", {{"dtype", "float64"}}, {smooth({3, 7})}});
}

void add_over_dimensions(std::vector<OpSample>& samples) {
  for (const char* op : {"softmax", "log_softmax"}) {
    samples.push_back({op, {{"dim", 1}}, {smooth({3, 5, 2})}});
    samples.push_back({op, {{"dim", -1}}, {smooth({3, 7})}});
  }
  for (const char* op : {"sum", "mean", "max", "min"}) {
    samples.push_back({op, reduced({}, false), {distinct({3, 5})}});
    samples.push_back({op, reduced({0, -1}, true), {distinct({3, 5, 2})}});
    samples.push_back({op, reduced({1}, false), {distinct({3, 5, 2})}});
  }
  for (const char* op : {"max_with_indices", "min_with_indices"}) {
    samples.push_back({op, {{"dim", 1}, {"keepdim", false}}, {distinct({3, 5, 2})}});
    samples.push_back({op, {{"dim", -1}, {"keepdim", true}}, {distinct({3, 5})}});
  }
  samples.push_back({"argmax", {{"dim", 1}, {"keepdim", true}}, {distinct({3, 5, 2})}});
  samples.push_back({"argmax", {{"dim", Value()}, {"keepdim", false}}, {distinct({3, 5})}});
}

void add_products(std::vector<OpSample>& samples) {
  samples.push_back({"matmul", {}, {smooth({3, 5}), smooth({5, 7})}});
  samples.push_back({"matmul", {}, {smooth({2, 1, 3, 4}), smooth({3, 4, 2})}});
  samples.push_back({"matmul", {}, {smooth({2, 3, 4}), smooth({4})}});
  samples.push_back({"matmul", {}, {smooth({4}), smooth({4})}});
  samples.push_back({"linear", {}, {smooth({2, 3, 5}), smooth({7, 5}), smooth({7})}});
  samples.push_back({"linear", {}, {smooth({5}), smooth({7, 5})}});
  samples.push_back({"conv2d",
                     conv(pair(2, 1), pair(1, 2), pair(1, 2), 1),
                     {smooth({2, 3, 5, 6}), smooth({4, 3, 3, 2}), smooth({4})}});
  samples.push_back(
      {"conv2d", conv(pair(1, 1), pair(0, 1), pair(1, 1), 2), {smooth({1, 4, 3, 5}), smooth({6, 2, 2, 3})}});
  samples.push_back({"conv2d",
                     conv(pair(2, 2), pair(1, 1), pair(1, 1), 3),
                     {smooth({2, 3, 5, 5}), smooth({3, 1, 3, 3}), smooth({3})}});
  samples.push_back({"conv2d",
                     conv(pair(1, 1), pair(0, 0), pair(1, 1), 1),
                     {smooth({2, 3, 3, 3}), smooth({5, 3, 1, 1}), smooth({5})}});
}

void add_layers(std::vector<OpSample>& samples) {
  samples.push_back({"max_pool2d",
                     {{"kernel_size", pair(3, 2)},
                      {"stride", pair(2, 1)},
                      {"padding", pair(1, 0)},
                      {"dilation", pair(1, 2)},
                      {"ceil_mode", true}},
                     {distinct({2, 3, 6, 5})}});
  samples.push_back({"max_pool2d", {{"kernel_size", pair(2, 2)}}, {distinct({1, 2, 5, 4})}});
  samples.push_back({"avg_pool2d",
                     {{"kernel_size", pair(3, 2)},
                      {"stride", pair(2, 1)},
                      {"padding", pair(1, 1)},
                      {"ceil_mode", true},
                      {"count_include_pad", false}},
                     {smooth({2, 3, 6, 5})}});
  samples.push_back({"avg_pool2d", {{"kernel_size", pair(2, 3)}, {"divisor_override", 4}}, {smooth({1, 2, 5, 6})}});
  const InputMaker channel = smooth({3}), mean = fixed(smooth({3})), variance = fixed(positive({3}));
  for (const bool training : {false, true}) {
    samples.push_back(
        {"batch_norm", batch_norm(training, true, true), {smooth({4, 3, 2, 5}), mean, variance, channel, channel}});
    samples.push_back({"batch_norm", batch_norm(training, true, false), {smooth({4, 3}), mean, variance}});
  }
  samples.push_back({"batch_norm", batch_norm(true, false, true), {smooth({2, 3, 5}), channel, channel}});
  samples.push_back({"dropout", {{"p", 0.3}, {"training", false}}, {smooth({3, 7})}});
  samples.push_back({"dropout", {{"p", 0.3}, {"training", true}}, {smooth({3, 7})}});
}

void add_shapes(std::vector<OpSample>& samples) {
  samples.push_back({"view", {{"shape", IntList{-1, 3}}}, {smooth({3, 2, 5})}});
  samples.push_back({"permute", {{"dims", IntList{2, 0, -1, 1}}}, {smooth({3, 2, 5, 1})}});
  samples.push_back({"expand", {{"shape", IntList{2, -1, 4}}}, {smooth({3, 1})}});
  samples.push_back({"cat", {{"dim", 1}}, {smooth({3, 2}), smooth({3, 1}), smooth({3, 4})}});
  samples.push_back({"slice", {{"dim", 1}, {"start", -6}, {"end", Value()}, {"step", 3}}, {smooth({3, 7})}});
  samples.push_back({"slice", {{"dim", 0}, {"start", 1}, {"end", 3}, {"step", 1}}, {smooth({5, 3})}});
  samples.push_back({"split", {{"split_size", 3}, {"dim", 0}}, {smooth({7, 2})}});
  samples.push_back({"split", {{"split_size", 2}, {"dim", -2}}, {smooth({3, 5, 2})}});
  samples.push_back({"split_with_sizes", {{"sizes", List{1, 0, 4}}, {"dim", 1}}, {smooth({3, 5, 2})}});
  samples.push_back({"select", {{"dim", -1}, {"index", -2}}, {smooth({3, 7})}});
  samples.push_back({"index_select", {{"dim", 1}}, {smooth({3, 7}), indices({5}, 7)}});
  samples.push_back({"pad", {{"padding", IntList{2, -1, 0, 3}}, {"value", 0.5}}, {smooth({3, 5})}});
}

}  // namespace

std::vector<Tensor> OpSample::inputs() const {
  std::vector<Tensor> result;
  unsigned seed = 1;
  for (const InputMaker& maker : makers) result.push_back(maker.make(seed++));
  return result;
}

std::vector<Tensor> OpSample::leaves(DType dtype) const {
  std::vector<Tensor> result = inputs();
  const bool differentiable = make_op(op, attributes)->differentiable();
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].dtype() == DType::float64) result[i] = result[i].to(dtype);
    if (differentiable && makers[i].differentiable) result[i].requires_grad_();
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const OpSample& sample) {
  out << sample.op << ' ' << sample.attributes << " of";
  for (const Tensor& input : sample.inputs()) out << ' ' << input.shape();
  return out;
}

const std::vector<OpSample>& op_samples() {
  static const std::vector<OpSample> samples = [] {
    std::vector<OpSample> result;
    add_elementwise(result);
    add_over_dimensions(result);
    add_products(result);
    add_layers(result);
    add_shapes(result);
    add_layer_op_samples(result);
    add_math_op_samples(result);
    add_indexing_op_samples(result);
    add_sequence_op_samples(result);
    add_volume_op_samples(result);
    return result;
  }();
  return samples;
}

const std::vector<OpSample>& large_op_samples() {
  static const std::vector<OpSample> samples = [] {
    std::vector<OpSample> result = {
        {"add", {}, {smooth({301, 401}), smooth({401})}},
        {"mul", {}, {smooth({301, 1}), smooth({1, 401})}},
        {"exp", {}, {smooth({301, 401})}},
        {"softmax", {{"dim", 1}}, {smooth({301, 401})}},
        {"log_softmax", {{"dim", 0}}, {smooth({301, 401})}},
        {"sum", reduced({}, false), {smooth({301, 401})}},
        {"sum", reduced({0}, false), {smooth({301, 401})}},
        {"mean", reduced({1}, false), {smooth({301, 401})}},
        {"max", reduced({0}, false), {smooth({301, 401})}},
        {"max_with_indices", {{"dim", 1}}, {smooth({301, 401})}},
        {"min_with_indices", {{"dim", 1}}, {smooth({31, 43, 101})}},
        {"split", {{"split_size", 150}, {"dim", 1}}, {smooth({301, 401})}},
        {"matmul", {}, {smooth({151, 203}), smooth({203, 181})}},
        {"matmul", {}, {smooth({9, 51, 33}), smooth({33, 47})}},
        {"linear", {}, {smooth({129, 203}), smooth({91, 203}), smooth({91})}},
        {"conv2d",
         conv(pair(1, 1), pair(1, 1), pair(1, 1), 1),
         {smooth({5, 7, 33, 29}), smooth({13, 7, 3, 3}), smooth({13})}},
        {"conv2d", conv(pair(2, 2), pair(1, 1), pair(1, 1), 32), {smooth({3, 32, 33, 29}), smooth({32, 1, 3, 3})}},
        {"conv2d", conv(pair(1, 1), pair(0, 0), pair(1, 1), 1), {smooth({1, 33, 31, 29}), smooth({65, 33, 1, 1})}},
        {"max_pool2d", {{"kernel_size", pair(3, 3)}, {"stride", pair(2, 2)}}, {smooth({5, 17, 33, 29})}},
        {"avg_pool2d", {{"kernel_size", pair(2, 2)}}, {smooth({5, 17, 33, 29})}},
        {"batch_norm", batch_norm(true, false, true), {smooth({9, 17, 33, 29}), smooth({17}), smooth({17})}},
        {"mse_loss", {{"reduction", "mean"}}, {smooth({301, 401}), smooth({301, 401})}},
        {"permute", {{"dims", IntList{2, 0, 1}}}, {smooth({31, 43, 101})}},
    };
    add_large_layer_op_samples(result);
    add_large_math_op_samples(result);
    add_large_indexing_op_samples(result);
    add_large_sequence_op_samples(result);
    add_large_volume_op_samples(result);
    return result;
  }();
  return samples;
}

}  // namespace teff::testing
