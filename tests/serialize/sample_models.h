// SPDX-License-Identifier: MIT
#pragma once

// Networks for the tests of model files.

#include <string>

#include "examples/models/net.h"
#include "serialize/file_fixture.h"
#include "support/gated_net.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"

namespace teff::testing {

struct TinyNet : nn::Module {
  nn::Linear fc{2, 1};
  TEFF_MODULE(TinyNet, fc)
  Tensor forward(const Tensor& x) override { return relu(fc(x)); }
};

using ::Net;

/// Behaves differently in training; its view follows the batch.
struct Regularised : nn::Module {
  nn::Conv2d conv{1, 4, 3};
  nn::BatchNorm2d norm{4};
  nn::Dropout dropout{0.5};
  nn::Linear fc{4 * 6 * 6, 3};
  TEFF_MODULE(Regularised, conv, norm, dropout, fc)

  Tensor forward(const Tensor& input) override {
    const Tensor x = dropout(relu(norm(conv(input))));
    return fc(x.view({x.size(0), -1}));
  }
};

/// The bytes of the model's file.
inline std::string saved_model(nn::Module& module, const Tensor& input) {
  const TempFile file;
  save_model(module, input, file, {.durable = false});
  return read_file(file);
}

}  // namespace teff::testing
