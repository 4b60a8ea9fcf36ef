// SPDX-License-Identifier: MIT
#include <algorithm>
#include <sstream>

#include "fuzz/checks.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"

namespace teff::fuzz {
namespace {

constexpr std::int64_t kMaxElements = 1 << 14;

/// Runs on inputs of zeros, where that costs little: a result or an Error.
void run(nn::GraphModule& module) {
  std::vector<Tensor> inputs;
  for (const GraphNode& node : module.graph().nodes) {
    if (numel(node.type.shape) > kMaxElements) return;
    if (node.kind == GraphNode::Kind::placeholder) inputs.push_back(zeros(node.type.shape, {.dtype = node.type.dtype}));
  }
  try {
    const NoGradGuard no_grad;
    module.forward_many(inputs);
  } catch (const Error&) {  // indices may be out of range
  }
}

}  // namespace

/// A network that loads prints, is saved, and comes back; its tensors load, too.
void run_onnx(std::span<const std::byte> bytes) {
  check_dict(bytes, {}, FileFormat::teff);
  try {
    nn::GraphModule module = load_model(bytes, {.max_work = 1e8, .max_bytes = 1e8});
    std::ostringstream printed;
    printed << module << module.graph() << module.state_dict();
    run(module);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
  } catch (const ResourceError& error) {
    expect_refusal(error.what());
  }
}

}  // namespace teff::fuzz
