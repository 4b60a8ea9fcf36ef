// SPDX-License-Identifier: MIT
// A plugin with a Teff of its own inside: it trains a network a little, saves it and loads it again.
#include <stdexcept>
#include <string>

#include <teff/teff.h>

namespace {

using namespace teff;

struct Net : nn::Module {
  nn::Conv2d conv{1, 8, 3};
  nn::Linear linear{8 * 14 * 14, 10};
  TEFF_MODULE(Net, conv, linear)

  Tensor forward(const Tensor& x) override { return linear(relu(conv(x)).view({x.size(0), -1})); }
};

void train() {
  manual_seed(7);
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.1});
  const Tensor images = randn({32, 1, 16, 16}), labels = zeros({32}, {.dtype = DType::int64});
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    cross_entropy(net(images), labels).backward();
    optimizer.step();
  }
  save_model(net, images, "plugin.teff");
  load_model("plugin.teff")(images);
}

bool throws_shape_error() {
  try {
    matmul(ones({2, 3}), ones({2, 3}));
  } catch (const ShapeError&) {
    return true;
  }
  return false;
}

}  // namespace

/// Trains with that many threads, and returns how many this plugin's library has then: another Teff in the process must
/// not change it. Throws an exception of Teff's, which the host knows as a std::exception.
extern "C" [[gnu::visibility("default")]] int teff_plugin_run(int threads) {
  set_num_threads(threads);
  train();
  if (!throws_shape_error()) throw std::logic_error("no ShapeError was caught");
  return get_num_threads();
}
extern "C" [[gnu::visibility("default")]] int teff_plugin_threads() { return get_num_threads(); }
extern "C" [[gnu::visibility("default")]] void teff_plugin_throw() { throw ValueError("plugin: expected"); }
