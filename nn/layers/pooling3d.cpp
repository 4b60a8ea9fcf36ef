// SPDX-License-Identifier: MIT
#include "teff/nn/layers/pooling3d.h"

#include "teff/engine/indexed_pool_ops.h"
#include "teff/engine/ops.h"
#include "teff/nn/layers/pool_parts.h"
#include "teff/nn/text.h"

namespace teff::nn {

MaxPool3d::MaxPool3d(const Triple& kernel_size, const Triple& stride, const MaxPool3dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("MaxPool3d", detail::sides(kernel_size), detail::sides(stride), detail::sides(options.padding),
                       detail::sides(options.dilation));
}

MaxPool3dFuncOptions MaxPool3d::function_options() const {
  return {
      .stride = stride_, .padding = options_.padding, .dilation = options_.dilation, .ceil_mode = options_.ceil_mode};
}

Tensor MaxPool3d::forward(const Tensor& input) { return max_pool3d(input, kernel_size_, function_options()); }

std::vector<Tensor> MaxPool3d::forward_many(std::span<const Tensor> inputs) {
  if (!options_.return_indices || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = max_pool3d_with_indices(inputs[0], kernel_size_, function_options());
  return {values, indices};
}

std::string MaxPool3d::extra_repr() const {
  return detail::window_repr(detail::int_or_tuple(detail::sides(kernel_size_)),
                             detail::int_or_tuple(detail::sides(stride_)),
                             detail::int_or_tuple(detail::sides(options_.padding))) +
         ", dilation=" + detail::int_or_tuple(detail::sides(options_.dilation)) +
         ", ceil_mode=" + detail::python_bool(options_.ceil_mode);
}

AvgPool3d::AvgPool3d(const Triple& kernel_size, const Triple& stride, const AvgPool3dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  detail::check_window("AvgPool3d", detail::sides(kernel_size), detail::sides(stride), detail::sides(options.padding),
                       {1, 1, 1});
  detail::expect(options.divisor_override != 0, "AvgPool3d", "divisor_override other than 0", "0");
}

Tensor AvgPool3d::forward(const Tensor& input) {
  return avg_pool3d(input, kernel_size_,
                    {.stride = stride_,
                     .padding = options_.padding,
                     .ceil_mode = options_.ceil_mode,
                     .count_include_pad = options_.count_include_pad,
                     .divisor_override = options_.divisor_override});
}

std::string AvgPool3d::extra_repr() const {
  return detail::window_repr(detail::int_or_tuple(detail::sides(kernel_size_)),
                             detail::int_or_tuple(detail::sides(stride_)),
                             detail::int_or_tuple(detail::sides(options_.padding)));
}

AdaptiveAvgPool3d::AdaptiveAvgPool3d(const Triple& output_size) : output_size_(output_size) {
  detail::expect_at_least(1, "AdaptiveAvgPool3d", "output_size", detail::sides(output_size));
}
Tensor AdaptiveAvgPool3d::forward(const Tensor& input) { return adaptive_avg_pool3d(input, output_size_); }
std::string AdaptiveAvgPool3d::extra_repr() const {
  return "output_size=" + (cube_ ? std::to_string(output_size_.depth) : to_string(output_size_));
}

AdaptiveMaxPool3d::AdaptiveMaxPool3d(const Triple& output_size, const AdaptiveMaxPoolOptions& options)
    : output_size_(output_size), return_indices_(options.return_indices) {
  detail::expect_at_least(1, "AdaptiveMaxPool3d", "output_size", detail::sides(output_size));
}
Tensor AdaptiveMaxPool3d::forward(const Tensor& input) { return adaptive_max_pool3d(input, output_size_); }
std::vector<Tensor> AdaptiveMaxPool3d::forward_many(std::span<const Tensor> inputs) {
  if (!return_indices_ || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = adaptive_max_pool3d_with_indices(inputs[0], output_size_);
  return {values, indices};
}
std::string AdaptiveMaxPool3d::extra_repr() const {
  return "output_size=" + (cube_ ? std::to_string(output_size_.depth) : to_string(output_size_));
}

}  // namespace teff::nn
