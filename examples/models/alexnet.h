// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <teff/teff.h>

namespace models {

/// AlexNet in its form for one processor (Krizhevsky, 2014), as torchvision has it: images [N, 3, H, W] with sides of
/// 63 or more, made for 224 -> scores [N, num_classes].
struct AlexNet : teff::nn::Module {
  explicit AlexNet(std::int64_t num_classes = 1000, double dropout = 0.5);

  teff::nn::Sequential features;
  teff::nn::AdaptiveAvgPool2d avgpool{{6, 6}};
  teff::nn::Sequential classifier;
  TEFF_MODULE(AlexNet, features, avgpool, classifier)

  teff::Tensor forward(const teff::Tensor& images) override;
};

}  // namespace models
