// SPDX-License-Identifier: MIT
#include "teff/nn/layers/pool_parts.h"

#include "teff/nn/text.h"

namespace teff::nn::detail {

IntList sides(const Pair& pair) { return {pair.height, pair.width}; }
IntList sides(const Triple& triple) { return {triple.depth, triple.height, triple.width}; }

void check_window(std::string_view layer, const IntList& kernel_size, const IntList& stride, const IntList& padding,
                  const IntList& dilation) {
  expect_at_least(1, layer, "kernel_size", kernel_size);
  expect_at_least(1, layer, "stride", stride);
  expect_at_least(0, layer, "padding", padding);
  for (std::size_t i = 0; i < padding.size(); ++i) {
    expect(padding[i] <= kernel_size[i] / 2, layer, "padding of at most half of the kernel",
           "padding " + int_or_tuple(padding) + " and kernel_size " + int_or_tuple(kernel_size));
  }
  expect_at_least(1, layer, "dilation", dilation);
}

std::string window_repr(const std::string& kernel_size, const std::string& stride, const std::string& padding) {
  return "kernel_size=" + kernel_size + ", stride=" + stride + ", padding=" + padding;
}

std::string lp_pool_repr(double norm_type, const std::string& kernel_size, const std::string& stride, bool ceil_mode) {
  return "norm_type=" + whole_or_float(norm_type) + ", kernel_size=" + kernel_size + ", stride=" + stride +
         ", ceil_mode=" + python_bool(ceil_mode);
}

}  // namespace teff::nn::detail
