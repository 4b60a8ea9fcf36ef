// SPDX-License-Identifier: MIT
#pragma once

#include "support/op_samples.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/nn/module.h"

namespace teff::testing {

/// Applies an operation to buffers of its own; its outputs are all results. Its input, a single number, changes
/// nothing, but makes them follow from the input.
struct OpModule : nn::Module {
  nn::Buffer input0, input1, input2, input3, input4, input5, input6, input7, input8;
  TEFF_MODULE(OpModule, input0, input1, input2, input3, input4, input5, input6, input7, input8)

  explicit OpModule(const OpSample& sample) : op(sample.op), attributes(sample.attributes) {
    nn::Buffer* members[] = {&input0, &input1, &input2, &input3, &input4, &input5, &input6, &input7, &input8};
    const std::vector<Tensor> inputs = sample.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) *members[i] = inputs[i];
  }

  std::vector<Tensor> forward_many(std::span<const Tensor> numbers) override {
    const Tensor& number = numbers[0];
    if (Value* training = attributes.find("training")) *training = is_training();
    const Tensor nothing = (0.0 * number).to(input0.dtype());
    std::vector<Tensor> inputs{input0.dtype() == DType::bool_ ? bitwise_or(input0, nothing) : input0 + nothing};
    for (const Tensor& input : {input1, input2, input3, input4, input5, input6, input7, input8}) {
      if (input.defined()) inputs.push_back(input);
    }
    const TensorList results = apply_all(make_op(op, attributes), inputs);
    return {results.begin(), results.end()};
  }

  std::string op;
  Dict attributes;
};

}  // namespace teff::testing
