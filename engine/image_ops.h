// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: functions on images [N, C, H, W].

#include <cstdint>
#include <optional>
#include <string_view>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// Options of a function that is a layer, too, are FuncOptions, as in libtorch: nn::Conv2dOptions are the layer's.

// --- convolution

struct Conv2dFuncOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair dilation = 1;
  std::int64_t groups = 1;
  static void fields(auto& self, auto&& field) {
    field("stride", self.stride);
    field("padding", self.padding);
    field("dilation", self.dilation);
    field("groups", self.groups);
  }
};

/// x [N, C, H, W], weight [K, C / groups, kh, kw], bias [K] or undefined -> [N, K, Ho, Wo]
/// with Ho = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down; Wo likewise. May use Winograd's method
/// (WinogradGuard in modes.h).
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dFuncOptions& options = {});

struct ConvTranspose2dFuncOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair output_padding = 0;  // below the stride or the dilation: added to the output's size at its end
  std::int64_t groups = 1;
  Pair dilation = 1;
  static void fields(auto& self, auto&& field) {
    field("stride", self.stride);
    field("padding", self.padding);
    field("output_padding", self.output_padding);
    field("groups", self.groups);
    field("dilation", self.dilation);
  }
};
/// The gradient of conv2d with respect to its input, as a layer: x [N, C, H, W], weight [C, K / groups, kh, kw],
/// bias [K] or undefined -> [N, K, Ho, Wo] with
/// Ho = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1; Wo likewise.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dFuncOptions& options = {});

// --- pooling

struct MaxPool2dFuncOptions {
  std::optional<Pair> stride = {};  // default: the kernel's size
  Pair padding = 0;                 // at most half of the kernel; padding never wins
  Pair dilation = 1;
  bool ceil_mode = false;  // round the output's size up: the last window may hang over the edge
};
Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dFuncOptions& options = {});

struct AvgPool2dFuncOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};
Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dFuncOptions& options = {});

/// Mean, or maximum, of out_height x out_width windows of nearly equal size, which may overlap: along an axis window i
/// of n is [i * size / n rounded down, (i + 1) * size / n rounded up). [N, C, H, W] -> [N, C, output_size]
Tensor adaptive_avg_pool2d(const Tensor& x, const Pair& output_size);
Tensor adaptive_max_pool2d(const Tensor& x, const Pair& output_size);

// --- resizing and padding

/// bilinear and bicubic are for images, linear for rows, trilinear for volumes, the others for all. area is the mean
/// over the part of the input that a value of the result covers: adaptive_avg_pool2d. nearest_exact takes the value
/// nearest to the middle of that part; nearest, as older programs did, the one at its begin.
enum class InterpolateMode { nearest, bilinear, linear, trilinear, bicubic, area, nearest_exact };
std::string_view to_string(InterpolateMode mode);
void from_string(std::string_view name, InterpolateMode& mode);

/// Factors for (depth,) height and width; one number stands for all.
struct ScaleFactor {
  double height, width, depth = 1;
  int given = 1;  // numbers
  ScaleFactor(double all) : height(all), width(all), depth(all) {}
  ScaleFactor(double h, double w) : height(h), width(w), given(2) {}
  ScaleFactor(double d, double h, double w) : height(h), width(w), depth(d), given(3) {}
};

/// Sizes of a row, of an image (height, width) or a volume (depth, height, width); one number stands for all.
class ImageSize {
 public:
  template <WholeNumber T>
  ImageSize(T all) : sizes_(all) {}
  ImageSize(const Pair& pair) : sizes_{pair.height, pair.width} {}
  ImageSize(Integer height, Integer width) : sizes_{height, width} {}
  ImageSize(Integer depth, Integer height, Integer width) : sizes_{depth, height, width} {}
  /// As given: one, two or three.
  const IntList& sizes() const { return sizes_; }

 private:
  IntList sizes_;
};

struct InterpolateOptions {
  std::optional<ImageSize> size = {};            // of the result; or
  std::optional<ScaleFactor> scale_factor = {};  // result's size / input's, rounded down; of a row the width's
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;  // the corners' centres stay where they are, instead of the images' edges
};
/// Images, rows or volumes of another size: [N, C, H, W] -> [N, C, Ho, Wo], and so on. nearest takes pixel [i * H /
/// Ho], rounded down; with a scale_factor positions follow from the factor itself, as in PyTorch.
/// @throws ValueError unless exactly one of size and scale_factor is given, for a mode that is not one of the input's
/// rank, and for align_corners with a mode that mixes nothing.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

enum class PadMode { constant, reflect, replicate, circular };
std::string_view to_string(PadMode mode);
void from_string(std::string_view name, PadMode& mode);

/// Constant values around: `padding` = {before, after} of the last dimension, then of the one before it, ..., as in
/// PyTorch. Negative padding crops. For every dtype, like the next.
Tensor pad(const Tensor& x, const IntList& padding, double value = 0);
/// Values of x itself around: mirrored at the border's pixel (reflect), the border's pixel again (replicate), or those
/// of the other side (circular).
Tensor pad(const Tensor& x, const IntList& padding, PadMode mode);

/// [N, C * r * r, H, W] -> [N, C, H * r, W * r]: r x r channels become the pixels of a square (Shi et al., 2016).
/// Leading dimensions may be any number. pixel_unshuffle is the way back.
Tensor pixel_shuffle(const Tensor& x, Integer upscale_factor);
Tensor pixel_unshuffle(const Tensor& x, Integer downscale_factor);
/// Channels of x [N, C, ...] as a matrix [groups, C / groups], transposed.
Tensor channel_shuffle(const Tensor& x, Integer groups);

struct UnfoldFuncOptions {
  Pair dilation = 1;
  Pair padding = 0;
  Pair stride = 1;
};
/// The pixels under each place of a kernel: [N, C, H, W] -> [N, C * kh * kw, places]; without N likewise.
Tensor unfold(const Tensor& x, const Pair& kernel_size, const UnfoldFuncOptions& options = {});
/// Its transpose: pixels are added at their places of images of output_size.
Tensor fold(const Tensor& x, const Pair& output_size, const Pair& kernel_size, const UnfoldFuncOptions& options = {});

enum class GridSampleMode { bilinear, nearest, bicubic };
enum class GridSamplePadding { zeros, border, reflection };
std::string_view to_string(GridSampleMode mode);
void from_string(std::string_view name, GridSampleMode& mode);
std::string_view to_string(GridSamplePadding mode);
void from_string(std::string_view name, GridSamplePadding& mode);
struct GridSampleOptions {
  GridSampleMode mode = GridSampleMode::bilinear;
  GridSamplePadding padding_mode = GridSamplePadding::zeros;  // what is outside of the image
  bool align_corners = false;  // -1 and 1 are the centres of the pixels at the border, instead of the image's edges
  static void fields(auto& self, auto&& field) {
    field("mode", self.mode);
    field("padding_mode", self.padding_mode);
    field("align_corners", self.align_corners);
  }
};
/// Values of images [N, C, H, W] at the places grid [N, Ho, Wo, 2], as (x, y) from -1 to 1: [N, C, Ho, Wo].
Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {});
/// The grid of grid_sample for an affine transformation theta [N, 2, 3] of the result, of shape `size` [N, C, H, W].
Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners = false);

}  // namespace teff
