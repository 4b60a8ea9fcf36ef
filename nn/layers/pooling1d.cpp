// SPDX-License-Identifier: MIT
#include "teff/nn/layers/pooling1d.h"

#include "teff/engine/indexed_pool_ops.h"
#include "teff/engine/ops.h"
#include "teff/nn/layers/pool_parts.h"
#include "teff/nn/text.h"

namespace teff::nn {

MaxPool1d::MaxPool1d(Integer kernel_size, Integer stride, const MaxPool1dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("MaxPool1d", {kernel_size}, {stride}, {options.padding}, {options.dilation});
}

MaxPool1dFuncOptions MaxPool1d::function_options() const {
  return {
      .stride = stride_, .padding = options_.padding, .dilation = options_.dilation, .ceil_mode = options_.ceil_mode};
}

Tensor MaxPool1d::forward(const Tensor& input) { return max_pool1d(input, kernel_size_, function_options()); }

std::vector<Tensor> MaxPool1d::forward_many(std::span<const Tensor> inputs) {
  if (!options_.return_indices || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = max_pool1d_with_indices(inputs[0], kernel_size_, function_options());
  return {values, indices};
}

std::string MaxPool1d::extra_repr() const {
  return detail::window_repr(std::to_string(kernel_size_), std::to_string(stride_), std::to_string(options_.padding)) +
         ", dilation=" + std::to_string(options_.dilation) + ", ceil_mode=" + detail::python_bool(options_.ceil_mode);
}

AvgPool1d::AvgPool1d(Integer kernel_size, Integer stride, const AvgPool1dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("AvgPool1d", {kernel_size}, {stride}, {options.padding}, {1});
}

Tensor AvgPool1d::forward(const Tensor& input) {
  return avg_pool1d(input, kernel_size_,
                    {.stride = stride_,
                     .padding = options_.padding,
                     .ceil_mode = options_.ceil_mode,
                     .count_include_pad = options_.count_include_pad});
}

std::string AvgPool1d::extra_repr() const {
  return detail::window_repr(detail::tuple(kernel_size_), detail::tuple(stride_), detail::tuple(options_.padding));
}

AdaptiveAvgPool1d::AdaptiveAvgPool1d(Integer output_size) : output_size_(output_size) {
  detail::expect_at_least(1, "AdaptiveAvgPool1d", "output_size", std::int64_t{output_size});
}
Tensor AdaptiveAvgPool1d::forward(const Tensor& input) { return adaptive_avg_pool1d(input, output_size_); }
std::string AdaptiveAvgPool1d::extra_repr() const { return "output_size=" + std::to_string(output_size_); }

AdaptiveMaxPool1d::AdaptiveMaxPool1d(Integer output_size, const AdaptiveMaxPoolOptions& options)
    : output_size_(output_size), return_indices_(options.return_indices) {
  detail::expect_at_least(1, "AdaptiveMaxPool1d", "output_size", std::int64_t{output_size});
}
Tensor AdaptiveMaxPool1d::forward(const Tensor& input) { return adaptive_max_pool1d(input, output_size_); }
std::vector<Tensor> AdaptiveMaxPool1d::forward_many(std::span<const Tensor> inputs) {
  if (!return_indices_ || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = adaptive_max_pool1d_with_indices(inputs[0], output_size_);
  return {values, indices};
}
std::string AdaptiveMaxPool1d::extra_repr() const { return "output_size=" + std::to_string(output_size_); }

LPPool1d::LPPool1d(double norm_type, Integer kernel_size, std::optional<Integer> stride, bool ceil_mode)
    : norm_type_(norm_type), kernel_size_(kernel_size), stride_(stride), ceil_mode_(ceil_mode) {
  detail::check_window("LPPool1d", {kernel_size}, {stride.value_or(kernel_size)}, {0}, {1});
}
Tensor LPPool1d::forward(const Tensor& input) {
  return lp_pool1d(input, norm_type_, kernel_size_, stride_, ceil_mode_);
}
std::string LPPool1d::extra_repr() const {
  return detail::lp_pool_repr(norm_type_, std::to_string(kernel_size_), stride_ ? std::to_string(*stride_) : "None",
                              ceil_mode_);
}

}  // namespace teff::nn
