// SPDX-License-Identifier: MIT
#include "teff/nn/layers/pooling.h"

#include "teff/engine/indexed_pool_ops.h"
#include "teff/engine/ops.h"
#include "teff/nn/layers/pool_parts.h"
#include "teff/nn/text.h"

namespace teff::nn {
MaxPool2d::MaxPool2d(const Pair& kernel_size, const Pair& stride, const MaxPool2dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("MaxPool2d", detail::sides(kernel_size), detail::sides(stride), detail::sides(options.padding),
                       detail::sides(options.dilation));
}

MaxPool2dFuncOptions MaxPool2d::function_options() const {
  return {
      .stride = stride_, .padding = options_.padding, .dilation = options_.dilation, .ceil_mode = options_.ceil_mode};
}

Tensor MaxPool2d::forward(const Tensor& input) { return max_pool2d(input, kernel_size_, function_options()); }

std::vector<Tensor> MaxPool2d::forward_many(std::span<const Tensor> inputs) {
  if (!options_.return_indices || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = max_pool2d_with_indices(inputs[0], kernel_size_, function_options());
  return {values, indices};
}

std::string MaxPool2d::extra_repr() const {
  return detail::window_repr(detail::int_or_pair(kernel_size_), detail::int_or_pair(stride_),
                             detail::int_or_pair(options_.padding)) +
         ", dilation=" + detail::int_or_pair(options_.dilation) +
         ", ceil_mode=" + detail::python_bool(options_.ceil_mode);
}

AvgPool2d::AvgPool2d(const Pair& kernel_size, const Pair& stride, const AvgPool2dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("AvgPool2d", detail::sides(kernel_size), detail::sides(stride), detail::sides(options.padding),
                       {1, 1});
  detail::expect(options.divisor_override != 0, "AvgPool2d", "divisor_override other than 0", "0");
}

Tensor AvgPool2d::forward(const Tensor& input) {
  return avg_pool2d(input, kernel_size_,
                    {.stride = stride_,
                     .padding = options_.padding,
                     .ceil_mode = options_.ceil_mode,
                     .count_include_pad = options_.count_include_pad,
                     .divisor_override = options_.divisor_override});
}

std::string AvgPool2d::extra_repr() const {
  return detail::window_repr(detail::int_or_pair(kernel_size_), detail::int_or_pair(stride_),
                             detail::int_or_pair(options_.padding));
}

AdaptivePool2d::AdaptivePool2d(const char* layer, std::int64_t output_size)
    : AdaptivePool2d(layer, Pair(output_size, output_size)) {
  square_ = true;
}

AdaptivePool2d::AdaptivePool2d(const char* layer, const Pair& output_size) : output_size_(output_size) {
  detail::expect_at_least(1, layer, "output_size", output_size);
}

std::string AdaptivePool2d::extra_repr() const {
  return "output_size=" + (square_ ? std::to_string(output_size_.height) : to_string(output_size_));
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& input) { return adaptive_avg_pool2d(input, output_size()); }

Tensor AdaptiveMaxPool2d::forward(const Tensor& input) { return adaptive_max_pool2d(input, output_size()); }

std::vector<Tensor> AdaptiveMaxPool2d::forward_many(std::span<const Tensor> inputs) {
  if (!return_indices_ || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = adaptive_max_pool2d_with_indices(inputs[0], output_size());
  return {values, indices};
}

LPPool2d::LPPool2d(double norm_type, const Pair& kernel_size, const std::optional<Pair>& stride, bool ceil_mode)
    : norm_type_(norm_type), kernel_size_(kernel_size), stride_(stride), ceil_mode_(ceil_mode) {
  detail::check_window("LPPool2d", detail::sides(kernel_size), detail::sides(stride.value_or(kernel_size)), {0, 0},
                       {1, 1});
}

Tensor LPPool2d::forward(const Tensor& input) {
  return lp_pool2d(input, norm_type_, kernel_size_, stride_, ceil_mode_);
}

std::string LPPool2d::extra_repr() const {
  return detail::lp_pool_repr(norm_type_, detail::int_or_pair(kernel_size_),
                              stride_ ? detail::int_or_pair(*stride_) : "None", ceil_mode_);
}

}  // namespace teff::nn
