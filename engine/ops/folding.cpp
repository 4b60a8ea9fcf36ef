// SPDX-License-Identifier: MIT
#include "teff/engine/ops/folding.h"

#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"

// Loops over double instead of operations on float64, which a build may leave out.
namespace teff::ops {
namespace {

Tensor scaled_weight(const Tensor& weight, const double* scale, const WeightLayout& layout) {
  const Tensor exact = weight.to(DType::float64);
  const Tensor result = detail::make_tensor(exact.type());
  const double* from = exact.data<double>();
  double* to = result.data<double>();
  for (std::int64_t g = 0; g < layout.groups; ++g) {
    for (std::int64_t r = 0; r < layout.rows; ++r) {
      for (std::int64_t c = 0; c < layout.channels; ++c) {
        for (std::int64_t i = 0; i < layout.inner; ++i) *to++ = *from++ * scale[g * layout.channels + c];
      }
    }
  }
  return result.to(weight.dtype());
}

}  // namespace

TensorList fold(const ChannelAffine& next, std::span<const Tensor> constants, const WeightLayout& layout) {
  for (const Tensor& constant : constants.subspan(1)) {
    if (!constant.defined()) return {};
  }
  const TensorType channels{{layout.groups * layout.channels}, DType::float64};
  if (next.scale.type() != channels || next.shift.type() != channels) {
    throw ShapeError("channel_affine: expected scale and shift " + detail::describe(channels) + ", got " +
                     detail::describe(next.scale.type()) + " and " + detail::describe(next.shift.type()));
  }
  const double* scale = next.scale.data<double>();
  const Tensor bias = next.shift.clone();
  if (constants.size() == 3) {
    const Tensor exact = constants[2].to(DType::float64);
    double* sum = bias.data<double>();
    for (std::int64_t c = 0; c < bias.numel(); ++c) sum[c] += scale[c] * exact.data<double>()[c];
  }
  return {scaled_weight(constants[1], scale, layout), bias.to(constants[1].dtype())};
}

}  // namespace teff::ops
