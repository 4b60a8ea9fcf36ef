// SPDX-License-Identifier: MIT
#include "teff/engine/autograd.h"
#include "teff/engine/backward_pass.h"
#include "teff/engine/error.h"
#include "teff/engine/gradients/recorded_call.h"
#include "teff/engine/tensor_impl.h"

// Apart from autograd.cpp: these functions bring the formulas of all gradients into a program (gradients/), and who
// only calls backward() on a tensor does not need them.

namespace teff::autograd {
namespace {

void check_call(std::string_view function, std::size_t outputs, std::size_t gradients) {
  const std::string name(function);
  if (outputs == 0) throw ValueError(name + ": expected at least 1 output, got none");
  if (gradients != 0 && gradients != outputs) {
    throw ValueError(name + ": expected a gradient for each of the " + std::to_string(outputs) + " outputs, got " +
                     std::to_string(gradients));
  }
  if (is_capturing()) throw Error(name + ": expected no gradients to be asked for while a graph is captured");
}

}  // namespace

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, const GradOptions& options) {
  constexpr std::string_view kName = "autograd::grad";
  check_call(kName, outputs.size(), options.grad_outputs.size());
  if (inputs.empty()) throw ValueError("autograd::grad: expected at least 1 input, got none");
  std::vector<Tensor> result =
      detail::run_backward({.function = kName,
                            .outputs = outputs,
                            .gradients = options.grad_outputs,
                            .retain_graph = options.retain_graph.value_or(options.create_graph),
                            .differentiate = options.create_graph ? detail::differentiate : nullptr,
                            .inputs = inputs,
                            .collect = true});
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].defined() || options.allow_unused) continue;
    throw Error("autograd::grad: expected outputs that depend on all inputs, got input " + std::to_string(i) + ", " +
                teff::detail::describe(inputs[i].type()) +
                ", which none depends on; pass {.allow_unused = true} for an undefined gradient");
  }
  return result;
}

void backward(std::span<const Tensor> tensors, const BackwardOptions& options) {
  constexpr std::string_view kName = "autograd::backward";
  check_call(kName, tensors.size(), options.grad_tensors.size());
  detail::run_backward({.function = kName,
                        .outputs = tensors,
                        .gradients = options.grad_tensors,
                        .retain_graph = options.retain_graph.value_or(options.create_graph),
                        .differentiate = options.create_graph ? detail::differentiate : nullptr,
                        .inputs = options.inputs});
}

}  // namespace teff::autograd
