// SPDX-License-Identifier: MIT
#include "teff/engine/ops/window.h"

#include "teff/engine/ops/checks.h"

namespace teff::ops {
namespace {

/// Number of places of a window, 0 or less if it does not fit. `extent` is the kernel's, dilated.
std::int64_t places(std::int64_t size, std::int64_t extent, std::int64_t stride, std::int64_t padding, bool ceil_mode) {
  const std::int64_t room = size + 2 * padding - extent + (ceil_mode ? stride - 1 : 0);
  if (room < 0) return 0;
  const std::int64_t count = room / stride + 1;
  // The last window must begin in the image or in the padding before it.
  return ceil_mode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

Pair extent_of(const WindowOptions& options) {
  return {options.dilation.height * (options.kernel.height - 1) + 1,
          options.dilation.width * (options.kernel.width - 1) + 1};
}

bool are_measurable(const Shape& images) {
  return images[2] < kMaxOption && images[3] < kMaxOption && numel(images) <= kMaxImages;
}

}  // namespace

void check_window(std::string_view op, const WindowOptions& options) {
  check_pair(op, "kernel_size", options.kernel, 1);
  check_pair(op, "stride", options.stride, 1);
  check_pair(op, "padding", options.padding, 0);
  check_pair(op, "dilation", options.dilation, 1);
}

void check_images(std::string_view op, const Shape& input) {
  if (input.size() != 4 || input[1] <= 0 || input[2] <= 0 || input[3] <= 0) {
    fail<ShapeError>(op, "input [N, C, H, W] with at least one channel and pixel, got input ", input);
  }
  if (!are_measurable(input)) {
    fail<ShapeError>(op, "images of less than 2^31 rows and columns and at most 2^48 values, got input ", input);
  }
}

Shape check_output(std::string_view op, const Shape& output) {
  check_result(op, output);
  if (!are_measurable(output)) {
    fail<ShapeError>(op, "a result of less than 2^31 rows and columns and at most 2^48 values, got one of shape ",
                     output);
  }
  return output;
}

void check_filters(std::string_view op, const Shape& weight) {
  if (numel(weight) > kMaxImages) fail<ShapeError>(op, "weight of at most 2^48 values, got weight ", weight);
}

void check_work(std::string_view op, const Shape& input, const Shape& output, const Shape& weight,
                std::int64_t groups) {
  check_work(op, {numel(output), weight[1], weight[2], weight[3]});
  check_work(op, {numel(input), weight[0] / groups, weight[2], weight[3]});
}

Shape window_output(std::string_view op, const Shape& input, const WindowOptions& options, std::int64_t out_channels) {
  const Pair extent = extent_of(options);
  const std::int64_t height =
      places(input[2], extent.height, options.stride.height, options.padding.height, options.ceil_mode);
  const std::int64_t width =
      places(input[3], extent.width, options.stride.width, options.padding.width, options.ceil_mode);
  if (height <= 0 || width <= 0) {
    const Pair padded{input[2] + 2 * options.padding.height, input[3] + 2 * options.padding.width};
    fail<ShapeError>(op, "a kernel not larger than the padded images, got kernel ", to_string(options.kernel),
                     " with dilation ", to_string(options.dilation), ", which spans ", to_string(extent),
                     ", on images ", to_string(padded), " from input ", input, " with padding ",
                     to_string(options.padding));
  }
  return check_output(op, {input[0], out_channels, height, width});
}

kernels::Window2d make_window(const Shape& input, const Shape& output, const WindowOptions& options,
                              std::int64_t groups) {
  return {.batch = input[0],
          .channels = input[1],
          .height = input[2],
          .width = input[3],
          .out_channels = output[1],
          .out_height = output[2],
          .out_width = output[3],
          .kernel_height = options.kernel.height,
          .kernel_width = options.kernel.width,
          .stride_height = output[2] == 1 ? 1 : options.stride.height,  // never taken: let kernels plan for less
          .stride_width = output[3] == 1 ? 1 : options.stride.width,
          .padding_height = options.padding.height,
          .padding_width = options.padding.width,
          .dilation_height = options.dilation.height,
          .dilation_width = options.dilation.width,
          .groups = groups};
}

}  // namespace teff::ops
