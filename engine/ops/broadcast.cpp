// SPDX-License-Identifier: MIT
#include "teff/engine/ops/broadcast.h"

#include <algorithm>

#include "teff/engine/ops/checks.h"
#include "teff/engine/strided_copy.h"

namespace teff::ops {
namespace {

/// Elements from one index of a dimension of `shape` to the next, by dimension of the broadcast shape; 0
/// where repeated.
Strides broadcast_strides(const Shape& shape, std::size_t rank) {
  Strides strides{};
  std::int64_t stride = 1;
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    const std::int64_t size = shape[shape.size() - i];
    strides[rank - i] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

}  // namespace

Shape broadcast_shape(std::string_view op, const Shape& a, const Shape& b) {
  Shape result = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  const std::size_t in_front = result.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& size = result[in_front + i];
    if (size == 1) size = shorter[i];
    if (shorter[i] != size && shorter[i] != 1) {
      fail<ShapeError>(op, "shapes that broadcast (from the last dimension on equal, or one of them 1), got ", a,
                       " and ", b);
    }
  }
  return check_result(op, result);
}

void broadcast_to(const Tensor& x, const Tensor& result) {
  const Shape& shape = result.shape();
  strided_copy({shape, broadcast_strides(x.shape(), shape.size()), contiguous_strides(shape)}, x, result);
}

Broadcast::Broadcast(const Shape& out, const Shape& a, const Shape& b) {
  const auto a_strides = broadcast_strides(a, out.size()), b_strides = broadcast_strides(b, out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    numel_ *= out[i];
    if (out[i] != 1) add({out[i], a_strides[i], b_strides[i]});
  }
  if (rank_ == 0) dims_[rank_++] = {1, 0, 0};
}

void Broadcast::add(const Dim& dim) {
  if (rank_ > 0) {
    Dim& outer = dims_[rank_ - 1];
    if (outer.a_stride == dim.a_stride * dim.size && outer.b_stride == dim.b_stride * dim.size) {
      outer = {outer.size * dim.size, dim.a_stride, dim.b_stride};
      return;
    }
  }
  dims_[rank_++] = dim;
}

BroadcastRun Broadcast::run(std::int64_t index) const {
  BroadcastRun run{
      last().size, 0, 0, index * last().size, static_cast<int>(last().a_stride), static_cast<int>(last().b_stride)};
  for (std::size_t d = rank_ - 1; d-- > 0;) {
    const std::int64_t place = d == 0 ? index : index % dims_[d].size;
    if (d > 0) index /= dims_[d].size;
    run.a_begin += place * dims_[d].a_stride;
    run.b_begin += place * dims_[d].b_stride;
  }
  return run;
}

}  // namespace teff::ops
