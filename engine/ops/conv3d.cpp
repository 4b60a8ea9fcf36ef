// SPDX-License-Identifier: MIT
#include "teff/engine/ops/rows_and_volumes.h"

namespace teff {
namespace {

void check_groups(std::string_view op, std::int64_t groups, std::int64_t channels, const Tensor& x,
                  const Tensor& weight) {
  if (groups >= 1 && channels % groups == 0) return;
  ops::fail<ValueError>(op, "groups that divide the channels of input ", x.shape(), " and weight ", weight.shape(),
                        ", got groups = ", groups);
}

/// x [N, C, D, H, W] -> [N * Do, C * kd, H, W]: for each place of the kernel along the depth the images that it
/// reaches, as channels. Only what follows from options is said in numbers, so that a graph takes any depth.
Tensor reached_images(const Tensor& x, std::int64_t kernel, const Conv3dFuncOptions& options) {
  const std::int64_t padding = options.padding.depth, last = options.dilation.depth * (kernel - 1);
  const Tensor padded = padding == 0 ? x : pad(x, {0, 0, 0, 0, padding, padding});
  std::vector<Tensor> slices;
  for (std::int64_t begin = 0; begin <= last; begin += options.dilation.depth) {
    const std::optional<Integer> end = begin == last ? std::nullopt : std::optional<Integer>(begin - last);
    slices.push_back(slice(padded, 2, begin, end, options.stride.depth));
  }
  const Tensor places = stack(slices, 3).permute({0, 2, 1, 3, 4, 5});  // [N, Do, C, kd, H, W]
  return places.view({-1, x.size(1) * kernel, x.size(3), x.size(4)});
}

}  // namespace

Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv3dFuncOptions& options) {
  constexpr const char* kName = "conv3d";
  ops::check_layout(kName, "input", x, 5, "[N, C, D, H, W]");
  ops::check_layout(kName, "weight", weight, 5, "[K, C / groups, kd, kh, kw]");
  ops::check_triple(kName, "stride", options.stride, 1);
  ops::check_triple(kName, "padding", options.padding, 0);
  ops::check_triple(kName, "dilation", options.dilation, 1);
  check_groups(kName, options.groups, weight.size(0), x, weight);
  if (x.size(1) % options.groups != 0 || x.size(1) / options.groups != weight.size(1)) {
    ops::fail<ShapeError>(kName, "input [N, C, D, H, W] with C = ", weight.size(1), " times groups = ", options.groups,
                          " to match weight ", weight.shape(), ", got input ", x.shape());
  }
  const std::int64_t kernel = weight.size(2), size = x.size(2) + 2 * options.padding.depth;
  if (kernel > ops::kMaxOption || options.dilation.depth * (kernel - 1) >= size) {
    ops::fail<ShapeError>(kName, "a kernel not larger than the padded volume, got weight ", weight.shape(),
                          " with dilation ", to_string(options.dilation), " for input ", x.shape(), " with padding ",
                          to_string(options.padding));
  }
  return detail::with_name(kName, [&] {
    const Tensor filters = weight.view({weight.size(0), weight.size(1) * kernel, weight.size(3), weight.size(4)});
    const Tensor y = conv2d(reached_images(x, kernel, options), filters, bias,
                            {.stride = options.stride.image(),
                             .padding = options.padding.image(),
                             .dilation = options.dilation.image(),
                             .groups = options.groups});
    const std::int64_t depth = (size - options.dilation.depth * (kernel - 1) - 1) / options.stride.depth + 1;
    return y.view({-1, depth, y.size(1), y.size(2), y.size(3)}).permute({0, 2, 1, 3, 4});
  });
}

namespace {

/// y [N, K, kd, D, P], what each image gives to each place of the kernel, -> [N, K, Do, P]: place k of image d is added
/// to image d * stride + k * dilation - padding of the result.
Tensor added_along_depth(const Tensor& y, const ConvTranspose3dFuncOptions& options) {
  const std::int64_t stride = options.stride.depth, kernel = y.size(2), depth = y.size(3) * stride;
  const std::int64_t last = options.dilation.depth * (kernel - 1);
  // Do - D * stride
  const std::int64_t more = last + options.output_padding.depth + 1 - stride - 2 * options.padding.depth;
  Tensor sum;
  for (std::int64_t k = 0; k < kernel; ++k) {
    Tensor images = select(y, 2, k);
    if (stride > 1) {
      images = pad(unsqueeze(images, 3), {0, 0, 0, stride - 1}).view({-1, y.size(1), depth, y.size(4)});
    }
    const std::int64_t before = k * options.dilation.depth - options.padding.depth;
    images = pad(images, {0, 0, before, more - before});
    sum = sum.defined() ? sum + images : images;
  }
  return sum;
}

}  // namespace

Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose3dFuncOptions& options) {
  constexpr const char* kName = "conv_transpose3d";
  ops::check_layout(kName, "input", x, 5, "[N, C, D, H, W]");
  ops::check_layout(kName, "weight", weight, 5, "[C, K / groups, kd, kh, kw]");
  ops::check_triple(kName, "stride", options.stride, 1);
  ops::check_triple(kName, "padding", options.padding, 0);
  ops::check_triple(kName, "dilation", options.dilation, 1);
  ops::check_triple(kName, "output_padding", options.output_padding, 0);
  check_groups(kName, options.groups, weight.size(0), x, weight);
  if (x.size(1) != weight.size(0)) {
    ops::fail<ShapeError>(kName, "input [N, C, D, H, W] with C = ", weight.size(0), " to match weight ", weight.shape(),
                          ", got input ", x.shape());
  }
  const std::int64_t kernel = weight.size(2), extra = options.output_padding.depth;
  if (extra >= options.stride.depth && extra >= options.dilation.depth) {
    ops::fail<ValueError>(kName, "output_padding below stride or dilation, got ", to_string(options.output_padding));
  }
  const std::int64_t channels = weight.size(1) * options.groups;
  if (bias.defined()) ops::check_matches(kName, "bias", bias.shape(), {channels}, "weight", weight.shape());
  if (kernel > ops::kMaxOption) ops::fail<ShapeError>(kName, "a kernel below 2^31, got weight ", weight.shape());
  return detail::with_name(kName, [&] {
    const Tensor images = x.permute({0, 2, 1, 3, 4}).view({-1, x.size(1), x.size(3), x.size(4)});
    const Tensor filters = weight.view({weight.size(0), weight.size(1) * kernel, weight.size(3), weight.size(4)});
    const Tensor y = conv_transpose2d(images, filters, {},
                                      {.stride = options.stride.image(),
                                       .padding = options.padding.image(),
                                       .output_padding = options.output_padding.image(),
                                       .groups = options.groups,
                                       .dilation = options.dilation.image()});
    const std::int64_t height = y.size(2), width = y.size(3);
    const Tensor places =
        y.view({-1, x.size(2), channels, kernel, height * width}).permute({0, 2, 3, 1, 4});  // [N, K, kd, D, Ho * Wo]
    const Tensor sum = added_along_depth(places, options);
    const Tensor result = sum.view({-1, channels, sum.size(2), height, width});
    return bias.defined() ? result + bias.view({channels, 1, 1, 1}) : result;
  });
}

}  // namespace teff
