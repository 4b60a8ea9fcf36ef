// SPDX-License-Identifier: MIT
// What "cold start" times for Teff: a process that loads a model file and prints what it makes of one image.
// Usage: teff_cold_start MODEL.teff; or teff_cold_start --write MODEL.teff, which makes the file.

#include <teff/teff.h>

#include "bench/compare/worker.h"
#include "examples/models/net.h"

using namespace teff;

int main(int argc, char** argv) {
  Tensor image = empty({1, 3, 32, 32});
  compare::fill_pattern(image.data<float>(), image.numel());
  if (argc == 3) {
    manual_seed(0);
    Net net;
    save_model(net, image, argv[2]);
    return 0;
  }
  const NoGradGuard no_grad;
  nn::GraphModule model = load_model(argv[1]);
  model.eval();
  const Tensor scores = model(image);
  std::cout << "{\"first\": " << compare::json(compare::first_values(scores.data<float>(), scores.numel())) << "}\n";
}
