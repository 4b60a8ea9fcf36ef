// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/image_ops.h"
#include "teff/engine/shape.h"
#include "teff/nn/module.h"

// Layers that move elements and compute nothing.

namespace TEFF_EXPORT teff {
namespace nn {

/// Makes several dimensions of one: `nn::Unflatten(1, {2, 5})`, [N, 10] -> [N, 2, 5]. One size may be -1. Shares
/// elements.
class Unflatten : public Module {
 public:
  Unflatten(Integer dim, const Shape& unflattened_size) : dim_(dim), unflattened_size_(unflattened_size) {}
  TEFF_MODULE(Unflatten)
  /// @throws ShapeError unless the sizes make up the dimension's.
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t dim_;
  Shape unflattened_size_;
};

/// teff::channel_shuffle: [N, C, ...] -> the same.
class ChannelShuffle : public Module {
 public:
  /// @throws ValueError for groups below 1.
  explicit ChannelShuffle(Integer groups);
  TEFF_MODULE(ChannelShuffle)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t groups_;
};

/// teff::pixel_shuffle: [N, C * r * r, H, W] -> [N, C, H * r, W * r] (Shi et al., 2016).
class PixelShuffle : public Module {
 public:
  /// @throws ValueError for a factor below 1.
  explicit PixelShuffle(Integer upscale_factor);
  TEFF_MODULE(PixelShuffle)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t upscale_factor_;
};

/// The way back.
class PixelUnshuffle : public Module {
 public:
  /// @throws ValueError for a factor below 1.
  explicit PixelUnshuffle(Integer downscale_factor);
  TEFF_MODULE(PixelUnshuffle)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t downscale_factor_;
};

/// teff::unfold: [N, C, H, W] -> [N, C * kh * kw, places].
class Unfold : public Module {
 public:
  /// @throws ValueError for sizes below 1 or negative padding.
  explicit Unfold(const Pair& kernel_size, const UnfoldFuncOptions& options = {});
  TEFF_MODULE(Unfold)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Pair kernel_size_;
  UnfoldFuncOptions options_;
};

/// teff::fold: [N, C * kh * kw, places] -> [N, C, output_size].
class Fold : public Module {
 public:
  /// @throws ValueError for sizes below 1 or negative padding.
  Fold(const Pair& output_size, const Pair& kernel_size, const UnfoldFuncOptions& options = {});
  TEFF_MODULE(Fold)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Pair output_size_, kernel_size_;
  UnfoldFuncOptions options_;
};

}  // namespace nn
}  // namespace teff
