// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/depthwise_bands.h"

#include "teff/engine/kernels/conv/row_lanes.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// The rows of a band, as measured: each row of the image is loaded for more of them, but their sums want registers.
template <int K, int Stride>
[[maybe_unused]] constexpr int kBandRows = K == 3 ? (Stride == 1 ? 7 : 4) : (Stride == 1 ? 4 : 2);

template <class T>
struct Band {
  const Filter<T>& filter;
  const Axis& x;
  const T* const* rows;  // of the image; those outside are zeros
  T* out;
  int64_t out_row;
};

/// What K neighbouring taps see of a row, from the packet of outputs at x on.
template <class T, int K, int Stride>
class TapLanes;

template <class T, int K>
class TapLanes<T, K, 1> {
 public:
  TapLanes(const Axis& axis, int64_t x) : TapLanes(axis, x, std::make_index_sequence<K>()) {}

  void load(const T* row, Packet<T>* taps) const {
    TEFF_UNROLL
    for (int j = 0; j < K; ++j) taps[j] = lanes_[j].load(row);
  }

 private:
  template <std::size_t... J>
  TapLanes(const Axis& axis, int64_t x, std::index_sequence<J...>)
      : lanes_{RowLanes<T>(axis.start + x + static_cast<int64_t>(J), axis.source)...} {}

  RowLanes<T> lanes_[K];
};

/// Two packets hold the even and the odd places.
template <class T, int K>
class TapLanes<T, K, 2> {
 public:
  TapLanes(const Axis& axis, int64_t x) : TapLanes(axis, x, std::make_index_sequence<(K + 1) / 2>()) {}

  void load(const T* row, Packet<T>* taps) const {
    TEFF_UNROLL
    for (int j = 0; j < K; j += 2) {
      const Packet<T> low = low_[j / 2].load(row), high = high_[j / 2].load(row);
      taps[j] = even_lanes(low, high);
      if (j + 1 < K) taps[j + 1] = odd_lanes(low, high);
    }
  }

 private:
  template <std::size_t... J>
  TapLanes(const Axis& axis, int64_t x, std::index_sequence<J...>)
      : low_{RowLanes<T>(axis.start + 2 * (x + static_cast<int64_t>(J)), axis.source)...},
        high_{RowLanes<T>(axis.start + 2 * (x + static_cast<int64_t>(J)) + kLanes<T>, axis.source)...} {}

  RowLanes<T> low_[(K + 1) / 2], high_[(K + 1) / 2];
};

template <class T, int K, int Stride, int Rows>
void filter_band(const Band<T>& band) {
  Packet<T> weight[K][K];
  TEFF_UNROLL
  for (int i = 0; i < K; ++i) {
    TEFF_UNROLL
    for (int j = 0; j < K; ++j) weight[i][j] = splat(band.filter.weight[i * K + j]);
  }
  for (int64_t x = 0; x < band.x.out; x += kLanes<T>) {
    const TapLanes<T, K, Stride> lanes(band.x, x);
    Packet<T> sums[Rows];
    TEFF_UNROLL
    for (int r = 0; r < Rows; ++r) sums[r] = splat(band.filter.bias);
    TEFF_UNROLL
    for (int row = 0; row < (Rows - 1) * Stride + K; ++row) {
      Packet<T> taps[K];
      lanes.load(band.rows[row], taps);
      TEFF_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const int i = row - r * Stride;
        if (i < 0 || i >= K) continue;
        TEFF_UNROLL
        for (int j = 0; j < K; ++j) sums[r] = pmadd(weight[i][j], taps[j], sums[r]);
      }
    }
    const int64_t count = smaller(kLanes<T>, band.x.out - x);
    TEFF_UNROLL
    for (int r = 0; r < Rows; ++r) {
      store_some(band.out + r * band.out_row, x, count, clamped(sums[r], band.filter.clamp));
    }
  }
}

template <class T>
using BandKernel = void (*)(const Band<T>&);

template <class T, int K, int Stride, int Rows = kBandRows<K, Stride>>
BandKernel<T> band_kernel(int64_t rows) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return band_kernel<T, K, Stride, Rows - 1>(rows);
  }
  return &filter_band<T, K, Stride, Rows>;
}

template <class T, int K, int Stride>
void filter_plane(const Filter<T>& f, const Axis& y, const Axis& x, const T* image, const T* zeros, T* out,
                  int64_t out_row) {
  const Parts bands = parts_of_at_most(y.out, kBandRows<K, Stride>);
  for (int64_t b = 0; b < bands.count; ++b) {
    const T* rows[(kBandRows<K, Stride> - 1) * Stride + K];
    const int64_t row = bands.begin(b), count = bands.length(b);
    for (int64_t i = 0; i < (count - 1) * Stride + K; ++i) {
      const int64_t place = row * Stride + y.start + i;
      rows[i] = place >= 0 && place < y.source ? image + place * x.source : zeros;
    }
    band_kernel<T, K, Stride>(count)({f, x, rows, out + row * out_row, out_row});
  }
}

}  // namespace

bool has_bands(const Axis& y, const Axis& x) {
  return kMaskedLoads && y.taps == x.taps && (x.taps == 3 || x.taps == 5) && y.spacing == 1 && x.spacing == 1 &&
         y.stride == x.stride && x.stride <= 2;
}

template <class T>
void filter_bands(const Filter<T>& f, const Axis& y, const Axis& x, const T* image, const T* zeros, T* out,
                  int64_t out_row) {
  if constexpr (kMaskedLoads) {
    if (x.taps == 3) {
      (x.stride == 1 ? filter_plane<T, 3, 1> : filter_plane<T, 3, 2>)(f, y, x, image, zeros, out, out_row);
    } else {
      (x.stride == 1 ? filter_plane<T, 5, 1> : filter_plane<T, 5, 2>)(f, y, x, image, zeros, out, out_row);
    }
  }
}

template void filter_bands(const Filter<float>&, const Axis&, const Axis&, const float*, const float*, float*, int64_t);

}  // namespace teff::kernels::TEFF_ISA
