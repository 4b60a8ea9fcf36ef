// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/model_inputs.h"

#include <algorithm>

#include <teff/engine/error.h>
#include <teff/engine/random.h>

#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

std::string names_of(const std::vector<nn::GraphPort>& ports) {
  std::string names;
  for (const nn::GraphPort& port : ports) {
    names += (names.empty() ? "" : ", ") + port.name + ' ' + type_text(port.type);
  }
  return names;
}

Tensor fitted(const Tensor& tensor, DType dtype) {
  const bool converts = is_floating_point(tensor.dtype()) && is_floating_point(dtype);
  return converts ? tensor.to(dtype) : tensor;
}

/// The only tensor of the file.
Tensor read_tensor(const std::string& path) {
  const File file = open_file(path);
  const std::vector<FileEntry> entries = file.entries();
  if (entries.size() == 1) return file.read(entries[0].path).as_tensor();
  throw ValueError(path + ": expected one tensor, or a tensor for each input by its name, got " +
                   std::to_string(entries.size()) + " tensors");
}

bool has_all(const Dict& dict, const std::vector<nn::GraphPort>& ports) {
  return std::all_of(ports.begin(), ports.end(), [&](const nn::GraphPort& port) {
    return dict.contains(port.name) && dict.at(port.name).is_tensor();
  });
}

}  // namespace

std::vector<Tensor> read_inputs(const nn::GraphModule& model, const std::vector<std::string>& paths) {
  const std::vector<nn::GraphPort> ports = model.inputs();
  std::vector<Tensor> inputs;
  if (paths.size() == 1) {
    const File file = open_file(paths[0]);
    if (has_all(file.structure(), ports)) {
      for (const nn::GraphPort& port : ports) {
        inputs.push_back(fitted(file.read(escape_key(port.name)).as_tensor(), port.type.dtype));
      }
      return inputs;
    }
  }
  if (paths.size() != ports.size()) {
    throw ValueError("expected a file for each input of the model (" + names_of(ports) + "), got " +
                     std::to_string(paths.size()));
  }
  for (std::size_t i = 0; i < ports.size(); ++i) inputs.push_back(fitted(read_tensor(paths[i]), ports[i].type.dtype));
  return inputs;
}

std::vector<Tensor> make_inputs(const nn::GraphModule& model, const std::vector<std::string>& shapes,
                                std::int64_t batch) {
  const std::vector<nn::GraphPort> ports = model.inputs();
  if (!shapes.empty() && shapes.size() != ports.size()) {
    throw ValueError("--shape: expected one for each input of the model (" + names_of(ports) + "), got " +
                     std::to_string(shapes.size()));
  }
  Generator generator(0);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    TensorType type = model.graph().nodes[i].type;
    if (!shapes.empty()) type.shape = shape_of("--shape", shapes[i]);
    const Shape& free = ports[i].type.shape;
    if (batch > 0 && !free.empty() && free[0] < 0 && !type.shape.empty()) type.shape[0] = batch;
    inputs.push_back(is_floating_point(type.dtype) ? randn(type.shape, generator).to(type.dtype)
                                                   : zeros(type.shape, {.dtype = type.dtype}));
  }
  return inputs;
}

std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

}  // namespace teff::cli
