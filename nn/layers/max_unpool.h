// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/indexed_pool_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

template <class Sizes>
struct MaxUnpoolOptions {
  std::optional<Sizes> stride = {};  // default: the kernel's size
  Sizes padding = 0;
};

/// The way back from a MaxPool of the same sizes with return_indices: `unpool(values, indices)` -> images with each
/// value at its place, and 0 elsewhere, of size (size - 1) * stride - 2 * padding + kernel_size, or of a given one.
/// Base of the layers below, whose sides are one for each dimension.
class MaxUnpool : public Module {
 public:
  using Module::operator();
  Tensor operator()(const Tensor& values, const Tensor& indices);
  /// output_size has a value for each dimension of the images.
  Tensor operator()(const Tensor& values, const Tensor& indices, const IntList& output_size);
  /// @throws ShapeError unless there are two inputs.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 protected:
  /// @throws ValueError for sizes below 1 or negative padding.
  MaxUnpool(const char* layer, const IntList& kernel_size, const IntList& stride, const IntList& padding);

 private:
  IntList kernel_size_, stride_, padding_;
};

/// [N, C, L], indices of the same shape -> [N, C, Lo].
class MaxUnpool1d : public MaxUnpool {
 public:
  explicit MaxUnpool1d(Integer kernel_size, const MaxUnpoolOptions<std::int64_t>& options = {});
  TEFF_MODULE(MaxUnpool1d)
};

/// [N, C, H, W], indices of the same shape -> [N, C, Ho, Wo].
class MaxUnpool2d : public MaxUnpool {
 public:
  explicit MaxUnpool2d(const Pair& kernel_size, const MaxUnpoolOptions<Pair>& options = {});
  TEFF_MODULE(MaxUnpool2d)
};

/// [N, C, D, H, W], indices of the same shape -> [N, C, Do, Ho, Wo].
class MaxUnpool3d : public MaxUnpool {
 public:
  explicit MaxUnpool3d(const Triple& kernel_size, const MaxUnpoolOptions<Triple>& options = {});
  TEFF_MODULE(MaxUnpool3d)
};

/// The size of a result, or its ratio to that of the input: exactly one of them.
template <class Sizes>
struct FractionalMaxPoolOptions {
  std::optional<Sizes> output_size = {};
  std::optional<double> output_ratio = {};  // in (0, 1)
  bool return_indices = false;
};
using FractionalMaxPool2dOptions = FractionalMaxPoolOptions<Pair>;
using FractionalMaxPool3dOptions = FractionalMaxPoolOptions<Triple>;

/// teff::fractional_max_pool2d_with_indices: [N, C, H, W] -> [N, C, Ho, Wo]. Draws in evaluation mode, too, so that it
/// cannot be captured.
class FractionalMaxPool2d : public Module {
 public:
  /// @throws ValueError for sizes below 1, or unless exactly one of output_size and output_ratio is given.
  FractionalMaxPool2d(const Pair& kernel_size, const FractionalMaxPool2dOptions& options);
  TEFF_MODULE(FractionalMaxPool2d)
  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  ValuesAndIndices pool(const Tensor& input) const;

  Pair kernel_size_;
  FractionalMaxPool2dOptions options_;
};

/// teff::fractional_max_pool3d_with_indices: [N, C, D, H, W] -> [N, C, Do, Ho, Wo].
class FractionalMaxPool3d : public Module {
 public:
  /// @throws ValueError as FractionalMaxPool2d.
  FractionalMaxPool3d(const Triple& kernel_size, const FractionalMaxPool3dOptions& options);
  TEFF_MODULE(FractionalMaxPool3d)
  Tensor forward(const Tensor& input) override;
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  ValuesAndIndices pool(const Tensor& input) const;

  Triple kernel_size_;
  FractionalMaxPool3dOptions options_;
};

}  // namespace nn
}  // namespace teff
