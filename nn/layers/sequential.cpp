// SPDX-License-Identifier: MIT
#include "teff/nn/layers/sequential.h"

namespace teff::nn {

Sequential::Sequential(std::initializer_list<NamedModule> modules) {
  for (const NamedModule& module : modules) add_item(module);
}

Tensor Sequential::forward(const Tensor& input) {
  Tensor x = input;
  for (Module& module : *this) x = module(x);
  return x;
}

}  // namespace teff::nn
