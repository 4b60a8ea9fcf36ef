// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

namespace detail {
struct ConvSizes;
}
enum class PaddingKind { pixels, same, valid };
namespace detail {
/// "same" or "valid". @throws ValueError for another word.
PaddingKind padding_kind(std::string_view word);
}  // namespace detail

/// Padding of a convolution: pixels on both sides of each dimension, or by PyTorch's words `.padding = "same"`, as much
/// as leaves the images' size as it is (the end gets the odd pixel), and `.padding = "valid"`, none. Pixels is a number
/// for each dimension: Pair for images.
template <class Pixels>
class BasicConvPadding {
 public:
  template <WholeNumber T>
  BasicConvPadding(T both) : pixels_(std::int64_t{Integer(both)}) {}
  BasicConvPadding(const Pixels& pixels) requires(!WholeNumber<Pixels>) : pixels_(pixels) {}
  /// One for each dimension: {height, width}.
  template <WholeNumber... T>
  requires(sizeof...(T) > 1) BasicConvPadding(T... pixels) : pixels_(pixels...) {}
  template <std::size_t size>
  BasicConvPadding(const char (&word)[size]) : BasicConvPadding(std::string_view(word)) {}
  /// @throws ValueError for another word.
  explicit BasicConvPadding(std::string_view word) : kind_(detail::padding_kind(word)), pixels_(0) {}

  using Kind = PaddingKind;
  Kind kind() const { return kind_; }
  const Pixels& pixels() const { return pixels_; }  // 0 unless that is its kind

 private:
  Kind kind_ = Kind::pixels;
  Pixels pixels_;
};
using ConvPadding = BasicConvPadding<Pair>;

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
  detail::ConvSizes sizes() const;

  Conv2dOptions options_;
};

}  // namespace nn
}  // namespace teff
