// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/model_inputs.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

struct Options {
  std::string model, output;
  std::vector<std::string> inputs;
  LoadOptions loading;
};

/// In a file for one array it has no name.
Dict by_name(const std::vector<nn::GraphPort>& ports, std::span<const Tensor> outputs, const std::string& path) {
  if (path.ends_with(".npy") && outputs.size() == 1) return Dict{{"", outputs[0]}};
  Dict dict;
  for (std::size_t i = 0; i < ports.size(); ++i) dict[ports[i].name] = outputs[i];
  return dict;
}

int run(const Options& options) {
  nn::GraphModule model = open_model(options.model, options.loading);
  model.eval();
  const std::vector<Tensor> inputs = read_inputs(model, options.inputs);
  nn::InferenceSession session(model, shapes_of(inputs));
  const std::span<const Tensor> outputs = session.run(inputs);
  const std::vector<nn::GraphPort> ports = model.outputs();
  if (!options.output.empty()) {
    save(by_name(ports, outputs, options.output), options.output);
    return kOk;
  }
  for (std::size_t i = 0; i < ports.size(); ++i) {
    std::cout << printable(ports[i].name) << ": " << type_text(outputs[i].type()) << '\n' << outputs[i] << '\n';
  }
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("MODEL", options->model, "an entire model, of any format that `teff convert` takes one from");
  parameters.required("-i,--input", options->inputs,
                      "a file with a tensor (.npy, .npz, .safetensors, .teff, .pt) for each input, in their order; or "
                      "one file with all of them by their names");
  parameters.option("-o,--output", options->output,
                    "where the outputs go, by their names: .npz, .safetensors, .teff, .pt, or .npy for a single one; "
                    "without it they are printed");
  parameters.input_types(options->loading);
  parameters.limits(options->loading);
  return [options] { return run(*options); };
}

}  // namespace

const Command kRun = {"run", "Runs a model on tensors from files",
                      "`teff show MODEL` tells the names and types of the inputs.\n"
                      "Examples:\n"
                      "  teff run model.teff -i image.npy -o scores.npy\n"
                      "  teff run model.onnx -i image.npy -i mask.npy",
                      set_up};

}  // namespace teff::cli
