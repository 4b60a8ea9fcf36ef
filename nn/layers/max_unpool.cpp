// SPDX-License-Identifier: MIT
#include "teff/nn/layers/max_unpool.h"

#include "teff/engine/error.h"
#include "teff/nn/layers/pool_parts.h"
#include "teff/nn/text.h"

namespace teff::nn {

MaxUnpool::MaxUnpool(const char* layer, const IntList& kernel_size, const IntList& stride, const IntList& padding)
    : kernel_size_(kernel_size), stride_(stride), padding_(padding) {
  detail::expect_at_least(1, layer, "kernel_size", kernel_size);
  detail::expect_at_least(1, layer, "stride", stride);
  detail::expect_at_least(0, layer, "padding", padding);
}

Tensor MaxUnpool::operator()(const Tensor& values, const Tensor& indices) { return (*this)({values, indices})[0]; }

Tensor MaxUnpool::operator()(const Tensor& values, const Tensor& indices, const IntList& output_size) {
  const std::size_t dims = kernel_size_.size();
  if (output_size.size() != dims) {
    throw ShapeError(type_name() + ": expected an output_size of " + std::to_string(dims) + " numbers, got " +
                     to_string(output_size));
  }
  if (dims == 1) return max_unpool1d(values, indices, output_size[0]);
  if (dims == 2) return max_unpool2d(values, indices, {output_size[0], output_size[1]});
  return max_unpool3d(values, indices, {output_size[0], output_size[1], output_size[2]});
}

std::vector<Tensor> MaxUnpool::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 2) {
    throw ShapeError(type_name() + ": expected 2 inputs (values, indices), got " + std::to_string(inputs.size()));
  }
  const Tensor& values = inputs[0];
  if (values.shape().size() != kernel_size_.size() + 2) {
    throw ShapeError(type_name() + ": expected input of " + std::to_string(kernel_size_.size() + 2) +
                     " dimensions, got " + to_string(values.shape()));
  }
  IntList sizes;
  for (std::size_t i = 0; i < kernel_size_.size(); ++i) {
    sizes.push_back((values.shape()[i + 2] - 1) * stride_[i] - 2 * padding_[i] + kernel_size_[i]);
  }
  return {(*this)(values, inputs[1], sizes)};
}

std::string MaxUnpool::extra_repr() const {
  return detail::window_repr(detail::tuple(kernel_size_), detail::tuple(stride_), detail::tuple(padding_));
}

MaxUnpool1d::MaxUnpool1d(Integer kernel_size, const MaxUnpoolOptions<std::int64_t>& options)
    : MaxUnpool("MaxUnpool1d", {kernel_size}, {options.stride.value_or(kernel_size)}, {options.padding}) {}

MaxUnpool2d::MaxUnpool2d(const Pair& kernel_size, const MaxUnpoolOptions<Pair>& options)
    : MaxUnpool("MaxUnpool2d", detail::sides(kernel_size), detail::sides(options.stride.value_or(kernel_size)),
                detail::sides(options.padding)) {}

MaxUnpool3d::MaxUnpool3d(const Triple& kernel_size, const MaxUnpoolOptions<Triple>& options)
    : MaxUnpool("MaxUnpool3d", detail::sides(kernel_size), detail::sides(options.stride.value_or(kernel_size)),
                detail::sides(options.padding)) {}

namespace {

template <class Sizes>
void check_fractional(const char* layer, const Sizes& kernel_size, const FractionalMaxPoolOptions<Sizes>& options) {
  detail::expect_at_least(1, layer, "kernel_size", detail::sides(kernel_size));
  detail::expect(options.output_size.has_value() != options.output_ratio.has_value(), layer,
                 "either an output_size or an output_ratio", options.output_size ? "both" : "neither");
  if (options.output_size) detail::expect_at_least(1, layer, "output_size", detail::sides(*options.output_size));
  const double ratio = options.output_ratio.value_or(0.5);
  detail::expect(ratio > 0 && ratio < 1, layer, "output_ratio in (0, 1)", detail::python_float(ratio));
}

/// Of dimension `dim` of the input, by the ratio.
std::int64_t scaled(const Tensor& input, std::int64_t dim, double ratio) {
  return static_cast<std::int64_t>(static_cast<double>(input.size(dim)) * ratio);
}

}  // namespace

FractionalMaxPool2d::FractionalMaxPool2d(const Pair& kernel_size, const FractionalMaxPool2dOptions& options)
    : kernel_size_(kernel_size), options_(options) {
  check_fractional("FractionalMaxPool2d", kernel_size, options);
}

ValuesAndIndices FractionalMaxPool2d::pool(const Tensor& input) const {
  const double ratio = options_.output_ratio.value_or(0);
  const Pair size =
      options_.output_size ? *options_.output_size : Pair(scaled(input, -2, ratio), scaled(input, -1, ratio));
  return fractional_max_pool2d_with_indices(input, kernel_size_, size);
}

Tensor FractionalMaxPool2d::forward(const Tensor& input) { return pool(input).values; }

std::vector<Tensor> FractionalMaxPool2d::forward_many(std::span<const Tensor> inputs) {
  if (!options_.return_indices || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = pool(inputs[0]);
  return {values, indices};
}

FractionalMaxPool3d::FractionalMaxPool3d(const Triple& kernel_size, const FractionalMaxPool3dOptions& options)
    : kernel_size_(kernel_size), options_(options) {
  check_fractional("FractionalMaxPool3d", kernel_size, options);
}

ValuesAndIndices FractionalMaxPool3d::pool(const Tensor& input) const {
  const double ratio = options_.output_ratio.value_or(0);
  const Triple size = options_.output_size
                          ? *options_.output_size
                          : Triple(scaled(input, -3, ratio), scaled(input, -2, ratio), scaled(input, -1, ratio));
  return fractional_max_pool3d_with_indices(input, kernel_size_, size);
}

Tensor FractionalMaxPool3d::forward(const Tensor& input) { return pool(input).values; }

std::vector<Tensor> FractionalMaxPool3d::forward_many(std::span<const Tensor> inputs) {
  if (!options_.return_indices || inputs.size() != 1) return Module::forward_many(inputs);
  const auto [values, indices] = pool(inputs[0]);
  return {values, indices};
}

}  // namespace teff::nn
