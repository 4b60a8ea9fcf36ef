// SPDX-License-Identifier: MIT
#include "teff/engine/ops/cubic.h"

#include <algorithm>
#include <cmath>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/parallel.h"

namespace teff::ops {
namespace {

constexpr double kA = -0.75;

/// The weight of a value at a distance of at most 1, and of one at 1 to 2.
double near(double x) { return ((kA + 2) * x - (kA + 3)) * x * x + 1; }
double far(double x) { return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA; }

/// Calls function(from, to, weight) for each part of a value of the result: along the columns of one row.
template <class T, class Function>
void for_each_part(CubicAxis& axis, const Function& function) {
  const std::array<std::int64_t, 4>* const places = axis.places.data();
  const std::array<double, 4>* const weights = axis.weights.data();
  for (std::int64_t i = 0; i < axis.out_size; ++i) {
    for (std::size_t k = 0; k < 4; ++k) function(places[i][k], i, static_cast<T>(weights[i][k]));
  }
}

}  // namespace

CubicAxis::CubicAxis(std::int64_t in_size, std::int64_t count, double step, bool align_corners)
    : size(in_size),
      out_size(count),
      places(static_cast<std::size_t>(count)),
      weights(static_cast<std::size_t>(count)) {
  for (std::int64_t i = 0; i < out_size; ++i) {
    const auto place = static_cast<double>(i);
    const double exact = align_corners ? step * place : step * (place + 0.5) - 0.5;
    const double floor = std::floor(exact), part = exact - floor;
    std::array<std::int64_t, 4> from{};
    for (std::int64_t k = 0; k < 4; ++k) {
      from[static_cast<std::size_t>(k)] =
          static_cast<std::int64_t>(std::clamp(floor + static_cast<double>(k - 1), 0.0, static_cast<double>(size - 1)));
    }
    places.data()[i] = from;
    weights.data()[i] = {far(part + 1), near(part), near(1 - part), far(2 - part)};
  }
}

template <class T>
void resize_cubic(CubicResize& r, const T* x, T* y) {
  const std::int64_t height = r.rows.size, width = r.columns.size;
  const std::int64_t out_width = r.columns.out_size, out_height = r.rows.out_size;
  parallel_for(r.planes, [&](std::int64_t plane) {
    const T* const from = x + plane * height * width;
    T* const to = y + plane * out_height * out_width;
    kernels::Workspace<T> memory(static_cast<std::size_t>(height) * static_cast<std::size_t>(out_width));
    T* const wide = memory.data();
    std::fill_n(wide, height * out_width, T(0));
    for (std::int64_t row = 0; row < height; ++row) {
      for_each_part<T>(r.columns, [&](std::int64_t in, std::int64_t out, T weight) {
        wide[row * out_width + out] += weight * from[row * width + in];
      });
    }
    std::fill_n(to, out_height * out_width, T(0));
    for_each_part<T>(r.rows, [&](std::int64_t in, std::int64_t out, T weight) {
      for (std::int64_t c = 0; c < out_width; ++c) to[out * out_width + c] += weight * wide[in * out_width + c];
    });
  });
}

template <class T>
void resize_cubic_backward(CubicResize& r, const T* grad_y, T* grad_x) {
  const std::int64_t height = r.rows.size, width = r.columns.size;
  const std::int64_t out_width = r.columns.out_size, out_height = r.rows.out_size;
  parallel_for(r.planes, [&](std::int64_t plane) {
    const T* const from = grad_y + plane * out_height * out_width;
    T* const to = grad_x + plane * height * width;
    kernels::Workspace<T> memory(static_cast<std::size_t>(height) * static_cast<std::size_t>(out_width));
    T* const wide = memory.data();
    std::fill_n(wide, height * out_width, T(0));
    for_each_part<T>(r.rows, [&](std::int64_t in, std::int64_t out, T weight) {
      for (std::int64_t c = 0; c < out_width; ++c) wide[in * out_width + c] += weight * from[out * out_width + c];
    });
    std::fill_n(to, height * width, T(0));
    for (std::int64_t row = 0; row < height; ++row) {
      for_each_part<T>(r.columns, [&](std::int64_t in, std::int64_t out, T weight) {
        to[row * width + in] += weight * wide[row * out_width + out];
      });
    }
  });
}

template void resize_cubic(CubicResize&, const float*, float*);
template void resize_cubic(CubicResize&, const double*, double*);
template void resize_cubic_backward(CubicResize&, const float*, float*);
template void resize_cubic_backward(CubicResize&, const double*, double*);

}  // namespace teff::ops
