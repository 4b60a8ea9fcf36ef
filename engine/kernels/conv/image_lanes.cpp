// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/image_lanes.h"

#include "teff/engine/build.h"
#include "teff/engine/kernels/isa/workspace.h"

namespace teff::kernels::TEFF_ISA {

template <class T>
void gather_lanes(const T* images, int64_t count, int64_t step, int64_t size, T* to) {
  constexpr int64_t L = kLanes<T>;
  Workspace<T> zeros(static_cast<std::size_t>(count < L ? size : 0));
  for (int64_t i = 0; count < L && i < size; ++i) zeros.data()[i] = T(0);
  pack_transposed(
      L, size, [&](int64_t lane) { return lane < count ? images + lane * step : zeros.data(); }, to, L);
}

template <class T>
void scatter_lanes(const T* from, int64_t count, int64_t step, int64_t size, T* images) {
  constexpr int64_t L = kLanes<T>;
  const T* pixels[L];
  const auto from_pixel = [&](int64_t first, int64_t length) {
    for (int64_t p = 0; p < L; ++p) pixels[p] = from + (first + smaller(p, length - 1)) * L;
  };
  int64_t i = 0;
  for (; count == L && i + L <= size; i += L) {
    from_pixel(i, L);
    transpose_square(pixels, 0, images + i, step);
  }
  for (; i < size; i += L) {
    const int64_t length = smaller(L, size - i);
    from_pixel(i, length);
    transpose_part(pixels, 0, length, count, false, images + i, step);
  }
}

template void gather_lanes(const float*, int64_t, int64_t, int64_t, float*);
TEFF_IF_FLOAT64(template void gather_lanes(const double*, int64_t, int64_t, int64_t, double*);)
template void scatter_lanes(const float*, int64_t, int64_t, int64_t, float*);
TEFF_IF_FLOAT64(template void scatter_lanes(const double*, int64_t, int64_t, int64_t, double*);)

}  // namespace teff::kernels::TEFF_ISA
