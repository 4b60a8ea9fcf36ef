// SPDX-License-Identifier: MIT
// Loads an entire model in a program that has no class for it, prints it, runs it, and trains it further.
// Usage: load_without_class [FILE]; FILE is entire_model.teff unless given, as save_and_load writes it.

#include <cstdlib>
#include <iostream>

#include <teff/teff.h>

using namespace teff;

/// The shape of the model's input as it was captured, with `batch` images.
Shape input_shape(const nn::GraphModule& model, std::int64_t batch) {
  Shape shape = model.graph().nodes.at(0).type.shape;
  shape[0] = batch;
  return shape;
}

Tensor predict(nn::GraphModule& model, const Tensor& images) {
  const NoGradGuard no_grad;
  model.eval();
  return model(images).argmax(1);
}

/// Learns one batch by heart: the shortest way to see that gradients reach every parameter.
void train_further(nn::GraphModule& model, const Tensor& images) {
  model.train();
  const std::int64_t classes = model(images).size(1);
  const Tensor labels = randint(0, classes, {images.size(0)});
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.9});
  for (int step = 0; step <= 40; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(images), labels);
    loss.backward();
    optimizer.step();
    if (step % 10 == 0) std::cout << "step " << step << ": loss " << loss.item<float>() << '\n';
  }
}

void run(const char* path) {
  manual_seed(0);
  nn::GraphModule model = load_model(path);
  std::cout << model << '\n' << model.num_parameters() << " parameters\n";

  const Tensor images = randn(input_shape(model, 8));
  std::cout << "classes of 8 random images: " << predict(model, images) << '\n';
  train_further(model, images);
  std::cout << "classes after training:     " << predict(model, images) << '\n';
}

int main(int argc, char** argv) {
  if (argc > 2) {
    std::cerr << "usage: load_without_class [FILE]\n";
    return EXIT_FAILURE;
  }
  try {
    run(argc == 2 ? argv[1] : "entire_model.teff");
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
