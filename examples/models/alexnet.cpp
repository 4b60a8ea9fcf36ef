// SPDX-License-Identifier: MIT
#include "examples/models/alexnet.h"

namespace models {

using namespace teff;

AlexNet::AlexNet(std::int64_t num_classes, double dropout)
    : features{nn::Conv2d(3, 64, 11, {.stride = 4, .padding = 2}),
               nn::ReLU(true),
               nn::MaxPool2d(3, 2),
               nn::Conv2d(64, 192, 5, {.padding = 2}),
               nn::ReLU(true),
               nn::MaxPool2d(3, 2),
               nn::Conv2d(192, 384, 3, {.padding = 1}),
               nn::ReLU(true),
               nn::Conv2d(384, 256, 3, {.padding = 1}),
               nn::ReLU(true),
               nn::Conv2d(256, 256, 3, {.padding = 1}),
               nn::ReLU(true),
               nn::MaxPool2d(3, 2)},
      classifier{nn::Dropout(dropout),         nn::Linear(256 * 6 * 6, 4096), nn::ReLU(true),
                 nn::Dropout(dropout),         nn::Linear(4096, 4096),        nn::ReLU(true),
                 nn::Linear(4096, num_classes)} {}

Tensor AlexNet::forward(const Tensor& images) { return classifier(avgpool(features(images)).flatten(1)); }

}  // namespace models
