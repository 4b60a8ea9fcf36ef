// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// [begin, end) of one axis.
struct Span {
  int64_t begin, end;

  /// The window of output i. Sizes are below 2^31: nothing overflows.
  Span(int64_t i, int64_t size, int64_t out_size)
      : begin(i * size / out_size), end(ceil_div((i + 1) * size, out_size)) {}
  int64_t length() const { return end - begin; }
};

Span rows_of(const AdaptivePool2d& s, int64_t out_row) { return {out_row, s.height, s.out_height}; }
Span columns_of(const AdaptivePool2d& s, int64_t out_column) { return {out_column, s.width, s.out_width}; }

/// Calls f(plane) for all of them.
template <class F>
void for_each_plane(const AdaptivePool2d& s, const F& f) {
  const int64_t work = larger(s.height * s.width, s.out_height * s.out_width);
  parallel_ranges(s.planes, larger(1, kGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) f(p);
  });
}

template <class T>
void zero(int64_t n, T* y) {
  map(
      0, n, y, [](Packet<T> v) { return v; }, Repeat<T>{splat(T(0))});
}

/// y += x
template <class T>
void add(int64_t n, const T* x, T* y) {
  map(
      0, n, y, [](Packet<T> a, Packet<T> b) { return padd(a, b); }, x, static_cast<const T*>(y));
}

template <class T>
T sum_of(const Span& span, const T* x) {
  if (span.length() > 2 * kLanes<T>) return reduce_row<Sum>(span.length(), x + span.begin);
  T sum = 0;
  for (int64_t i = span.begin; i < span.end; ++i) sum += x[i];
  return sum;
}

// The rows of a band are added up first, packets at a time, then the columns of each window.
template <class T>
void adaptive_avg_pool2d(const AdaptivePool2d& given, const T* input, T* output) {
  AdaptivePool2d s = given;
  if (s.out_height * s.out_width == 1) {  // one window: the plane is one long row
    s.width *= s.height;
    s.height = 1;
  }
  for_each_plane(s, [&](int64_t p) {
    Workspace<T> space(static_cast<std::size_t>(s.width));
    T* const sums = space.data();
    const T* const plane = input + p * s.height * s.width;
    for (int64_t i = 0; i < s.out_height; ++i) {
      const Span rows = rows_of(s, i);
      copy(plane + rows.begin * s.width, s.width, sums);
      for (int64_t r = rows.begin + 1; r < rows.end; ++r) add(s.width, plane + r * s.width, sums);
      T* const out = output + (p * s.out_height + i) * s.out_width;
      for (int64_t j = 0; j < s.out_width; ++j) {
        const Span columns = columns_of(s, j);
        out[j] = sum_of(columns, static_cast<const T*>(sums)) / static_cast<T>(rows.length() * columns.length());
      }
    }
  });
}

/// dX += dY / window's size over each window
template <class T>
void adaptive_avg_pool2d_backward(const AdaptivePool2d& s, const T* grad_output, T* grad_input) {
  for_each_plane(s, [&](int64_t p) {
    Workspace<T> space(static_cast<std::size_t>(s.width));
    T* const shares = space.data();
    T* const plane = grad_input + p * s.height * s.width;
    zero(s.height * s.width, plane);
    for (int64_t i = 0; i < s.out_height; ++i) {
      const Span rows = rows_of(s, i);
      const T* const grad = grad_output + (p * s.out_height + i) * s.out_width;
      zero(s.width, shares);
      for (int64_t j = 0; j < s.out_width; ++j) {
        const Span columns = columns_of(s, j);
        const T share = grad[j] / static_cast<T>(rows.length() * columns.length());
        for (int64_t c = columns.begin; c < columns.end; ++c) shares[c] += share;
      }
      for (int64_t r = rows.begin; r < rows.end; ++r) add(s.width, static_cast<const T*>(shares), plane + r * s.width);
    }
  });
}

template <class T>
void adaptive_max_pool2d(const AdaptivePool2d& s, const T* input, T* output, int64_t* indices) {
  for_each_plane(s, [&](int64_t p) {
    const T* const plane = input + p * s.height * s.width;
    for (int64_t i = 0; i < s.out_height * s.out_width; ++i) {
      const Span rows = rows_of(s, i / s.out_width), columns = columns_of(s, i % s.out_width);
      int64_t best = rows.begin * s.width + columns.begin;
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        for (int64_t place = r * s.width + columns.begin; place < r * s.width + columns.end; ++place) {
          const T value = plane[place];
          if (value > plane[best] || value != value) best = place;
        }
      }
      const int64_t out = p * s.out_height * s.out_width + i;
      output[out] = plane[best];
      if (indices != nullptr) indices[out] = best;
    }
  });
}

}  // namespace

extern constinit const Tables<AdaptivePool2dKernels> adaptive_pool2d_tables =
    make_tables<AdaptivePool2dKernels>([]<class T>(T) -> AdaptivePool2dKernels<T> {
      return {.adaptive_avg_pool2d = adaptive_avg_pool2d<T>,
              .adaptive_avg_pool2d_backward = if_training(adaptive_avg_pool2d_backward<T>),
              .adaptive_max_pool2d = adaptive_max_pool2d<T>};
    });

}  // namespace teff::kernels::TEFF_ISA
