// SPDX-License-Identifier: MIT
// write_model MODEL: writes a network with convolutions, batch norm, pooling and products, after a step of training.

#include <teff/teff.h>

#include "examples/models/small_cnn.h"

int main(int, char** argv) {
  teff::manual_seed(1);
  SmallCnn net;
  const teff::Tensor images = teff::randn({4, 1, 28, 28});
  teff::optim::SGD optimizer(net.parameters(), {.lr = 0.1});
  teff::cross_entropy(net(images), teff::tensor<std::int64_t>({0, 1, 2, 3})).backward();
  optimizer.step();
  net.eval();
  teff::save_model(net, images, argv[1]);
}
