// SPDX-License-Identifier: MIT
#pragma once

#include <teff/teff.h>

/// Grey images [N, 1, 28, 28] -> scores of 10 classes [N, 10]: four 3x3 convolutions with batch norm and ReLU, 252 138
/// parameters, 29 MFLOP an image.
struct SmallCnn : teff::nn::Module {
  /// [N, in, H, W] -> [N, out, H, W]
  struct Block : teff::nn::Module {
    Block(std::int64_t in, std::int64_t out) : conv(in, out, 3, {.padding = 1, .bias = false}), bn(out) {}
    teff::nn::Conv2d conv;  // batch norm has the bias
    teff::nn::BatchNorm2d bn;
    TEFF_MODULE(Block, conv, bn)

    teff::Tensor forward(const teff::Tensor& x) override { return relu(bn(conv(x))); }
  };

  Block block1{1, 32};
  Block block2{32, 64};
  Block block3{64, 128};
  Block block4{128, 128};
  teff::nn::MaxPool2d pool{2, 2};
  teff::nn::Linear fc{128 * 3 * 3, 10};
  TEFF_MODULE(SmallCnn, block1, block2, block3, block4, pool, fc)

  teff::Tensor forward(const teff::Tensor& input) override {
    teff::Tensor x = pool(block1(input));  // [N, 32, 14, 14]
    x = pool(block2(x));                   // [N, 64, 7, 7]
    x = pool(block4(block3(x)));           // [N, 128, 3, 3]
    return fc(x.flatten(1));
  }
};
