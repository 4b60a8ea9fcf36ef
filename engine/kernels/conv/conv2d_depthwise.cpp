// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/conv2d_depthwise.h"

#include "teff/engine/build.h"
#include "teff/engine/kernels/conv/depthwise_bands.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// Calls task(begin, end) for parts of [0, planes) of about equal length, each of them worth a task.
template <class Task>
void parallel_planes(int64_t planes, int64_t multiply_adds, const Task& task) {
  const Parts parts = parts_of_at_most(planes, ceil_div(kDepthwiseMultiplyAddsPerTask, larger(1, multiply_adds)));
  parallel_for(parts.count, [&](int64_t i) { task(parts.begin(i), parts.begin(i + 1)); });
}

int64_t strip_rows(const Axis& y, int64_t pitch) {
  return parts_of_at_most(y.out, larger(1, kDepthwiseStripValues / larger(1, pitch))).longest();
}

/// Outputs [0, Packets * kLanes) from `from` on; of the last packet, only `count` values are stored.
template <class T, int Packets>
inline void filter_packets(const Filter<T>& f, const Columns<T>& columns, const T* from, int64_t count, T* to) {
  Packet<T> sums[Packets];
  for (int p = 0; p < Packets; ++p) sums[p] = splat(f.bias);
  for (int64_t tap = 0; tap < columns.depth(); ++tap) {
    const Packet<T> factor = splat(f.weight[tap]);
    const T* x = from + columns.offsets()[tap];
    for (int p = 0; p < Packets; ++p) sums[p] = pmadd(factor, load(x, p * kLanes<T>), sums[p]);
  }
  const bool clamps = is_any(f.clamp);
  for (int p = 0; p < Packets; ++p) {
    const Packet<T> value = clamps ? clamped(sums[p], f.clamp) : sums[p];
    store_some(to, p * kLanes<T>, p + 1 < Packets ? kLanes<T> : count, value);
  }
}

template <class T>
void filter_positions(const Filter<T>& f, const Columns<T>& columns, const T* from, int64_t count, T* to) {
  constexpr int64_t L = kLanes<T>;
  while (count > 0) {
    const int64_t packets = ceil_div(count, L);
    if (packets >= 4) {
      filter_packets<T, 4>(f, columns, from, smaller(L, count - 3 * L), to);
    } else if (packets == 3) {
      filter_packets<T, 3>(f, columns, from, count - 2 * L, to);
    } else if (packets == 2) {
      filter_packets<T, 2>(f, columns, from, count - L, to);
    } else {
      filter_packets<T, 1>(f, columns, from, count, to);
    }
    from += 4 * L;
    to += 4 * L;
    count -= 4 * L;
  }
}

/// Pixel (y, x) goes to data[y * row + x * column].
template <class T>
struct PlanePlace {
  T* data;
  int64_t row, column;
};

/// One plane of the output. `columns` has one channel; its strips are `rows` high. padded: the buffer is what the plane
/// before left.
template <class T>
void filter_plane(const Filter<T>& f, const Columns<T>& columns, int64_t rows, const T* image, bool padded, T* buffer,
                  T* dense, const PlanePlace<T>& to) {
  const int64_t width = columns.x().out, pitch = columns.pitch();
  // Where rows leave lanes idle, the gaps between them are computed as well.
  const bool narrow = width <= 2 * kLanes<T> && ceil_div(rows * pitch, kLanes<T>) <= rows * ceil_div(width, kLanes<T>);
  const bool direct = !narrow && to.column == 1;
  for (int64_t row = 0; row < columns.y().out; row += rows) {
    const int64_t height = smaller(rows, columns.y().out - row);
    const T* strip = columns.strip(image, 1, row, height, buffer, padded && rows >= columns.y().out);
    if (narrow) filter_positions(f, columns, strip, (height - 1) * pitch + width, dense);
    for (int64_t y = 0; y < height; ++y) {
      T* out = to.data + (row + y) * to.row;
      T* values = direct ? out : dense + y * pitch;
      if (!narrow) filter_positions(f, columns, strip + y * pitch, width, values);
      if (direct) continue;
      if (to.column == 1) {
        copy(values, width, out);
      } else {
        for (int64_t x = 0; x < width; ++x) out[x * to.column] = values[x];
      }
    }
  }
}

/// What makes one plane of the output.
template <class T>
struct PlaneTask {
  Filter<T> filter;
  const T* image;
  PlanePlace<T> to;
};

/// The planes [begin, end) where they lie.
template <class T, class PlaneOf>
void filter_in_place(int64_t begin, int64_t end, const Axis& y, const Axis& x, const PlaneOf& plane_of) {
  Workspace<T> zeros(static_cast<std::size_t>(x.source));
  for (int64_t i = 0; i < x.source; ++i) zeros.data()[i] = T(0);
  for (int64_t i = begin; i < end; ++i) {
    const PlaneTask<T> plane = plane_of(i);
    filter_bands(plane.filter, y, x, plane.image, zeros.data(), plane.to.data, plane.to.row);
  }
}

/// The planes [begin, end) by way of padded copies.
template <class T, class PlaneOf>
void filter_copies(int64_t begin, int64_t end, const Columns<T>& columns, int64_t rows, const PlaneOf& plane_of) {
  Workspace<T> buffer(static_cast<std::size_t>(columns.strip_size(1)));
  Workspace<T> dense(static_cast<std::size_t>(scratch_size({rows, columns.pitch()})));
  for (int64_t i = begin; i < end; ++i) {
    const PlaneTask<T> plane = plane_of(i);
    filter_plane(plane.filter, columns, rows, plane.image, i > begin, buffer.data(), dense.data(), plane.to);
  }
}

/// Every plane of the output, several in a task. filter(k) and place(n, k) say what belongs to output channel k.
template <class T, class FilterOf, class Place>
void filter_planes(int64_t batch, int64_t in_channels, int64_t out_channels, const Axis& y, const Axis& x,
                   const T* input, const FilterOf& filter, const Place& place) {
  const int64_t multiplier = out_channels / in_channels;
  const auto plane_of = [&](int64_t i) {
    const int64_t n = i / out_channels, k = i % out_channels;
    return PlaneTask<T>{filter(k), input + (n * in_channels + k / multiplier) * y.source * x.source, place(n, k)};
  };
  const int64_t planes = batch * out_channels;
  const int64_t multiply_adds = y.out * x.out * y.taps * x.taps;
  if constexpr (kHasEveryWay<T>) {
    if (has_bands(y, x) && planes > 0 && place(0, 0).column == 1) {
      return parallel_planes(planes, multiply_adds,
                             [&](int64_t begin, int64_t end) { filter_in_place<T>(begin, end, y, x, plane_of); });
    }
  }
  const int64_t rows = strip_rows(y, CopiedAxis(x).places(x.out));
  const Columns<T> columns(1, y, x, rows, true);
  parallel_planes(planes, multiply_adds,
                  [&](int64_t begin, int64_t end) { filter_copies<T>(begin, end, columns, rows, plane_of); });
}

/// sums[tap] += grad[i] * strip[offset of the tap + i], lane by lane, for one row of the output.
template <class T, int Taps>
inline void add_row(const T* grad, const T* strip, const int64_t* offsets, int64_t count, T* lane_sums) {
  Packet<T> sums[Taps];
  for (int t = 0; t < Taps; ++t) sums[t] = load(lane_sums, t * kLanes<T>);
  for (int64_t i = 0; i < count; i += kLanes<T>) {
    const int64_t lanes = smaller(kLanes<T>, count - i);
    const Packet<T> dy = load_some(grad, i, lanes);
    for (int t = 0; t < Taps; ++t) sums[t] = pmadd(dy, load_some(strip + offsets[t], i, lanes), sums[t]);
  }
  for (int t = 0; t < Taps; ++t) pstore(lane_sums + t * kLanes<T>, sums[t]);
}

/// The gradient of the weight of output channel k.
template <class T>
void weight_gradient(const Window2d& w, const Columns<T>& columns, int64_t rows, int64_t k, const T* grad,
                     const T* input, T* buffer, T* sums, T* result) {
  const int64_t taps = columns.depth(), in_plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  for (int64_t i = 0; i < taps * kLanes<T>; ++i) sums[i] = T(0);
  for (int64_t n = 0; n < w.batch; ++n) {
    const T* image = input + (n * w.channels + k / (w.out_channels / w.channels)) * in_plane;
    const T* dy = grad + (n * w.out_channels + k) * out_plane;
    for (int64_t row = 0; row < w.out_height; row += rows) {
      const int64_t height = smaller(rows, w.out_height - row);
      const T* strip = columns.strip(image, 1, row, height, buffer);
      for (int64_t y = 0; y < height; ++y) {
        const T* dy_row = dy + (row + y) * w.out_width;
        const T* strip_row = strip + y * columns.pitch();
        int64_t t = 0;
        for (; t + 3 <= taps; t += 3) {
          add_row<T, 3>(dy_row, strip_row, columns.offsets() + t, w.out_width, sums + t * kLanes<T>);
        }
        for (; t < taps; ++t) {
          add_row<T, 1>(dy_row, strip_row, columns.offsets() + t, w.out_width, sums + t * kLanes<T>);
        }
      }
    }
  }
  for (int64_t t = 0; t < taps; ++t) result[t] = Eigen::internal::predux(load(sums, t * kLanes<T>));
}

}  // namespace

template <class T>
void depthwise(const Window2d& w, const T* input, const T* weight, const T* bias, const Clamp<T>& clamp, T* output) {
  const int64_t plane = w.out_height * w.out_width, taps = w.kernel_height * w.kernel_width;
  filter_planes<T>(
      w.batch, w.channels, w.out_channels, forward_y(w), forward_x(w), input,
      [=](int64_t k) {
        return Filter<T>{weight + k * taps, bias == nullptr ? T(0) : bias[k], clamp};
      },
      [=, &w](int64_t n, int64_t k) {
        return PlanePlace<T>{output + (n * w.out_channels + k) * plane, w.out_width, 1};
      });
}

template <class T>
void depthwise_backward_input(const Window2d& w, const Axis& y, const Axis& x, const T* grad_output, const T* weight,
                              T* grad_input) {
  const int64_t plane = w.height * w.width, taps = y.taps * x.taps;
  Workspace<T> reordered(static_cast<std::size_t>(w.channels * taps));
  for (int64_t k = 0; k < w.channels; ++k) {
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t from = (k * w.kernel_height + y.index(t / x.taps)) * w.kernel_width + x.index(t % x.taps);
      reordered.data()[k * taps + t] = weight[from];
    }
  }
  const T* filters = reordered.data();
  filter_planes<T>(
      w.batch, w.channels, w.channels, y, x, grad_output,
      [=](int64_t k) {
        return Filter<T>{filters + k * taps, T(0), {}};
      },
      [=, &w](int64_t n, int64_t k) {
        return PlanePlace<T>{grad_input + (n * w.channels + k) * plane, w.stride_height * w.width, w.stride_width};
      });
}

template <class T>
void depthwise_backward_weight(const Window2d& w, const T* grad_output, const T* input, T* grad_weight) {
  const Axis y = forward_y(w), x = forward_x(w);
  const int64_t rows = strip_rows(y, CopiedAxis(x).places(x.out)), taps = y.taps * x.taps;
  const Columns<T> columns(1, y, x, rows, true);
  parallel_planes(w.out_channels, w.batch * y.out * x.out * taps, [&](int64_t begin, int64_t end) {
    Workspace<T> buffer(static_cast<std::size_t>(columns.strip_size(1)));
    Workspace<T> sums(static_cast<std::size_t>(taps * kLanes<T>));
    for (int64_t k = begin; k < end; ++k) {
      weight_gradient(w, columns, rows, k, grad_output, input, buffer.data(), sums.data(), grad_weight + k * taps);
    }
  });
}

template void depthwise(const Window2d&, const float*, const float*, const float*, const Clamp<float>&, float*);
TEFF_IF_FLOAT64(template void depthwise(const Window2d&, const double*, const double*, const double*,
                                        const Clamp<double>&, double*);)
template void depthwise_backward_input(const Window2d&, const Axis&, const Axis&, const float*, const float*, float*);
TEFF_IF_FLOAT64(template void depthwise_backward_input(const Window2d&, const Axis&, const Axis&, const double*,
                                                       const double*, double*);)
TEFF_IF_TRAINING(template void depthwise_backward_weight(const Window2d&, const float*, const float*, float*);)
TEFF_IF_TRAINING(TEFF_IF_FLOAT64(template void depthwise_backward_weight(const Window2d&, const double*, const double*,
                                                                         double*);))

}  // namespace teff::kernels::TEFF_ISA
