// SPDX-License-Identifier: MIT
#pragma once

// What a model is run on.

#include <string>
#include <vector>

#include <teff/nn/graph/graph_module.h>
#include <teff/serialize/options.h>

namespace teff::cli {

/// Tensors of files for the inputs of a model: by their names, if there is one file that has them all, else from a file
/// for each. Floating-point tensors are converted to the dtype that the model takes.
/// @throws ValueError, naming the inputs, if there are others.
std::vector<Tensor> read_inputs(const nn::GraphModule& model, const std::vector<std::string>& paths);

/// Made-up inputs: normally distributed numbers, or zeros where the model takes whole ones. Of the sizes of the example
/// that the model was captured with, or of `shapes`, one text like 1x3x224x224 for each input; and with `batch` rows
/// where the rows are free, if it is not 0.
/// @throws ValueError for texts that are no shapes, or a model whose rows are not free.
std::vector<Tensor> make_inputs(const nn::GraphModule& model, const std::vector<std::string>& shapes,
                                std::int64_t batch);

std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors);

}  // namespace teff::cli
