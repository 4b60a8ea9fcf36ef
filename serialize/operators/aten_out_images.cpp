// SPDX-License-Identifier: MIT

// The way out to ATen of convolution, pooling and resizing.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

std::string sampled(Call& c) {
  const std::string &mode = c.text("mode"), &padding = c.text("padding_mode");
  return c.filled("torch.grid_sampler({0}, {1}, ") +
         (mode == "bilinear"  ? "0"
          : mode == "nearest" ? "1"
                              : "2") +
         ", " +
         (padding == "zeros"    ? "0"
          : padding == "border" ? "1"
                                : "2") +
         c.filled(", {align_corners})");
}

std::string resized(Call& c) {
  const std::string& mode = c.text("mode");
  const bool is_nearest = mode.starts_with("nearest");
  const auto scale = [&](const char* name) { return c.has(name) ? aten_float(c.number(name)) : std::string("1.0"); };
  std::string text = "torch.";
  text += mode == "nearest-exact" ? "_upsample_nearest_exact2d(" : "upsample_" + mode + "2d(";
  text += c.in(0) + ", " + c.option("size");
  if (!is_nearest) text += ", " + c.option("align_corners");
  if (c.has("size")) return text + ", None)";
  return text + ", [" + scale("scale_height") + ", " + scale("scale_width") + "])";
}

constexpr AtenExport kAtenImagesRows[] = {
    {"adaptive_avg_pool2d", "torch.adaptive_avg_pool2d({0}, {output_size})"},
    {"adaptive_max_pool2d", "torch.adaptive_max_pool2d({0}, {output_size})", 2},
    {"adaptive_max_pool_with_indices", "torch.adaptive_max_pool3d({0}, {output_size})", 2},
    {"avg_pool2d", "torch.avg_pool2d({0}, {kernel_size}, {stride:list}, {padding}, {ceil_mode}, {count_include_pad}, "
                   "{divisor_override})"},
    {"conv2d", "torch.conv2d({0}, {1}, {2?}, {stride}, {padding}, {dilation}, {groups})"},
    {"conv_transpose2d",
     "torch.conv_transpose2d({0}, {1}, {2?}, {stride}, {padding}, {output_padding}, {groups}, {dilation})"},
    {"fractional_max_pool", "torch.fractional_max_pool3d({0}, {kernel_size}, {output_size}, {1})", 2},
    {"grid_sample", "grid_sampler", sampled},
    {"interpolate", "upsample_nearest2d, _upsample_nearest_exact2d, upsample_bilinear2d, upsample_bicubic2d", resized},
    {"max_pool2d", "torch.max_pool2d({0}, {kernel_size}, {stride:list}, {padding}, {dilation}, {ceil_mode})"},
    {"max_pool_with_indices",
     "torch.max_pool3d_with_indices({0}, {kernel_size}, {stride:list}, {padding}, {dilation}, {ceil_mode})", 2},
    {"max_unpool", "torch.max_unpool3d({0}, {1}, {output_size}, [1, 1, 1], [0, 0, 0])"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_images = aten_outgoing::kAtenImagesRows;

}  // namespace teff::serialize
