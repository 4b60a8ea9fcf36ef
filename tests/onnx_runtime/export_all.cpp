// SPDX-License-Identifier: MIT

// Writes networks and samples of operations as ONNX, each into a folder of its own with an example in ONNX's form:
//   teff_export_all DIR [NAME]      all, or those whose name begins so
// Prints what is refused, and why.

#include <filesystem>
#include <iostream>

#include <teff/teff.h>

#include "examples/models/zoo.h"
#include "support/op_module.h"

namespace {

using namespace teff;

/// ONNX Runtime computes few operators in float64.
testing::OpSample in_float32(testing::OpSample sample) {
  for (testing::InputMaker& maker : sample.makers) {
    maker.make = [make = maker.make](unsigned seed) {
      const Tensor made = make(seed);
      return made.dtype() == DType::float64 ? made.to(DType::float32) : made;
    };
  }
  if (sample.op == "to") sample.attributes = {{"dtype", "int64"}};
  return sample;
}

void write(const std::string& folder, nn::Module& module, const Tensor& input) {
  std::filesystem::create_directories(folder);
  module.eval();
  try {
    save_model(module, input, folder + "/model.onnx", {.durable = false, .test_data = true});
  } catch (const ValueError& error) {
    std::filesystem::remove_all(folder);
    std::cout << "refused: " << error.what() << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const std::string folder = argv[1], wanted = argc > 2 ? argv[2] : "";
  const NoGradGuard no_grad;
  manual_seed(0);
  for (const models::ZooEntry& entry : models::zoo()) {
    if (!entry.name.starts_with(wanted) || entry.name.starts_with("vgg")) continue;  // 500 MB, and as AlexNet
    Shape shape = entry.image;
    shape.insert(0, 2);
    write(folder + '/' + std::string(entry.name), *entry.make(10), randn(shape));
  }
  std::size_t count = 0;
  for (const testing::OpSample& sample : testing::op_samples()) {
    const std::string name = sample.op + '_' + std::to_string(count++);
    if (!name.starts_with(wanted)) continue;
    testing::OpModule module(in_float32(sample));
    write(folder + '/' + name, module, full({}, 1.5));
  }
  return 0;
}
