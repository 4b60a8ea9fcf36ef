// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <teff/teff.h>

namespace models {

/// A convolution that keeps the images' size, but for its stride, with batch norm and ReLU6.
struct Conv2dNormActivation : teff::nn::Sequential {
  struct Options {
    std::int64_t kernel_size = 3;
    std::int64_t stride = 1;
    std::int64_t groups = 1;
  };
  Conv2dNormActivation(std::int64_t in_channels, std::int64_t channels, const Options& options);
  TEFF_MODULE(Conv2dNormActivation)
};

/// Widens to expand_ratio times the channels, filters each of them by itself, and narrows again; with a way around
/// where input and output have the same shape. [N, in_channels, H, W] -> [N, channels, H / stride, W / stride].
struct InvertedResidual : teff::nn::Module {
  InvertedResidual(std::int64_t in_channels, std::int64_t channels, std::int64_t stride, std::int64_t expand_ratio);

  teff::nn::Sequential conv;
  TEFF_MODULE(InvertedResidual, conv)

  teff::Tensor forward(const teff::Tensor& input) override;

 private:
  bool way_around_;
};

/// MobileNetV2 (Sandler et al., 2018), as torchvision has it: images [N, 3, H, W], made for 224 x 224 -> scores
/// [N, num_classes].
struct MobileNetV2 : teff::nn::Module {
  explicit MobileNetV2(std::int64_t num_classes = 1000, double dropout = 0.2);

  teff::nn::Sequential features;
  teff::nn::Sequential classifier;
  TEFF_MODULE(MobileNetV2, features, classifier)

  teff::Tensor forward(const teff::Tensor& images) override;
};

}  // namespace models
