// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Padding of a convolution: pixels on both sides, or by PyTorch's words `.padding = "same"`, as much as leaves the
/// images' size as it is (the end gets the odd pixel), and `.padding = "valid"`, none.
class ConvPadding {
 public:
  template <WholeNumber T>
  ConvPadding(T both) : pixels_(both) {}
  ConvPadding(Integer height, Integer width) : pixels_(height, width) {}
  ConvPadding(const Pair& pixels) : pixels_(pixels) {}
  template <std::size_t size>
  ConvPadding(const char (&word)[size]) : ConvPadding(std::string_view(word)) {}
  /// @throws ValueError for another word.
  explicit ConvPadding(std::string_view word);

  enum class Kind { pixels, same, valid };
  Kind kind() const { return kind_; }
  const Pair& pixels() const { return pixels_; }  // 0 unless that is its kind

 private:
  Kind kind_ = Kind::pixels;
  Pair pixels_;
};

struct Conv2dOptions {
  Pair stride = 1;
  ConvPadding padding = 0;
  Pair dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  // zeros
};

/// teff::conv2d: [N, in_channels, H, W] -> [N, out_channels, Ho, Wo].
/// weight [out_channels, in_channels / groups, kh, kw], bias [out_channels]; initialised by init::reset_affine_.
class Conv2d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or padding "same"
  /// with a stride.
  Conv2d(Integer in_channels, Integer out_channels, const Pair& kernel_size, const Conv2dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Conv2d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  const Conv2dOptions& options() const { return options_; }

 private:
  IntList sides() const;

  Conv2dOptions options_;
};

}  // namespace nn
}  // namespace teff
