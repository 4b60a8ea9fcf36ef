// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// One call of a module.
struct LayerSummary {
  std::string name;       // in its parent; empty for the model itself
  std::string type_name;  // "Conv2d"
  std::size_t depth = 0;  // how many modules it is below the model
  std::vector<Shape> outputs;
  std::int64_t parameters = 0;  // numbers in parameters of its own, not of modules below it
  double flop = 0;              // floating-point operations of its own; a product of a sum counts two
  bool again = false;           // called before: parameters and flop stand there
};

/// What a model is made of and takes for one call.
struct ModelSummary {
  std::vector<LayerSummary> layers;  // in the order in which they are called
  std::int64_t parameters = 0, trainable_parameters = 0;
  double flop = 0;
  std::int64_t input_bytes = 0, parameter_bytes = 0;
  std::int64_t output_bytes = 0;  // of all modules that have no modules below them: what training keeps, about
};

/// Calls the model once, in evaluation mode and without gradients, and says what it is made of, as Keras and torchinfo
/// do:
///
///   std::cout << nn::summary(net, {1, 3, 32, 32});
///
/// The model, its mode and all random generators are left as they were. A GraphModule is one layer.
/// @throws what the model throws; Error while a Profiler is recording; ValueError for no inputs.
ModelSummary summary(Module& model, std::span<const Tensor> inputs);
ModelSummary summary(Module& model, std::initializer_list<Tensor> inputs);
/// Of zeros of that shape and of the parameters' dtype: float32, if it has none.
ModelSummary summary(Module& model, const Shape& input_shape);

/// A table: a line for each layer, then the sums.
std::ostream& operator<<(std::ostream& out, const ModelSummary& summary);

}  // namespace nn
}  // namespace teff
