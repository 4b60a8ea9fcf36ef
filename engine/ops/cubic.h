// SPDX-License-Identifier: MIT
#pragma once

// Private: images of another size by cubic convolution (Keys, 1981), with a = -0.75 as in PyTorch.

#include <array>
#include <cstdint>

#include "teff/engine/kernels/isa/workspace.h"

namespace teff::ops {

/// For each value of the result the four of the input that it is mixed of, those of the border again beyond it.
struct CubicAxis {
  std::int64_t size, out_size;
  kernels::Workspace<std::array<std::int64_t, 4>> places;
  kernels::Workspace<std::array<double, 4>> weights;

  /// `step`: in the input, from one value of the result to the next.
  CubicAxis(std::int64_t size, std::int64_t out_size, double step, bool align_corners);
};

struct CubicResize {
  std::int64_t planes;
  CubicAxis rows, columns;
};

/// x [planes, rows.size, columns.size] -> y
template <class T>
void resize_cubic(CubicResize& resize, const T* x, T* y);
template <class T>
void resize_cubic_backward(CubicResize& resize, const T* grad_y, T* grad_x);

}  // namespace teff::ops
