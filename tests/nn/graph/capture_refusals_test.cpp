// SPDX-License-Identifier: MIT
// What no record can do as the module does it is refused when it is captured, or when a session is made.
#include "nn/graph/captured_sizes.h"
#include "teff/engine/image_ops.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::nn_testing;

TEST_CASE("a forward that does something else at another batch size is refused") {
  struct Guard : nn::Module {
    nn::Linear a{3, 3}, b{3, 3};
    TEFF_MODULE(Guard, a, b)
    Tensor forward(const Tensor& x) override { return x.size(0) > 1 ? a(x) : b(x); }
  };
  nn::Sequential net{nn::Linear(3, 3), Guard()};
  CHECK(error_of<Error>([&] {
          nn::capture(net, rand({2, 3}));
        }) ==
        "capture: expected forward to do the same at every batch size, but it takes 1.a.weight for float32 [2, 3] and "
        "takes 1.b.weight for float32 [1, 3] in module 1.a");
  CHECK(testing::contains(refusal_of([](const Tensor& x) { return x * static_cast<double>(x.size(0)); }, {2, 3}),
                          "\"value\" of mul_scalar changes in a way that follows no size"));
  CHECK(testing::contains(refusal_of([](const Tensor& x) { return x.sum(0) / static_cast<double>(x.size(0)); }, {2, 3}),
                          "capture: "));
  CHECK(testing::contains(refusal_of([](const Tensor& x) { return x.size(0) > 20 ? relu(x) : tanh(x); }, {2, 3}),
                          "it calls tanh for float32 [2, 3] and calls relu for float32 ["));
  CHECK(testing::contains(refusal_of([](const Tensor& x) { return x.size(0) % 2 == 0 ? relu(x) : tanh(x); }, {2, 3}),
                          "it calls "));
  CHECK(testing::contains(
      refusal_of(
          [](const Tensor& x) {
            return x + zeros({x.size(0), 3});
          },
          {2, 3}),
      "a tensor float32 [2, 3] that it makes from other values than its inputs changes from run to run"));
  CHECK(testing::contains(refusal_of(
                              [](const Tensor& x) {
                                const std::vector<Tensor> halves = chunk(x, 2);
                                return halves.at(0) * halves.at(1);
                              },
                              {2, 3}),
                          "capture: expected forward to take any batch size, but it takes 2 and not 5: "));
  CHECK(testing::contains(refusal_of(
                              [](const Tensor& x) {
                                return x.view({-1, 2, 3});
                              },
                              {2, 3}),
                          "but it takes 2 and not 3: "));
  // Of one row there is one piece: forward is not asked, for this one would read behind the end of the vector.
  CHECK(testing::contains(refusal_of(
                              [](const Tensor& x) {
                                const std::vector<Tensor> halves = chunk(x, 2);
                                return cat({halves[1], halves[0]});
                              },
                              {2, 3}),
                          "but it takes 2 and not 1: graph: node \"split\": split: expected 2 results, as the graph "
                          "has, got 1"));
  CHECK(testing::contains(refusal_of([](const Tensor& x) { return squeeze(x) * 2.0; }, {2, 3, 1}), "capture: "));
}

TEST_CASE("a forward that asks is_training() is refused, and one that passes it to an operation is not") {
  struct Aux : nn::Module {
    nn::Linear a{3, 3}, aux{3, 3};
    TEFF_MODULE(Aux, a, aux)
    Tensor forward(const Tensor& x) override {
      const Tensor y = a(x);
      return is_training() ? y + aux(x) : y;
    }
  };
  const std::string rule = " to do the same in training as in evaluation mode but for what operations do by their own "
                           "attribute \"training\" "
                           "(dropout, batch_norm), but ";
  const std::string cure = "; a graph cannot ask is_training(): save the state dict";
  for (const bool training : {false, true}) {
    Aux net;
    net.train(training);
    CHECK(error_of<Error>([&] {
            nn::capture(net, rand({2, 3}));
          }) ==
          "capture: expected the forward of Aux" + rule + "it makes 4 nodes in evaluation and 8 in training" + cure);
    CHECK(net.is_training() == training);
  }
  struct Asking : nn::Module {
    std::function<Tensor(const Tensor&, bool)> function;
    explicit Asking(std::function<Tensor(const Tensor&, bool)> f) : function(std::move(f)) {}
    TEFF_MODULE(Asking)
    Tensor forward(const Tensor& x) override { return function(x, is_training()); }
  };
  const auto refusal = [&](std::function<Tensor(const Tensor&, bool)> function) {
    Asking net(std::move(function));
    return error_of<Error>([&] { nn::capture(net, rand({2, 3})); });
  };
  CHECK(refusal([](const Tensor& x, bool training) { return x * (training ? 2.0 : 1.0); }) ==
        "capture: expected the forward of Asking" + rule + "the attributes of mul_scalar differ" + cure);
  CHECK(
      testing::contains(refusal([](const Tensor& x, bool training) { return training ? dropout(x, 0.5) : x; }), rule));
  CHECK(testing::contains(refusal([](const Tensor& x, bool training) { return x + full({3}, training ? 1.0 : 2.0); }),
                          rule));
  CHECK(testing::contains(refusal([](const Tensor& x, bool training) {
                            if (training) throw ValueError("made for inference");
                            return relu(x);
                          }),
                          rule + "made for inference" + cure));
  CHECK(testing::contains(refusal([](const Tensor& x, bool) { return dropout(x, 0.5, false); }),
                          rule + "dropout is not in training when the module is" + cure));
  Asking fine([](const Tensor& x, bool training) { return dropout(x * 2.0, 0.5, training); });
  nn::GraphModule graph = nn::capture(fine, rand({2, 3}));
  const Tensor x = rand({4, 3});
  for (const bool training : {true, false}) {
    fine.train(training);
    graph.train(training);
    manual_seed(1);
    const Tensor expected = fine(x);
    manual_seed(1);
    CHECK(same_bits(graph(x), expected));
  }
}

TEST_CASE("batch norm that its class keeps in evaluation mode stays so in a graph that trains") {
  struct Frozen : nn::Module {
    nn::Conv2d conv{1, 2, 3};
    nn::BatchNorm2d bn{2};
    TEFF_MODULE(Frozen, conv, bn)
    Tensor forward(const Tensor& x) override {
      bn.eval();
      return bn(conv(x));
    }
  } net;
  nn::GraphModule graph = nn::capture(net, rand({2, 1, 5, 5}));
  net.train();
  graph.train();
  const Tensor x = rand({4, 1, 7, 7});
  const NoGradGuard no_grad;
  CHECK(same_bits(graph(x), net(x)));
  CHECK(net.bn.state_dict().at("num_batches_tracked").as_tensor().item<std::int64_t>() == 0);
}

TEST_CASE("a session for another number of inputs is refused") {
  nn::Linear fc(3, 2);
  nn::GraphModule graph = nn::capture(fc, rand({2, 3}));
  graph.eval();
  CHECK(error_of<ShapeError>([&] {
          nn::InferenceSession(graph, {{2, 3}, {2, 3}});
        }) == "graph: expected 1 inputs, got 2");
  CHECK(error_of<ShapeError>([&] { nn::InferenceSession(graph, std::span<const Shape>()); }) ==
        "graph: expected 1 inputs, got 0");
}

TEST_CASE("capturing leaves sessions of the same tensors valid, and trains nothing") {
  nn::Sequential net{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Dropout(0.5)};
  net.eval();
  const Tensor x = rand({2, 1, 6, 6});
  nn::InferenceSession session(nn::capture(net, x), {{2, 1, 6, 6}});
  const Dict before = snapshot(net.state_dict());
  const auto generator = default_generator().get_state();
  nn::capture(net, x);
  CHECK(net.state_dict() == before);
  CHECK(default_generator().get_state() == generator);
  CHECK_NOTHROW(session.run(x));
}
