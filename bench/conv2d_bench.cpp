// SPDX-License-Identifier: MIT
// conv2d at the shapes of the recipe's Net and of ResNet. [N, C, H, W] with K kernels of [C, k, k] takes
// 2 N K Ho Wo C k k operations forward, as many again for the gradient of the weights, and as many for the
// gradient of the images. Forward runs a batch of 1, backward (both gradients and the bias's, forward not
// counted) a batch of 8.

#include "bench/bench.h"

using namespace teff;

namespace {

struct Case {
  std::int64_t channels, size, kernel, out, stride, padding;

  std::string name() const {
    return std::to_string(channels) + "x" + std::to_string(size) + "x" + std::to_string(size) + "_k" +
           std::to_string(kernel) + "_s" + std::to_string(stride) +
           (out == channels ? "" : "_out" + std::to_string(out));
  }
  double flop(std::int64_t batch) const {
    const std::int64_t side = (size + 2 * padding - kernel) / stride + 1;
    return 2.0 * static_cast<double>(batch * out * side * side) * static_cast<double>(channels * kernel * kernel);
  }
};

constexpr Case kCases[] = {
    // The recipe's conv1 and conv2.
    {3, 32, 5, 6, 1, 0},
    {6, 14, 5, 16, 1, 0},
    // ResNet's first layer, and the four stages of ResNet-18.
    {3, 224, 7, 64, 2, 3},
    {64, 56, 3, 64, 1, 1},
    {128, 28, 3, 128, 1, 1},
    {256, 14, 3, 256, 1, 1},
    {512, 7, 3, 512, 1, 1},
    // From the first stage to the second, and the short cut beside it.
    {64, 56, 3, 128, 2, 1},
    {64, 56, 1, 128, 2, 0},
    // A 1 x 1 convolution of ResNet-50.
    {256, 14, 1, 1024, 1, 0},
};

void forward(benchmark::State& state, const Case& c) {
  const NoGradGuard no_grad;
  nn::Conv2d conv(c.channels, c.out, c.kernel, {.stride = c.stride, .padding = c.padding});
  const Tensor images = randn({1, c.channels, c.size, c.size});
  for (auto _ : state) benchmark::DoNotOptimize(conv(images).raw_data());
  bench::report_flops(state, c.flop(1));
}

void backward(benchmark::State& state, const Case& c) {
  constexpr std::int64_t kBatch = 8;
  nn::Conv2d conv(c.channels, c.out, c.kernel, {.stride = c.stride, .padding = c.padding});
  const Tensor images = randn({kBatch, c.channels, c.size, c.size}, {.requires_grad = true});
  const Tensor result = conv(images);
  const Tensor grad = randn(result.shape());
  for (auto _ : state) {
    conv.zero_grad();
    images.set_grad({});
    result.backward(grad, {.retain_graph = true});
  }
  bench::report_flops(state, 2 * c.flop(kBatch));
}

}  // namespace

void bench::register_all() {
  for (const Case& c : kCases) {
    add("conv2d_forward/" + c.name(), [&c](benchmark::State& state) { forward(state, c); });
    add("conv2d_backward/" + c.name(), [&c](benchmark::State& state) { backward(state, c); });
  }
}
