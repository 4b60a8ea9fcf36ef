// SPDX-License-Identifier: MIT
// Fine-tuning a network that comes as an ONNX file, from whatever system: all of it is frozen but the last layer, which
// learns from a few pictures, and the result is an ONNX file again, for any runtime that reads them.
//
//   fine_tune MODEL.onnx [OUT.onnx [FOLDER WITH FASHION-MNIST]]
//
// MODEL.onnx takes pictures of Fashion-MNIST, as the main job trains them: [N, 3, 32, 32]. Here the pictures are turned
// upside down, which it has never seen.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <teff/teff.h>

#include "examples/fashion_mnist.h"

using namespace teff;

/// `count` pictures upside down, and their classes.
data::Example upside_down(const std::string& folder, fashion::FashionMnist::Part part, std::int64_t count) {
  fashion::FashionMnist pictures(folder, part);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::min(count, pictures.size()); ++i) places.push_back(i);
  data::Example batch = pictures.batch(places);
  batch.data = flip(batch.data, {2});
  return batch;
}

double accuracy(nn::GraphModule& model, const data::Example& examples) {
  const NoGradGuard no_grad;
  model.eval();
  return (model(examples.data).argmax(1) == examples.target).to(DType::float64).mean().item<double>();
}

/// The module whose parameters are the last ones: "fc3".
std::string last_layer(const nn::GraphModule& model) {
  const std::string key = model.named_parameters().back().first;
  return key.substr(0, key.rfind('.'));
}

void run(const std::string& from, const std::string& to, const std::string& folder) {
  manual_seed(0);
  nn::GraphModule model = load_model(from);
  const data::Example few = upside_down(folder, fashion::FashionMnist::Part::train, 1000);
  const data::Example unseen = upside_down(folder, fashion::FashionMnist::Part::test, 1000);
  std::cout << model << '\n' << "pictures upside down: accuracy " << 100 * accuracy(model, unseen) << " %\n";

  const std::string layer = last_layer(model);
  for (auto& [name, parameter] : model.named_parameters()) parameter.requires_grad_(name.starts_with(layer + '.'));
  std::vector<Tensor> trained;
  for (const Tensor& parameter : model.parameters()) {
    if (parameter.requires_grad()) trained.push_back(parameter);
  }
  std::cout << "training " << layer << " on " << few.data.size(0) << " pictures\n";

  // In evaluation mode: statistics of batch norm that the other layers were trained with stay as they are.
  model.eval();
  optim::Adam optimizer(trained, {.lr = 0.01});
  data::TensorDataset dataset(few.data, few.target);
  const data::DataLoader batches(dataset, {.batch_size = 50, .shuffle = true});
  for (int epoch = 1; epoch <= 20; ++epoch) {
    for (const auto& [images, labels] : batches) {
      optimizer.zero_grad();
      cross_entropy(model(images), labels).backward();
      optimizer.step();
    }
  }
  std::cout << "afterwards: accuracy " << 100 * accuracy(model, unseen) << " %\n";

  // With an example and its outputs beside it, in ONNX's own form: examples/python/run_onnx.py compares with them.
  save_model(model, slice(unseen.data, 0, 0, 2), to, {.test_data = true});
  std::cout << "saved " << to << '\n';
}

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::cerr << "usage: fine_tune MODEL.onnx [OUT.onnx [FOLDER WITH FASHION-MNIST]]\n";
    return EXIT_FAILURE;
  }
  try {
    run(argv[1], argc > 2 ? argv[2] : "fine_tuned.onnx", fashion::find_data(argc > 3 ? argv[3] : ""));
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
