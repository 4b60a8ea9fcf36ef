// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <teff/teff.h>

namespace models {

/// Squeezes to few channels, then expands by kernels of 1 x 1 and of 3 x 3 side by side:
/// [N, in_channels, H, W] -> [N, 2 * expand_channels, H, W].
struct Fire : teff::nn::Module {
  Fire(std::int64_t in_channels, std::int64_t squeeze_channels, std::int64_t expand_channels);

  teff::nn::Conv2d squeeze;
  teff::nn::ReLU squeeze_activation{true};
  teff::nn::Conv2d expand1x1;
  teff::nn::ReLU expand1x1_activation{true};
  teff::nn::Conv2d expand3x3;
  teff::nn::ReLU expand3x3_activation{true};
  TEFF_MODULE(Fire, squeeze, squeeze_activation, expand1x1, expand1x1_activation, expand3x3, expand3x3_activation)

  teff::Tensor forward(const teff::Tensor& input) override;
};

/// SqueezeNet 1.1 (Iandola et al., 2016), as torchvision has it: images [N, 3, H, W] with sides of 17 or more, made for
/// 224 -> scores [N, num_classes].
struct SqueezeNet : teff::nn::Module {
  explicit SqueezeNet(std::int64_t num_classes = 1000, double dropout = 0.5);

  teff::nn::Sequential features;
  teff::nn::Sequential classifier;
  TEFF_MODULE(SqueezeNet, features, classifier)

  teff::Tensor forward(const teff::Tensor& images) override;
};

}  // namespace models
