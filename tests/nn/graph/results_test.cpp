// SPDX-License-Identifier: MIT

// Models with calls of several results: captured, trained, run in a session.

#include <algorithm>

#include "nn/nets.h"
#include "support/gated_net.h"
#include "support/same.h"
#include "teff/engine/autograd.h"

namespace teff::nn_testing {
namespace {

using testing::Gated;

bool all_same(std::span<const Tensor> a, std::span<const Tensor> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return testing::same(x, y); });
}

nn::GraphModule captured_in_evaluation(nn::Module& module, const Tensor& input) {
  nn::GraphModule model = nn::capture(module, input);
  model.eval();
  return model;
}

/// The greatest weight of each row is known beforehand; pieces of dimension 0 would share elements, and an input is an
/// output.
struct Mixed : nn::Module {
  nn::Parameter weight{tensor<float>({1, 5, 2, 7, 0, 3}, {2, 3})};
  TEFF_MODULE(Mixed, weight)
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    const std::vector<Tensor> rows = split(cat({x[0], x[0] + 1.0}), x[0].size(0));
    const auto [values, indices] = weight.max(0);
    return {rows[1] * values, indices, rows[0], x[0]};
  }
};

}  // namespace

TEST_CASE("a captured model with calls of several results gives what the module gives") {
  manual_seed(0);
  Gated net;
  nn::GraphModule model = nn::capture(net, randn({4, 3}));
  CHECK(model.outputs() == std::vector<nn::GraphPort>{{"max_with_indices", {{-1}, DType::float32}},
                                                      {"max_with_indices_1", {{-1}, DType::int64}}});
  for (const std::int64_t batch : {1, 5}) {
    const std::vector<Tensor> x{randn({batch, 3})};
    CHECK(all_same(model(x), net(x)));
  }
  model.rename_ports({}, std::vector<std::string>{"score", "class"});
  CHECK(model.outputs()[1].name == "class");
  nn::GraphModule copy = model.clone();
  copy.to(DType::float64);
  CHECK(copy.outputs()[0].type.dtype == DType::float64);
  CHECK(copy.outputs()[1].type.dtype == DType::int64);
}

TEST_CASE("a captured model with calls of several results trains as the module does") {
  manual_seed(1);
  Gated net;
  const Tensor x = randn({6, 3});
  nn::GraphModule model = nn::capture(net, x).clone();
  const auto train = [&](nn::Module& module) {
    optim::SGD optimizer(module.parameters(), {.lr = 0.1, .momentum = 0.9});
    std::vector<float> losses;
    for (int step = 0; step < 5; ++step) {
      optimizer.zero_grad();
      const Tensor loss = module({x})[0].mean();
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item<float>());
    }
    return losses;
  };
  const std::vector<float> losses = train(net);
  CHECK(losses.back() < losses.front());
  CHECK(train(model) == losses);
}

TEST_CASE("a session gives all results of its calls, at every batch size, again and again") {
  manual_seed(2);
  Gated gated;
  Mixed mixed;
  const NoGradGuard no_grad;
  for (nn::Module* net : {static_cast<nn::Module*>(&gated), static_cast<nn::Module*>(&mixed)}) {
    const nn::GraphModule model = captured_in_evaluation(*net, randn({2, 3}));
    for (const std::int64_t batch : {1, 2, 7}) {
      nn::InferenceSession session(model, {{batch, 3}});
      for (int run = 0; run < 3; ++run) {
        const std::vector<Tensor> x{randn({batch, 3})};
        CHECK(all_same(session.run(x), (*net)(x)));
      }
    }
  }
}

TEST_CASE("a session for another number of pieces than the model has is refused") {
  struct Halves : nn::Module {
    TEFF_MODULE(Halves)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return split(x[0], 2, 1); }
  };
  Halves net;
  const nn::GraphModule model = captured_in_evaluation(net, ones({1, 4}));
  CHECK(error_of<ShapeError>([&] {
          nn::InferenceSession(model, {{1, 6}});
        }) == "graph: expected as \"input\" float32 [-1, 4], where -1 is any size, got float32 [1, 6]; it was not "
              "captured for others");
  nn::GraphModuleData data = model.data();
  data.graph.free_sizes = {{{{0, 0}}}, {{{0, 1}}}};  // as somebody may write it
  CHECK(error_of<ShapeError>([&] {
          nn::InferenceSession(nn::GraphModule(data), {{1, 6}});
        }) == "split: expected 2 results, as the graph has, got 3");
}

}  // namespace teff::nn_testing
