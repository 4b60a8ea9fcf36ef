// SPDX-License-Identifier: MIT
// Operations besides products and convolutions, at a size that stays in the second-level cache and, of those over
// images, at the shapes of ResNet's first stages: forward without a graph, and backward (the gradient of the input,
// forward not counted).

#include "bench/bench.h"

using namespace teff;

namespace {

struct Case {
  const char* name;
  Shape shape;
  std::function<Tensor(const Tensor&)> function;
};

const std::vector<Case>& cases() {
  static const Shape values{64, 1024}, images{8, 32, 28, 28}, planes{1, 64, 112, 112};
  static const Tensor target = rand({64, 1024}), weight = rand({1024}), bias = rand({1024});
  static const Tensor labels = randint(0, 1024, {64});
  static const Tensor scale = rand({32}), shift = rand({32});
  static const std::vector<Case> all{
      {"relu", values, [](const Tensor& x) { return relu(x); }},
      {"exp", values, [](const Tensor& x) { return exp(x); }},
      {"log", values, [](const Tensor& x) { return log(x); }},
      {"sigmoid", values, [](const Tensor& x) { return sigmoid(x); }},
      {"tanh", values, [](const Tensor& x) { return tanh(x); }},
      {"gelu", values, [](const Tensor& x) { return gelu(x); }},
      {"silu", values, [](const Tensor& x) { return silu(x); }},
      {"hardswish", values, [](const Tensor& x) { return hardswish(x); }},
      {"add", values, [](const Tensor& x) { return x + target; }},
      {"mul_by_number", values, [](const Tensor& x) { return x * 3.0; }},
      {"add_row", values, [](const Tensor& x) { return x + weight; }},
      {"sum", values, [](const Tensor& x) { return sum(x); }},
      {"sum_rows", values, [](const Tensor& x) { return sum(x, {1}); }},
      {"sum_columns", values, [](const Tensor& x) { return sum(x, {0}); }},
      {"amax_rows", values, [](const Tensor& x) { return amax(x, {1}); }},
      {"softmax", values, [](const Tensor& x) { return softmax(x, 1); }},
      {"softmax_columns", values, [](const Tensor& x) { return softmax(x, 0); }},
      {"log_softmax", values, [](const Tensor& x) { return log_softmax(x, 1); }},
      {"cross_entropy", values, [](const Tensor& x) { return cross_entropy(x, labels); }},
      {"mse_loss", values, [](const Tensor& x) { return mse_loss(x, target); }},
      {"smooth_l1_loss", values, [](const Tensor& x) { return smooth_l1_loss(x, target); }},
      {"binary_cross_entropy", values, [](const Tensor& x) { return binary_cross_entropy(x, target); }},
      {"layer_norm", values, [](const Tensor& x) { return layer_norm(x, {1024}, weight, bias); }},
      {"group_norm", images, [](const Tensor& x) { return group_norm(x, 8, scale, shift); }},
      {"batch_norm", images,
       [](const Tensor& x) {
         static Tensor mean = zeros({32}), variance = ones({32});
         return batch_norm(x, mean, variance, scale, shift, {.training = true});
       }},
      {"max_pool2d_2x2", planes, [](const Tensor& x) { return max_pool2d(x, 2); }},
      {"max_pool2d_3x3_s2", planes, [](const Tensor& x) { return max_pool2d(x, 3, {.stride = 2, .padding = 1}); }},
      {"avg_pool2d_2x2", planes, [](const Tensor& x) { return avg_pool2d(x, 2); }},
      {"avg_pool2d_3x3_s2", planes, [](const Tensor& x) { return avg_pool2d(x, 3, {.stride = 2, .padding = 1}); }},
      {"adaptive_avg_pool2d_7x7", planes,
       [](const Tensor& x) {
         return adaptive_avg_pool2d(x, {7, 7});
       }},
      {"upsample_bilinear", images,
       [](const Tensor& x) { return interpolate(x, {.scale_factor = 2.0, .mode = InterpolateMode::bilinear}); }},
  };
  return all;
}

void forward(benchmark::State& state, const Case& c) {
  const NoGradGuard no_grad;
  const Tensor x = rand(c.shape);
  for (auto _ : state) benchmark::DoNotOptimize(c.function(x).raw_data());
}

void backward(benchmark::State& state, const Case& c) {
  const Tensor x = rand(c.shape, {.requires_grad = true});
  const Tensor result = c.function(x);
  const Tensor grad = rand(result.shape());
  for (auto _ : state) {
    x.set_grad({});
    result.backward(grad, {.retain_graph = true});
  }
}

}  // namespace

void bench::register_all() {
  for (const Case& c : cases()) {
    add(std::string(c.name) + "/forward", [&c](benchmark::State& state) { forward(state, c); });
    add(std::string(c.name) + "/backward", [&c](benchmark::State& state) { backward(state, c); });
  }
}
