// SPDX-License-Identifier: MIT
#include "teff/nn/layers/rearrange.h"

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {

Tensor Unflatten::forward(const Tensor& input) {
  const std::int64_t rank = input.dim(), dim = dim_ < 0 ? dim_ + rank : dim_;
  if (dim < 0 || dim >= rank) {
    throw IndexError("Unflatten: expected a dimension of input " + to_string(input.shape()) + ", got " +
                     std::to_string(dim_));
  }
  std::int64_t product = 1, open = 0;
  for (const std::int64_t part : unflattened_size_) {
    open += part == -1;
    product *= part == -1 ? 1 : part;
  }
  const std::int64_t size = input.size(dim);
  if (unflattened_size_.empty() || open > 1 || (open == 1 ? product <= 0 || size % product != 0 : product != size)) {
    throw ShapeError("Unflatten: expected sizes that make up the " + std::to_string(size) + " of dimension " +
                     std::to_string(dim) + " of input " + to_string(input.shape()) + ", got " +
                     to_string(unflattened_size_));
  }
  Shape shape;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i != dim) {
      shape.push_back(input.size(i));
      continue;
    }
    for (const std::int64_t part : unflattened_size_) shape.push_back(part == -1 ? size / product : part);
  }
  return input.view(shape);
}

std::string Unflatten::extra_repr() const {
  return "dim=" + std::to_string(dim_) + ", unflattened_size=" + detail::tuple(unflattened_size_);
}

ChannelShuffle::ChannelShuffle(Integer groups) : groups_(groups) {
  detail::expect_at_least(1, "ChannelShuffle", "groups", groups);
}
Tensor ChannelShuffle::forward(const Tensor& input) { return channel_shuffle(input, groups_); }
std::string ChannelShuffle::extra_repr() const { return "groups=" + std::to_string(groups_); }

PixelShuffle::PixelShuffle(Integer upscale_factor) : upscale_factor_(upscale_factor) {
  detail::expect_at_least(1, "PixelShuffle", "upscale_factor", upscale_factor);
}
Tensor PixelShuffle::forward(const Tensor& input) { return pixel_shuffle(input, upscale_factor_); }
std::string PixelShuffle::extra_repr() const { return "upscale_factor=" + std::to_string(upscale_factor_); }

PixelUnshuffle::PixelUnshuffle(Integer downscale_factor) : downscale_factor_(downscale_factor) {
  detail::expect_at_least(1, "PixelUnshuffle", "downscale_factor", downscale_factor);
}
Tensor PixelUnshuffle::forward(const Tensor& input) { return pixel_unshuffle(input, downscale_factor_); }
std::string PixelUnshuffle::extra_repr() const { return "downscale_factor=" + std::to_string(downscale_factor_); }

namespace {

void check_unfold(const char* layer, const Pair& kernel_size, const UnfoldFuncOptions& options) {
  detail::expect_at_least(1, layer, "kernel_size", kernel_size);
  detail::expect_at_least(1, layer, "dilation", options.dilation);
  detail::expect_at_least(0, layer, "padding", options.padding);
  detail::expect_at_least(1, layer, "stride", options.stride);
}

std::string unfold_repr(const Pair& kernel_size, const UnfoldFuncOptions& options) {
  return "kernel_size=" + detail::int_or_pair(kernel_size) + ", dilation=" + detail::int_or_pair(options.dilation) +
         ", padding=" + detail::int_or_pair(options.padding) + ", stride=" + detail::int_or_pair(options.stride);
}

}  // namespace

Unfold::Unfold(const Pair& kernel_size, const UnfoldFuncOptions& options)
    : kernel_size_(kernel_size), options_(options) {
  check_unfold("Unfold", kernel_size, options);
}
Tensor Unfold::forward(const Tensor& input) { return unfold(input, kernel_size_, options_); }
std::string Unfold::extra_repr() const { return unfold_repr(kernel_size_, options_); }

Fold::Fold(const Pair& output_size, const Pair& kernel_size, const UnfoldFuncOptions& options)
    : output_size_(output_size), kernel_size_(kernel_size), options_(options) {
  detail::expect_at_least(1, "Fold", "output_size", output_size);
  check_unfold("Fold", kernel_size, options);
}
Tensor Fold::forward(const Tensor& input) { return fold(input, output_size_, kernel_size_, options_); }
std::string Fold::extra_repr() const {
  return "output_size=" + detail::int_or_pair(output_size_) + ", " + unfold_repr(kernel_size_, options_);
}

}  // namespace teff::nn
