// SPDX-License-Identifier: MIT
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

template <class Streamed>
std::string printed(const Streamed& streamed) {
  std::ostringstream stream;
  stream << streamed;
  return stream.str();
}

bool equal_bits(const Tensor& a, const Tensor& b) { return Value(a) == Value(b); }

/// The module's class is not known to what loads it.
nn::GraphModule reloaded(nn::Module& module, const Tensor& input, const LoadOptions& options = {}) {
  const TempFile file;
  save_model(module, input, file, {.durable = false});
  return load_model(file, options);
}

/// Some steps of training, each with its own dropout; the losses.
std::vector<float> trained(nn::Module& module, const Tensor& input, const Tensor& labels) {
  manual_seed(3);
  optim::SGD optimizer(module.parameters(), {.lr = 0.05, .momentum = 0.9});
  std::vector<float> losses;
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(module(input), labels);
    loss.backward();
    optimizer.step();
    losses.push_back(loss.item<float>());
  }
  return losses;
}

}  // namespace

TEST_CASE("the recipe's network, saved whole, gives the same bits without its class") {
  manual_seed(0);
  Net net;
  const Tensor images = randn({4, 3, 32, 32});
  for (const bool mmap : {false, true}) {
    nn::GraphModule loaded = reloaded(net, images, {.mmap = mmap});
    loaded.eval();
    net.eval();
    const NoGradGuard no_grad;
    for (const std::int64_t batch : {1, 2, 7}) {
      const Tensor input = randn({batch, 3, 32, 32});
      CHECK(equal_bits(loaded(input), net(input)));
    }
  }
}

TEST_CASE("a loaded model prints as the original and has its mode") {
  Net net;
  const Tensor images = randn({2, 3, 32, 32});
  CHECK(printed(reloaded(net, images)) == printed(net));
  CHECK(reloaded(net, images).is_training());
  net.eval();
  CHECK(!reloaded(net, images).is_training());
}

TEST_CASE("state dicts pass between a loaded model and the class") {
  Net net, other;
  nn::GraphModule loaded = reloaded(net, randn({2, 3, 32, 32}));
  CHECK(same(loaded.state_dict(), net.state_dict()));
  other.load_state_dict(loaded.state_dict());
  CHECK(same(other.state_dict(), net.state_dict()));
  Net third;
  loaded.load_state_dict(third.state_dict());
  CHECK(same(loaded.state_dict(), third.state_dict()));
}

TEST_CASE("a loaded model with dropout and batch norm trains as the original, bit by bit") {
  manual_seed(1);
  Regularised net;
  const Tensor input = randn({6, 1, 8, 8}), labels = tensor<std::int64_t>({0, 1, 2, 0, 1, 2});
  nn::GraphModule loaded = reloaded(net, input);
  CHECK(trained(loaded, input, labels) == trained(net, input, labels));
  CHECK(same(loaded.state_dict(), net.state_dict()));
  loaded.eval();
  net.eval();
  CHECK(equal_bits(loaded(input), net(input)));
}

TEST_CASE("a loaded model is saved to the same bytes again") {
  Regularised net;
  const Tensor input = randn({3, 1, 8, 8});
  const std::string first = saved_model(net, input);
  CHECK(saved_model(net, input) == first);
  nn::GraphModule loaded = reloaded(net, input);
  CHECK(saved_model(loaded, input) == first);
}

TEST_CASE("a trained model that was loaded is saved and loaded again with what it has learned") {
  Regularised net;
  const Tensor input = randn({6, 1, 8, 8}), labels = tensor<std::int64_t>({0, 1, 2, 0, 1, 2});
  nn::GraphModule loaded = reloaded(net, input);
  trained(loaded, input, labels);
  nn::GraphModule again = reloaded(loaded, input);
  CHECK(same(again.state_dict(), loaded.state_dict()));
  CHECK(printed(again) == printed(net));
}

TEST_CASE("saving leaves the model and the random numbers as they were") {
  Regularised net;
  net.eval();
  net.dropout.train();
  Regularised copy = net.clone();
  const Tensor input = randn({2, 1, 8, 8});
  manual_seed(9);
  const float expected = rand({1}).item<float>();
  manual_seed(9);
  saved_model(net, input);
  CHECK(rand({1}).item<float>() == expected);
  CHECK(same(net.state_dict(), copy.state_dict()));
  CHECK(!net.is_training());
  CHECK(net.dropout.is_training());
}

TEST_CASE("frozen parameters stay frozen and tied ones tied") {
  struct Tied : nn::Module {
    nn::Linear first{3, 3};
    nn::Linear second{3, 3};
    TEFF_MODULE(Tied, first, second)
    Tensor forward(const Tensor& x) override { return second(relu(first(x))); }
  };
  Tied net;
  net.second.weight = net.first.weight;
  net.first.bias.requires_grad_(false);
  nn::GraphModule loaded = reloaded(net, ones({1, 3}));
  const Dict state = loaded.state_dict();
  CHECK(state.at("first.weight").as_tensor().shares_memory_with(state.at("second.weight").as_tensor()));
  CHECK(loaded.parameters().size() == 3);
  for (const auto& [name, parameter] : loaded.named_parameters()) {
    CHECK(parameter.requires_grad() == (name != "first.bias"));
  }
}

TEST_CASE("a model of several inputs and outputs is kept") {
  struct Two : nn::Module {
    nn::Linear fc{3, 3};
    TEFF_MODULE(Two, fc)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return {fc(x[0]) + x[1], x[1] * 2.0}; }
  };
  Two net;
  const TempFile file;
  save_model(net, {ones({4, 3}), ones({4, 3})}, file);
  nn::GraphModule loaded = load_model(file);
  const std::vector<Tensor> expected = net({ones({1, 3}), zeros({1, 3})});
  const std::vector<Tensor> actual = loaded({ones({1, 3}), zeros({1, 3})});
  REQUIRE(actual.size() == 2);
  CHECK(equal_bits(actual[0], expected[0]));
  CHECK(equal_bits(actual[1], expected[1]));
}

TEST_CASE("a model with calls of several results is kept, trains as the original and is saved to the same bytes") {
  manual_seed(4);
  Gated net;
  const Tensor input = randn({4, 3});
  const std::string first = saved_model(net, input);
  nn::GraphModule loaded = reloaded(net, input);
  CHECK(saved_model(loaded, input) == first);
  CHECK(loaded.outputs() == std::vector<nn::GraphPort>{{"max_with_indices", {{-1}, DType::float32}},
                                                       {"max_with_indices_1", {{-1}, DType::int64}}});
  const auto step = [](nn::Module& module, const Tensor& x) {
    optim::SGD optimizer(module.parameters(), {.lr = 0.1});
    module({x})[0].sum().backward();
    optimizer.step();
  };
  for (const std::int64_t batch : {1, 5}) {
    const Tensor x = randn({batch, 3});
    step(net, x);
    step(loaded, x);
    const std::vector<Tensor> expected = net({x}), actual = loaded({x});
    REQUIRE(actual.size() == 2);
    CHECK(equal_bits(actual[0].detach(), expected[0].detach()));
    CHECK(equal_bits(actual[1], expected[1]));
  }
  CHECK(same(loaded.state_dict(), net.state_dict()));
}

TEST_CASE("a model that cannot be captured leaves the old file") {
  struct Reads : nn::Module {
    nn::Linear fc{2, 1};
    TEFF_MODULE(Reads, fc)
    Tensor forward(const Tensor& x) override { return fc(x) * x.sum().item<float>(); }
  };
  Reads net;
  const TempFile file;
  save({{"x", 1}}, file);
  CHECK_THROWS_AS(save_model(net, ones({1, 2}), file), Error);
  CHECK(same(load(file), {{"x", 1}}));
}
