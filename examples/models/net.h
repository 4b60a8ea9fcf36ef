// SPDX-License-Identifier: MIT
#pragma once

#include <teff/teff.h>

/// The recipe's network: images [N, 3, 32, 32] -> scores of 10 classes [N, 10]. LeNet-5 with ReLU and max
/// pooling.
struct Net : teff::nn::Module {
  teff::nn::Conv2d conv1{3, 6, 5};
  teff::nn::MaxPool2d pool{2, 2};
  teff::nn::Conv2d conv2{6, 16, 5};
  teff::nn::Linear fc1{16 * 5 * 5, 120};
  teff::nn::Linear fc2{120, 84};
  teff::nn::Linear fc3{84, 10};
  TEFF_MODULE(Net, conv1, pool, conv2, fc1, fc2, fc3)

  teff::Tensor forward(const teff::Tensor& input) override {
    teff::Tensor x = pool(relu(conv1(input)));  // [N, 6, 14, 14]
    x = pool(relu(conv2(x)));                   // [N, 16, 5, 5]
    x = x.view({-1, 16 * 5 * 5});
    x = relu(fc1(x));
    x = relu(fc2(x));
    return fc3(x);
  }
};
