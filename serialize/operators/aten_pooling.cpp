// SPDX-License-Identifier: MIT

// ATen's operators on images: pooling, resizing, padding.

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using ImageCall = OperatorCall;

// --- pooling

/// Kernel, stride, padding and dilation; an empty stride is the kernel.
struct AtenWindow {
  AtenNumbers kernel, stride, padding, dilation;
  bool rounds_up;

  explicit AtenWindow(const ImageCall& c)
      : kernel(aten_numbers(c, "kernel_size")),
        stride(aten_numbers(c, "stride")),
        padding(aten_numbers(c, "padding", {0})),
        dilation(aten_numbers(c, "dilation", {1})),
        rounds_up(c.flag("ceil_mode", false)) {
    if (stride.empty()) stride = kernel;
  }

  MaxPool1dFuncOptions max1d() const { return {one_of(stride), one_of(padding), one_of(dilation), rounds_up}; }
  MaxPool2dFuncOptions max2d() const { return {pair_of(stride), pair_of(padding), pair_of(dilation), rounds_up}; }
  MaxPool3dFuncOptions max3d() const { return {triple_of(stride), triple_of(padding), triple_of(dilation), rounds_up}; }
};

TensorList both(const ValuesAndIndices& found) { return {found.values, found.indices}; }

Tensor maxima1d(const ImageCall& c) {
  const AtenWindow w(c);
  return max_pool1d(c.tensor(0), one_of(w.kernel), w.max1d());
}
Tensor maxima2d(const ImageCall& c) {
  const AtenWindow w(c);
  return max_pool2d(c.tensor(0), pair_of(w.kernel), w.max2d());
}
Tensor maxima3d(const ImageCall& c) {
  const AtenWindow w(c);
  return max_pool3d(c.tensor(0), triple_of(w.kernel), w.max3d());
}
TensorList maxima1d_and_places(const ImageCall& c) {
  const AtenWindow w(c);
  return both(max_pool1d_with_indices(c.tensor(0), one_of(w.kernel), w.max1d()));
}
TensorList maxima2d_and_places(const ImageCall& c) {
  const AtenWindow w(c);
  return both(max_pool2d_with_indices(c.tensor(0), pair_of(w.kernel), w.max2d()));
}
TensorList maxima3d_and_places(const ImageCall& c) {
  const AtenWindow w(c);
  return both(max_pool3d_with_indices(c.tensor(0), triple_of(w.kernel), w.max3d()));
}

Tensor means1d(const ImageCall& c) {
  const AtenWindow w(c);
  return avg_pool1d(c.tensor(0), one_of(w.kernel),
                    {one_of(w.stride), one_of(w.padding), w.rounds_up, c.flag("count_include_pad", true)});
}
Tensor means2d(const ImageCall& c) {
  const AtenWindow w(c);
  return avg_pool2d(c.tensor(0), pair_of(w.kernel),
                    {pair_of(w.stride), pair_of(w.padding), w.rounds_up, c.flag("count_include_pad", true),
                     aten_integer(c, "divisor_override")});
}
Tensor means3d(const ImageCall& c) {
  const AtenWindow w(c);
  return avg_pool3d(c.tensor(0), triple_of(w.kernel),
                    {triple_of(w.stride), triple_of(w.padding), w.rounds_up, c.flag("count_include_pad", true),
                     aten_integer(c, "divisor_override")});
}

AtenNumbers output_size(const ImageCall& c) { return aten_numbers(c, "output_size"); }

// --- resizing

/// The result's sizes, or the factors, of which one form of the operators has a list and the other a number for each
/// dimension. Where both are given the factors say which pixels lie where.
Tensor resized_by(const ImageCall& c, InterpolateMode mode, std::size_t rank) {
  InterpolateOptions options{.mode = mode};
  options.align_corners = c.flag("align_corners", false);
  std::vector<double> factors;
  for (const char* name : {"scale_factors", "scale_2", "scale_3"}) {
    const std::optional<Value> value = c.option(name);
    if (!value) continue;
    if (!value->is_list()) {
      factors.push_back(value->as_float());
    } else {
      for (const Value& item : value->as_list()) factors.push_back(item.as_float());
    }
  }
  const Tensor x = c.tensor(0);
  const AtenNumbers sizes = output_size(c);
  const auto fits = [&](std::size_t count) { return count == rank || count == 0; };
  if (!fits(factors.size()) || !fits(sizes.size()) || factors.size() + sizes.size() == 0 ||
      x.shape().size() != rank + 2) {
    throw FormatError("expected a size or a factor for each dimension of the image, got others");
  }
  for (std::size_t i = 0; i < factors.size() && !sizes.empty(); ++i) {
    const double size = std::floor(static_cast<double>(x.size(i + 2)) * factors[i]);
    expect_supported(size == static_cast<double>(sizes[i]), "expected the sizes that the factors give, got others");
  }
  if (factors.size() == 1) options.scale_factor = ScaleFactor(factors[0]);
  if (factors.size() == 2) options.scale_factor = ScaleFactor(factors[0], factors[1]);
  if (factors.size() == 3) options.scale_factor = ScaleFactor(factors[0], factors[1], factors[2]);
  if (factors.empty() && rank == 1) options.size = ImageSize(sizes[0]);
  if (factors.empty() && rank == 2) options.size = ImageSize(sizes[0], sizes[1]);
  if (factors.empty() && rank == 3) options.size = ImageSize(sizes[0], sizes[1], sizes[2]);
  return interpolate(x, options);
}

template <InterpolateMode mode, std::size_t rank>
Tensor resized_images(const ImageCall& c) {
  return resized_by(c, mode, rank);
}

// --- padding

Tensor padded_by(const ImageCall& c) {
  const std::string mode = c.text("mode", "constant");
  const IntList sides = aten_list(c, "pad");
  if (mode == "constant") return pad(c.tensor(0), sides, c.number("value", 0));
  expect_supported(c.number("value", 0) == 0, "expected padding by a value of the mode constant, got " + mode);
  if (mode == "reflect") return pad(c.tensor(0), sides, PadMode::reflect);
  if (mode == "replicate") return pad(c.tensor(0), sides, PadMode::replicate);
  expect_supported(mode == "circular", "expected padding constant, reflect, replicate or circular, got " + mode);
  return pad(c.tensor(0), sides, PadMode::circular);
}

template <PadMode mode>
Tensor padded_in_mode(const ImageCall& c) {
  return pad(c.tensor(0), aten_list(c, "padding"), mode);
}

// --- places

Tensor sampled_at_places(const ImageCall& c) {
  const std::int64_t mode = c.integer("interpolation_mode", 0), outside = c.integer("padding_mode", 0);
  expect_supported(mode >= 0 && mode <= 2 && outside >= 0 && outside <= 2,
                   "expected modes of grid_sampler from 0 to 2, got others");
  GridSampleOptions options;
  options.mode = mode == 0 ? GridSampleMode::bilinear : mode == 1 ? GridSampleMode::nearest : GridSampleMode::bicubic;
  options.padding_mode = outside == 0   ? GridSamplePadding::zeros
                         : outside == 1 ? GridSamplePadding::border
                                        : GridSamplePadding::reflection;
  options.align_corners = c.flag("align_corners", false);
  return grid_sample(c.tensor(0), c.tensor(1), options);
}

/// The middles of n pixels from -1 to 1, or from corner to corner: of operations that follow n.
Tensor middles(std::int64_t n, bool align_corners, DType dtype) {
  const Tensor places = to(aten_range(n), dtype);
  if (!align_corners) return (places * 2.0 + 1.0) / static_cast<double>(n) - 1.0;
  return n > 1 ? places * 2.0 / static_cast<double>(n - 1) - 1.0 : places * 0.0;
}

Tensor affine_places(const ImageCall& c) {
  const Tensor theta = c.tensor(0);
  const IntList size = aten_list(c, "size");
  if (size.size() != 4 || theta.shape() != Shape{size[0], 2, 3}) {
    throw UnsupportedError("expected matrices [N, 2, 3] and a size [N, C, H, W], got " + to_string(theta.shape()) +
                           " and " + to_string(size));
  }
  const bool corners = c.flag("align_corners", false);
  const Shape plane{size[2], size[3]};
  const Tensor x = expand(middles(size[3], corners, theta.dtype()), plane),
               y = expand(unsqueeze(middles(size[2], corners, theta.dtype()), 1), plane);
  const Tensor base = view(stack({x, y, aten_filled(plane, 1, theta.dtype())}, 2), {-1, 3});
  return view(matmul(base, transpose(theta, 1, 2)), {size[0], size[2], size[3], 2});
}

UnfoldFuncOptions window_options(const ImageCall& c) {
  return {pair_of(aten_numbers(c, "dilation", {1})), pair_of(aten_numbers(c, "padding", {0})),
          pair_of(aten_numbers(c, "stride", {1}))};
}

Tensor columns_of(const ImageCall& c) {
  return unfold(c.tensor(0), pair_of(aten_numbers(c, "kernel_size")), window_options(c));
}

Tensor image_of_columns(const ImageCall& c) {
  return fold(c.tensor(0), pair_of(output_size(c)), pair_of(aten_numbers(c, "kernel_size")), window_options(c));
}

constexpr std::string_view kMaxPool = "self kernel_size stride padding dilation ceil_mode";
constexpr std::string_view kAvgPool = "self kernel_size stride padding ceil_mode count_include_pad divisor_override";
constexpr std::string_view kAdaptive = "self output_size", kPadding = "self padding";
constexpr std::string_view kNearest = "self output_size scale_factors scale_2 scale_3";
constexpr std::string_view kSmooth = "self output_size align_corners scale_factors scale_2 scale_3";
constexpr std::string_view kColumns = "self kernel_size dilation padding stride";
using Mode = InterpolateMode;

constexpr AtenRow kAtenPooling[] = {
    {"_adaptive_avg_pool2d", kAdaptive,
     +[](const ImageCall& c) { return adaptive_avg_pool2d(c.tensor(0), pair_of(output_size(c))); }},
    {"_upsample_nearest_exact1d", kNearest, resized_images<Mode::nearest_exact, 1>},
    {"_upsample_nearest_exact2d", kNearest, resized_images<Mode::nearest_exact, 2>},
    {"_upsample_nearest_exact3d", kNearest, resized_images<Mode::nearest_exact, 3>},
    {"adaptive_avg_pool1d", kAdaptive,
     +[](const ImageCall& c) { return adaptive_avg_pool1d(c.tensor(0), one_of(output_size(c))); }},
    {"adaptive_avg_pool2d", kAdaptive,
     +[](const ImageCall& c) { return adaptive_avg_pool2d(c.tensor(0), pair_of(output_size(c))); }},
    {"adaptive_avg_pool3d", kAdaptive,
     +[](const ImageCall& c) { return adaptive_avg_pool3d(c.tensor(0), triple_of(output_size(c))); }},
    {"adaptive_max_pool1d", kAdaptive,
     +[](const ImageCall& c) { return both(adaptive_max_pool1d_with_indices(c.tensor(0), one_of(output_size(c)))); }},
    {"adaptive_max_pool2d", kAdaptive,
     +[](const ImageCall& c) { return both(adaptive_max_pool2d_with_indices(c.tensor(0), pair_of(output_size(c)))); }},
    {"adaptive_max_pool3d", kAdaptive,
     +[](const ImageCall& c) {
       return both(adaptive_max_pool3d_with_indices(c.tensor(0), triple_of(output_size(c))));
     }},
    {"affine_grid_generator", "theta size align_corners", affine_places},
    {"avg_pool1d", kAvgPool, means1d},
    {"avg_pool2d", kAvgPool, means2d},
    {"avg_pool3d", kAvgPool, means3d},
    {"channel_shuffle", "self groups",
     +[](const ImageCall& c) { return channel_shuffle(c.tensor(0), c.integer("groups", 1)); }},
    {"col2im", "self output_size kernel_size dilation padding stride", image_of_columns},
    {"constant_pad_nd", "self pad value", padded_by},
    {"fractional_max_pool3d", "self kernel_size output_size random_samples",
     +[](const ImageCall& c) {
       const Triple kernel = triple_of(aten_numbers(c, "kernel_size"));
       return both(fractional_max_pool3d_with_indices(c.tensor(0), kernel, triple_of(output_size(c)), c.tensor(3)));
     }},
    {"grid_sampler", "input grid interpolation_mode padding_mode align_corners", sampled_at_places},
    {"im2col", kColumns, columns_of},
    {"max_pool1d", kMaxPool, maxima1d},
    {"max_pool1d_with_indices", kMaxPool, maxima1d_and_places},
    {"max_pool2d", kMaxPool, maxima2d},
    {"max_pool2d_with_indices", kMaxPool, maxima2d_and_places},
    {"max_pool3d", kMaxPool, maxima3d},
    {"max_pool3d_with_indices", kMaxPool, maxima3d_and_places},
    {"max_unpool2d", "self indices output_size",
     +[](const ImageCall& c) { return max_unpool2d(c.tensor(0), c.tensor(1), pair_of(output_size(c))); }},
    {"max_unpool3d", "self indices output_size stride padding",
     +[](const ImageCall& c) {
       c.ignore("stride");
       c.ignore("padding");
       return max_unpool3d(c.tensor(0), c.tensor(1), triple_of(output_size(c)));
     }},
    {"pad", "self pad mode value", padded_by},
    {"pixel_shuffle", "self upscale_factor",
     +[](const ImageCall& c) { return pixel_shuffle(c.tensor(0), c.integer("upscale_factor", 1)); }},
    {"pixel_unshuffle", "self downscale_factor",
     +[](const ImageCall& c) { return pixel_unshuffle(c.tensor(0), c.integer("downscale_factor", 1)); }},
    {"reflection_pad1d", kPadding, padded_in_mode<PadMode::reflect>},
    {"reflection_pad2d", kPadding, padded_in_mode<PadMode::reflect>},
    {"reflection_pad3d", kPadding, padded_in_mode<PadMode::reflect>},
    {"replication_pad1d", kPadding, padded_in_mode<PadMode::replicate>},
    {"replication_pad2d", kPadding, padded_in_mode<PadMode::replicate>},
    {"replication_pad3d", kPadding, padded_in_mode<PadMode::replicate>},
    {"upsample_bicubic2d", kSmooth, resized_images<Mode::bicubic, 2>},
    {"upsample_bilinear2d", kSmooth, resized_images<Mode::bilinear, 2>},
    {"upsample_linear1d", kSmooth, resized_images<Mode::linear, 1>},
    {"upsample_nearest1d", kNearest, resized_images<Mode::nearest, 1>},
    {"upsample_nearest2d", kNearest, resized_images<Mode::nearest, 2>},
    {"upsample_nearest3d", kNearest, resized_images<Mode::nearest, 3>},
    {"upsample_trilinear3d", kSmooth, resized_images<Mode::trilinear, 3>},
};
static_assert(is_in_order(kAtenPooling));

}  // namespace

const std::span<const AtenRow> operators::aten_pooling = kAtenPooling;

}  // namespace teff::serialize
