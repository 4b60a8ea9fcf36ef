// SPDX-License-Identifier: MIT
#pragma once

// Training of a network from a file beside what PyTorch's losses were.

#include <doctest/doctest.h>

#include <utility>

#include "teff/engine/ops.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/optim/sgd.h"

namespace teff::testing {

/// Steps of SGD, lr 0.1, on the mean square of what the network gives for x give these losses.
inline void check_losses(nn::GraphModule net, const Tensor& x, const Tensor& losses) {
  net.train();
  optim::SGD optimizer(net.parameters(), {.lr = 0.1});
  for (std::int64_t step = 0; step < losses.numel(); ++step) {
    optimizer.zero_grad();
    const Tensor y = net(x), loss = mean(y * y);
    loss.backward();
    optimizer.step();
    CHECK(loss.item<double>() == doctest::Approx(select(losses, 0, step).item<double>()).epsilon(1e-4));
  }
}

/// The same for golden's "x1" and "losses".
inline void check_golden_losses(nn::GraphModule net, const Dict& golden) {
  check_losses(std::move(net), golden.at("x1").as_tensor(), golden.at("losses").as_tensor());
}

}  // namespace teff::testing
