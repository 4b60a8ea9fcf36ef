// SPDX-License-Identifier: MIT
#pragma once

// Small images, many of them: rows of 10 or 14 pixels fill packets badly, but a packet can hold one pixel of as many
// images as it has lanes. A block of L images [L, C, H, W] is transposed to [C, H, W, L], which is an image of rows L
// times as long, where neighbours are L elements apart: the same convolution with L times the dilation.

#include "teff/engine/kernels/conv/im2col.h"
#include "teff/engine/kernels/gemm/gemm_pack.h"

namespace teff::kernels::TEFF_ISA {

/// to[i, lane] = images[lane, i] for i < size; lanes from `count` on are zero. `step`: elements between two images.
template <class T>
void gather_lanes(const T* images, int64_t count, int64_t step, int64_t size, T* to);

/// images[lane, i] = from[i, lane] for lane < count.
template <class T>
void scatter_lanes(const T* from, int64_t count, int64_t step, int64_t size, T* images);

/// A slice of each of some planes: `length` elements, at the same place of planes of `plane` elements in an image and
/// of `block_plane` in a block. Pointers are to the first.
struct Slices {
  int64_t planes, length, plane, block_plane;

  /// As few as possible: whole planes are one.
  Slices joined() const {
    const bool whole = length == plane && length == block_plane;
    return whole ? Slices{1, planes * length, planes * plane, planes * block_plane} : *this;
  }
};

template <class T>
void gather_slices(const T* images, int64_t count, int64_t step, const Slices& slices, T* to) {
  const Slices s = slices.joined();
  for (int64_t i = 0; i < s.planes; ++i) {
    gather_lanes(images + i * s.plane, count, step, s.length, to + i * s.block_plane * kLanes<T>);
  }
}

template <class T>
void scatter_slices(const T* from, int64_t count, int64_t step, const Slices& slices, T* images) {
  const Slices s = slices.joined();
  for (int64_t i = 0; i < s.planes; ++i) {
    scatter_lanes(from + i * s.block_plane * kLanes<T>, count, step, s.length, images + i * s.plane);
  }
}

template <class T>
inline Axis lanes_axis(const Axis& x) {
  Axis lanes = x;
  lanes.source *= kLanes<T>;
  lanes.out *= kLanes<T>;
  lanes.spacing *= kLanes<T>;
  lanes.start *= kLanes<T>;
  return lanes;
}

/// The same for a window of stride 1 over x.
template <class T>
inline Window2d lanes_window(const Window2d& w) {
  Window2d lanes = w;
  lanes.batch = ceil_div(w.batch, kLanes<T>);
  lanes.width *= kLanes<T>;
  lanes.out_width *= kLanes<T>;
  lanes.dilation_width *= kLanes<T>;
  lanes.padding_width *= kLanes<T>;
  return lanes;
}

}  // namespace teff::kernels::TEFF_ISA
