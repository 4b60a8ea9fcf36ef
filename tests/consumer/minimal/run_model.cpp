// SPDX-License-Identifier: MIT
// run_model MODEL: runs a model of one input, eagerly and in a session, and prints its outputs to the last bit. What
// this program weighs is what Teff costs those who embed a model: tests/size.sh watches it.

#include <cstdio>
#include <exception>

#include <teff/engine/autograd.h>
#include <teff/engine/modes.h>
#include <teff/nn/graph/graph_module.h>
#include <teff/nn/graph/inference_session.h>
#include <teff/serialize/save_load.h>

namespace {

void print(const teff::Tensor& outputs) {
  for (const float value : outputs.span<float>()) std::printf("%a\n", static_cast<double>(value));
}

void run(const char* path) {
  teff::nn::GraphModule model = teff::load_model(path);
  model.eval();
  teff::Shape shape = model.inputs().at(0).type.shape;
  shape[0] = 2;
  teff::Tensor input = teff::zeros(shape);
  for (std::int64_t i = 0; i < input.numel(); ++i) {
    input.data<float>()[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  }
  const teff::NoGradGuard no_grad;
  print(model(input));
  teff::nn::InferenceSession session(model, {shape});
  print(session.run(input));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2) run(argv[1]);
    return argc == 2 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
