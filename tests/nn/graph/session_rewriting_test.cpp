// SPDX-License-Identifier: MIT

// What an InferenceSession makes of the operations of a model: which calls are left, and that they give the same.

#include <doctest/doctest.h>

#include <functional>

#include "nn/nets.h"
#include "teff/engine/autograd.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/profiler.h"
#include "teff/engine/testing.h"

namespace teff::nn_testing {
namespace {

using Ops = std::vector<std::string>;
using Outputs = std::vector<Tensor>;

/// Layers, and a function that calls them.
struct Composed : nn::Module {
  nn::Sequential layers;
  TEFF_MODULE(Composed, layers)

  explicit Composed(nn::Sequential all) : layers(std::move(all)) {}
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return function(x[0]); }

  std::function<std::vector<Tensor>(const Tensor&)> function;
};

struct OffsetOptions {
  double value = 1;
  static void fields(auto& self, auto&& field) { field("value", self.value); }
};

/// x + value
class Offset : public OpWith<Offset, OffsetOptions> {
 public:
  static constexpr std::string_view kName = "test_offset";
  using OpWith::OpWith;
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0] + options_.value; }
  TensorList backward(const BackwardContext& context) const override { return {context.grad}; }
  std::optional<ChannelAffine> channel_affine(std::span<const Tensor>) const override {
    return ChannelAffine{ones({5}, {.dtype = DType::float64}), full({5}, options_.value, {.dtype = DType::float64})};
  }
};

struct RowsOptions {
  bool says_view = true, is_view = true;
  static void fields(auto& self, auto&& field) {
    field("says_view", self.says_view);
    field("is_view", self.is_view);
  }
};

/// x as it is, a view or not.
class Rows : public OpWith<Rows, RowsOptions> {
 public:
  static constexpr std::string_view kName = "test_rows";
  using OpWith::OpWith;
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    return options_.is_view ? x.view(x.shape()) : x.clone();
  }
  TensorList backward(const BackwardContext& context) const override { return {context.grad}; }
  bool is_view(std::span<const TensorType>) const override { return options_.says_view; }
};

/// In evaluation mode, with running statistics, weights and biases that are no longer what they were at the beginning.
template <class SomeModule>
void settle(SomeModule& module, const Shape& input) {
  manual_seed(1);
  const NoGradGuard no_grad;
  for (const auto& [name, parameter] : module.named_parameters()) parameter.add_(randn(parameter.shape()) * 0.3);
  for (int i = 0; i < 3; ++i) module.forward_many(std::vector<Tensor>{randn(input) * 2.0 + 0.5});
  module.eval();
}

/// The names of the operations that a session of the module runs, whose outputs it compares with the module's.
Ops run(nn::Module& module, const Tensor& input, const Tolerance& tolerance = {1e-5, 1e-5}) {
  nn::InferenceSession session(nn::capture(module, input), {input.shape()});
  const NoGradGuard no_grad;
  const std::vector<Tensor> expected = module.forward_many(std::vector<Tensor>{input});
  Ops ops;
  for (int round = 0; round < 2; ++round) {
    Profiler profiler;
    const std::span<const Tensor> actual = session.run(std::span(&input, 1));
    profiler.stop();
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) assert_close(actual[i], expected[i], tolerance);
    ops.clear();
    for (const ProfilerEvent& event : profiler.events()) ops.push_back(event.op);
  }
  return ops;
}

template <class... Layers>
Ops run_layers(const Shape& input, Layers... layers) {
  nn::Sequential module{std::move(layers)...};
  settle(module, input);
  return run(module, randn(input));
}

/// The same for layers that a function puts together: function(layers, input).
template <class Body>
Ops run_net(const Shape& input, nn::Sequential layers, const Body& body, const Tolerance& tolerance = {1e-5, 1e-5}) {
  Composed module(std::move(layers));
  module.function = [&](const Tensor& x) { return body(module.layers, x); };
  settle(module, input);
  return run(module, randn(input), tolerance);
}

}  // namespace

TEST_CASE("batch norm, dropout and what clamps become part of the convolution before them") {
  const Ops one{"conv2d_clamp"};
  CHECK(run_layers({2, 3, 9, 9}, nn::Conv2d(3, 8, 3), nn::Dropout2d(), nn::BatchNorm2d(8), nn::ReLU()) == one);
  CHECK(run_layers({2, 3, 9, 9}, nn::Conv2d(3, 8, 3), nn::Dropout2d(), nn::ReLU6()) == one);
  CHECK(run_layers({2, 4, 9, 9}, nn::Conv2d(4, 8, 3, {.padding = "same", .groups = 4, .bias = false}),
                   nn::BatchNorm2d(8, {.affine = false}), nn::Dropout(), nn::Hardtanh(-0.5, 0.7)) == one);
  CHECK(run_layers({2, 3, 9, 9}, nn::Conv2d(3, 8, 3, {.padding = 1, .padding_mode = PadMode::reflect}),
                   nn::BatchNorm2d(8)) == Ops{"pad", "conv2d"});
}

TEST_CASE("batch norm after batch norm is folded, too; after ReLU it is not") {
  CHECK(run_layers({2, 3, 9, 9}, nn::Conv2d(3, 8, 3), nn::BatchNorm2d(8), nn::BatchNorm2d(8)) == Ops{"conv2d"});
  CHECK(run_layers({2, 3, 9, 9}, nn::Conv2d(3, 8, 3), nn::ReLU(), nn::BatchNorm2d(8)) ==
        Ops{"conv2d_clamp", "batch_norm"});
}

TEST_CASE("a transposed convolution takes batch norm and what clamps, in groups, too") {
  const Ops one{"conv_transpose2d_clamp"};
  CHECK(run_layers({2, 3, 5, 6}, nn::ConvTranspose2d(3, 8, 3), nn::BatchNorm2d(8), nn::ReLU()) == one);
  CHECK(run_layers({2, 4, 5, 6},
                   nn::ConvTranspose2d(4, 6, 3, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}),
                   nn::BatchNorm2d(6), nn::ReLU6()) == one);
  CHECK(run_layers({2, 6, 5, 4}, nn::ConvTranspose2d(6, 6, {2, 3}, {.groups = 3, .bias = false}), nn::Dropout2d(),
                   nn::ReLU()) == one);
  CHECK(run_layers({2, 6, 5, 4}, nn::ConvTranspose2d(6, 9, 2, {.groups = 3, .bias = false}), nn::BatchNorm2d(9)) ==
        Ops{"conv_transpose2d"});
}

TEST_CASE("a linear layer takes batch norm over its features and what clamps") {
  CHECK(run_layers({4, 7}, nn::Linear(7, 11), nn::BatchNorm1d(11), nn::ReLU6()) == Ops{"linear_clamp"});
  CHECK(run_layers({4, 7}, nn::Linear(7, 11, {.bias = false}), nn::Dropout(), nn::BatchNorm1d(11),
                   nn::BatchNorm1d(11)) == Ops{"linear"});
  CHECK(run_layers({4, 3, 7}, nn::Linear(7, 11), nn::ReLU()) == Ops{"linear_clamp"});
  // The channels of [N, C, L] are not the features.
  CHECK(run_layers({4, 3, 7}, nn::Linear(7, 11), nn::BatchNorm1d(3)) == Ops{"linear", "batch_norm"});
}

TEST_CASE("views in between are no hindrance if they keep the channels, or to what is done to each element") {
  CHECK(run_layers({2, 3, 9}, nn::Conv1d(3, 8, 3), nn::BatchNorm1d(8), nn::ReLU()) == Ops{"conv2d_clamp"});
  const auto viewed = [](nn::Sequential& layers, const Tensor& x) {
    return Outputs{layers[1](layers[0](x).view({-1, 3, 4}))};
  };
  CHECK(run_net({2, 7}, nn::Sequential{nn::Linear(7, 12), nn::ReLU()}, viewed) == Ops{"linear_clamp"});
  CHECK(run_net({2, 7}, nn::Sequential{nn::Linear(7, 12), nn::BatchNorm1d(3)}, viewed) == Ops{"linear", "batch_norm"});
}

TEST_CASE("any clamp is fused but one whose bounds are crossed") {
  const auto clamped = [](std::optional<double> low, std::optional<double> high) {
    const auto body = [&](nn::Sequential& layers, const Tensor& x) { return Outputs{clamp(layers(x), low, high)}; };
    return run_net({2, 3, 6, 6}, nn::Sequential{nn::Conv2d(3, 8, 3)}, body, {0, 0});
  };
  CHECK(clamped(-0.25, {}) == Ops{"conv2d_clamp"});
  CHECK(clamped({}, 0.5) == Ops{"conv2d_clamp"});
  CHECK(clamped(0.5, -0.5) == Ops{"conv2d", "clamp"});
}

TEST_CASE("a result that something else needs stays as it is") {
  const nn::Sequential layers{nn::Conv2d(3, 4, 3), nn::BatchNorm2d(4)};
  CHECK(run_net({2, 3, 6, 6}, layers, [](nn::Sequential& all, const Tensor& x) {
          const Tensor y = all[0](x);
          return Outputs{all[1](y) + y};
        }) == Ops{"conv2d", "batch_norm", "add"});
  CHECK(run_net({2, 3, 6, 6}, layers, [](nn::Sequential& all, const Tensor& x) {
          const Tensor y = all[0](x), z = all[1](y);
          return Outputs{y, relu(z), z.flatten(1)};
        }) == Ops{"conv2d", "batch_norm", "relu"});
}

TEST_CASE("two convolutions with one weight are folded each with its own batch norm") {
  const nn::Sequential layers{nn::Conv2d(4, 4, 3), nn::BatchNorm2d(4), nn::BatchNorm2d(4)};
  CHECK(run_net({2, 4, 6, 6}, layers, [](nn::Sequential& all, const Tensor& x) {
          return Outputs{all[1](all[0](x)), all[2](all[0](x * 2.0))};
        }) == Ops{"conv2d", "mul_scalar", "conv2d"});
}

TEST_CASE("folding in float64 agrees with the model to 1e-13") {
  nn::Sequential module{nn::Conv2d(3, 8, 3),          nn::BatchNorm2d(8), nn::ReLU(),
                        nn::ConvTranspose2d(8, 4, 3), nn::BatchNorm2d(4), nn::Flatten(),
                        nn::Linear(4 * 6 * 6, 5),     nn::BatchNorm1d(5)};
  settle(module, {3, 3, 6, 6});
  module.to(DType::float64);
  CHECK(run(module, randn({3, 3, 6, 6}).to(DType::float64), {1e-13, 1e-13}) ==
        Ops{"conv2d_clamp", "conv_transpose2d", "linear"});
}

TEST_CASE("operations of users take part: folded, seen as views, copied where they make results of their own") {
  register_op<Offset>();
  register_op<Rows>();
  const auto with = [](const Rows& rows) {
    return run_net({4, 3}, nn::Sequential{nn::Linear(3, 5)}, [&](nn::Sequential& layers, const Tensor& x) {
      return Outputs{teff::apply(rows, {teff::apply(Offset({.value = 2}), {layers(x)})}) * 2.0};
    });
  };
  CHECK(with(Rows()) == Ops{"linear", "mul_scalar"});
  CHECK(with(Rows({.says_view = false})) == Ops{"linear", "test_rows", "view", "mul_scalar"});
  CHECK(error_of<Error>([&] { with(Rows({.is_view = false})); }) ==
        "test_rows: expected a view of the input, as is_view said, got a copy");
  const auto with_features = [](std::int64_t features) {
    run_net({4, 3}, nn::Sequential{nn::Linear(3, features)}, [](nn::Sequential& layers, const Tensor& x) {
      return Outputs{teff::apply(Offset({.value = 2}), {layers(x)})};
    });
  };
  CHECK(error_of<ShapeError>([&] { with_features(6); }) ==
        "channel_affine: expected scale and shift float64 [6], got float64 [5] and float64 [5]");
}

TEST_CASE("outputs that are weights or inputs are copies of them") {
  nn::Linear module(3, 2);
  module.eval();
  nn::GraphModuleData data = nn::capture(module, randn({2, 3})).data();
  std::vector<std::int64_t>& outputs = data.graph.outputs;
  for (std::size_t i = 0; i < data.graph.nodes.size(); ++i) {
    if (data.graph.nodes[i].kind != GraphNode::Kind::call) outputs.push_back(static_cast<std::int64_t>(i));
  }
  REQUIRE(outputs.size() == 4);  // the result, input, weight and bias
  nn::InferenceSession session(nn::GraphModule(data), {{2, 3}});
  const Tensor input = randn({2, 3}), original = input.clone();
  const Tensor weight = module.weight.clone(), bias = module.bias.clone();
  const auto check = [&] {
    const NoGradGuard no_grad;
    const std::span<const Tensor> results = session.run(std::span(&input, 1));
    assert_close(results[0], module(input), {.rtol = 0, .atol = 0});
    assert_close(results[1], original, {.rtol = 0, .atol = 0});
    assert_close(results[2], weight, {.rtol = 0, .atol = 0});
    assert_close(results[3], bias, {.rtol = 0, .atol = 0});
    for (const Tensor& result : results) result.fill_(7);
  };
  check();
  check();  // neither the model nor the next run has seen the 7
  assert_close(module.weight, weight, {.rtol = 0, .atol = 0});
  assert_close(input, original, {.rtol = 0, .atol = 0});
}

TEST_CASE("an option of the session decides on Winograd's method") {
  manual_seed(4);
  nn::Conv2d module(32, 40, 3);
  module.eval();
  const nn::GraphModule model = nn::capture(module, randn({1, 32, 9, 9}));
  nn::InferenceSession direct(model, {{2, 32, 9, 9}}, {.winograd = false}), quick(model, {{2, 32, 9, 9}});
  const NoGradGuard no_grad;
  const Tensor images = randn({2, 32, 9, 9});
  assert_close(quick.run(images), module(images), {.rtol = 0, .atol = 0});
  assert_close(nn::InferenceSession(direct).run(images), direct.run(images), {.rtol = 0, .atol = 0});
  CHECK_FALSE(allclose(direct.run(images), quick.run(images), {.rtol = 0, .atol = 0}));
  const WinogradGuard guard(false);
  assert_close(direct.run(images), module(images), {.rtol = 0, .atol = 0});
}

}  // namespace teff::nn_testing
