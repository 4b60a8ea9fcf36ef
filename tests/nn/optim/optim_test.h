// SPDX-License-Identifier: MIT
#pragma once

// What the tests of optimisers share: the parameters and gradients of make_optim_golden.py.

#include "nn/nets.h"
#include "support/deep_copy.h"

namespace teff::nn_testing {

using testing::deep_copy;

inline constexpr int kSteps = 12;
inline constexpr int kEpochs = 20;

inline nn::Parameter five() { return tensor<float>({1, -2, 0.5f, 0, 3}); }

inline std::vector<optim::SGDGroup> two_groups() {
  return {{.params = {five()}, .options = {.lr = 0.1, .momentum = 0.9}},
          {.params = {five()}, .options = {.lr = 0.5, .momentum = 0.9}}};
}

inline void run(optim::Optimizer& optimizer, const std::vector<Tensor>& parameters, int from = 0, int to = kSteps) {
  for (int step = from; step < to; ++step) {
    for (const Tensor& p : parameters) {
      p.set_grad(((arange(p.numel()) + 1).to(DType::float32) * 0.25 - 0.125 * step).to(p.dtype()));
    }
    optimizer.step();
  }
}

inline Dict& group_of(Dict& state, std::size_t group) { return state.at("param_groups").as_list()[group].as_dict(); }
inline Dict& state_of(Dict& state, const std::string& parameter) {
  return state.at("state").as_dict().at(parameter).as_dict();
}

/// Loading must fail with that text and leave the optimiser as it was.
inline void check_refused(optim::Optimizer& optimizer, const Dict& dict, const std::string& text) {
  const Value before = deep_copy(optimizer.state_dict());
  CHECK(error_of<StateDictError>([&] { optimizer.load_state_dict(dict); }) == text);
  CHECK(Value(optimizer.state_dict()) == before);
}

}  // namespace teff::nn_testing
