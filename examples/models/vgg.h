// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <teff/teff.h>

namespace models {

/// VGG (Simonyan and Zisserman, 2014), as torchvision has it: images [N, 3, H, W] with sides of 32 or more, made for
/// 224 -> scores [N, num_classes].
struct VGG : teff::nn::Module {
  /// Which of the paper's columns: how many of its layers have weights.
  enum class Depth { vgg11, vgg16 };
  /// Initialised as in He et al. (2015); batch_norm puts a BatchNorm2d behind every convolution.
  VGG(Depth depth, bool batch_norm, std::int64_t num_classes = 1000, double dropout = 0.5);

  teff::nn::Sequential features;
  teff::nn::AdaptiveAvgPool2d avgpool{{7, 7}};
  teff::nn::Sequential classifier;
  TEFF_MODULE(VGG, features, avgpool, classifier)

  teff::Tensor forward(const teff::Tensor& images) override;
};

}  // namespace models
