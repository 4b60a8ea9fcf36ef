// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <teff/teff.h>

namespace models {

/// LeNet-5 (LeCun et al., 1998) with plain average pooling: grey images [N, 1, 32, 32] -> scores [N, num_classes].
/// A network that is a chain of layers needs no forward of its own: it is a Sequential.
struct LeNet5 : teff::nn::Sequential {
  explicit LeNet5(std::int64_t num_classes = 10)
      : Sequential{{"conv1", teff::nn::Conv2d(1, 6, 5)},
                   {"tanh1", teff::nn::Tanh()},
                   {"pool1", teff::nn::AvgPool2d(2)},  // [N, 6, 14, 14]
                   {"conv2", teff::nn::Conv2d(6, 16, 5)},
                   {"tanh2", teff::nn::Tanh()},
                   {"pool2", teff::nn::AvgPool2d(2)},  // [N, 16, 5, 5]
                   {"conv3", teff::nn::Conv2d(16, 120, 5)},
                   {"tanh3", teff::nn::Tanh()},
                   {"flatten", teff::nn::Flatten()},
                   {"fc1", teff::nn::Linear(120, 84)},
                   {"tanh4", teff::nn::Tanh()},
                   {"fc2", teff::nn::Linear(84, num_classes)}} {}
  TEFF_MODULE(LeNet5)
};

}  // namespace models
