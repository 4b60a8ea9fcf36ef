// SPDX-License-Identifier: MIT
// The recipe's Net on 32 x 32 images: inference, the same through a captured graph, and a step of SGD with
// momentum.

#include "bench/bench.h"
#include "examples/models/net.h"

using namespace teff;

namespace {

// Operations for one image: conv1 28 x 28 x 6 x (3 x 5 x 5), conv2 10 x 10 x 16 x (6 x 5 x 5), and the linear
// layers, two for each weight. Backward takes twice that, but for the gradient of the images, which nobody
// asks for.
constexpr double kConv1 = 2.0 * 28 * 28 * 6 * 3 * 5 * 5;
constexpr double kConv2 = 2.0 * 10 * 10 * 16 * 6 * 5 * 5;
constexpr double kLinear = 2.0 * (400 * 120 + 120 * 84 + 84 * 10);
constexpr double kForward = kConv1 + kConv2 + kLinear;
constexpr double kStep = 3 * kForward - kConv1;

void report(benchmark::State& state, double flop_per_image, std::int64_t batch) {
  bench::report_flops(state, flop_per_image * static_cast<double>(batch));
  state.SetItemsProcessed(state.iterations() * batch);
}

void run_inference(benchmark::State& state, nn::Module& net, std::int64_t batch) {
  const NoGradGuard no_grad;
  net.eval();
  const Tensor images = randn({batch, 3, 32, 32});
  for (auto _ : state) benchmark::DoNotOptimize(net(images).raw_data());
  report(state, kForward, batch);
}

void inference(benchmark::State& state, std::int64_t batch) {
  Net net;
  run_inference(state, net, batch);
}

void graph_inference(benchmark::State& state, std::int64_t batch) {
  Net net;
  nn::GraphModule graph = nn::capture(net, randn({4, 3, 32, 32}));
  run_inference(state, graph, batch);
}

void training_step(benchmark::State& state, std::int64_t batch) {
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.001, .momentum = 0.9});
  const Tensor images = randn({batch, 3, 32, 32});
  const Tensor labels = randint(0, 10, {batch});
  for (auto _ : state) {
    optimizer.zero_grad();
    cross_entropy(net(images), labels).backward();
    optimizer.step();
  }
  report(state, kStep, batch);
}

}  // namespace

void bench::register_all() {
  for (const std::int64_t batch : {1, 32, 128}) {
    const std::string size = std::to_string(batch);
    add("net_inference/" + size, [=](benchmark::State& state) { inference(state, batch); });
    add("net_graph_inference/" + size, [=](benchmark::State& state) { graph_inference(state, batch); });
    add("net_training_step/" + size, [=](benchmark::State& state) { training_step(state, batch); });
  }
}
