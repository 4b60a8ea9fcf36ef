// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/vectorized.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

template <class T, class F>
void for_each_plane(const Resize2d<T>& s, const F& f) {
  const int64_t work = larger(s.rows.size * s.columns.size, s.rows.out_size * s.columns.out_size);
  parallel_ranges(s.planes, larger(1, kGrain / larger(1, work)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) f(p);
  });
}

template <class T>
void zero(int64_t n, T* y) {
  map(
      0, n, y, [](Packet<T> v) { return v; }, Repeat<T>{splat(T(0))});
}

/// y += factor * x
template <class T>
void add_multiple(int64_t n, T factor, const T* x, T* y) {
  const Packet<T> f = splat(factor);
  map(
      0, n, y, [=](Packet<T> v, Packet<T> sum) { return pmadd(v, f, sum); }, x, static_cast<const T*>(y));
}

/// Rows are copied, or, where one is the same as that before it, copied whole.
template <class T>
void copy_plane(const Resize2d<T>& s, const T* in, T* out) {
  const ResizedAxis<T>&rows = s.rows, &columns = s.columns;
  for (int64_t i = 0; i < rows.out_size; ++i, out += columns.out_size) {
    if (i > 0 && rows.first[i] == rows.first[i - 1]) {
      copy(static_cast<const T*>(out - columns.out_size), columns.out_size, out);
      continue;
    }
    const T* const row = in + rows.first[i] * columns.size;
    for (int64_t j = 0; j < columns.out_size; ++j) out[j] = row[columns.first[j]];
  }
}

/// The two rows that a row of the result comes from are mixed first, packets at a time, then its columns.
template <class T>
void mix_plane(const Resize2d<T>& s, const T* in, T* out) {
  const ResizedAxis<T>&rows = s.rows, &columns = s.columns;
  Workspace<T> space(static_cast<std::size_t>(columns.size));
  T* const mixed = space.data();
  for (int64_t i = 0; i < rows.out_size; ++i, out += columns.out_size) {
    const Packet<T> part = splat(rows.part[i]), rest = splat(1 - rows.part[i]);
    const auto mix = [=](Packet<T> a, Packet<T> b) { return pmadd(a, rest, pmul(b, part)); };
    map(0, columns.size, mixed, mix, in + rows.first[i] * columns.size, in + rows.second[i] * columns.size);
    for (int64_t j = 0; j < columns.out_size; ++j) {
      out[j] = (1 - columns.part[j]) * mixed[columns.first[j]] + columns.part[j] * mixed[columns.second[j]];
    }
  }
}

template <class T>
void copy_plane_backward(const Resize2d<T>& s, const T* grad, T* grad_in) {
  for (int64_t i = 0; i < s.rows.out_size; ++i, grad += s.columns.out_size) {
    T* const row = grad_in + s.rows.first[i] * s.columns.size;
    for (int64_t j = 0; j < s.columns.out_size; ++j) row[s.columns.first[j]] += grad[j];
  }
}

template <class T>
void mix_plane_backward(const Resize2d<T>& s, const T* grad, T* grad_in) {
  const ResizedAxis<T>&rows = s.rows, &columns = s.columns;
  Workspace<T> space(static_cast<std::size_t>(columns.size));
  T* const mixed = space.data();
  for (int64_t i = 0; i < rows.out_size; ++i, grad += columns.out_size) {
    zero(columns.size, mixed);
    for (int64_t j = 0; j < columns.out_size; ++j) {
      mixed[columns.first[j]] += (1 - columns.part[j]) * grad[j];
      mixed[columns.second[j]] += columns.part[j] * grad[j];
    }
    const T* const row = mixed;
    add_multiple(columns.size, 1 - rows.part[i], row, grad_in + rows.first[i] * columns.size);
    add_multiple(columns.size, rows.part[i], row, grad_in + rows.second[i] * columns.size);
  }
}

template <class T>
void resize2d(const Resize2d<T>& s, const T* input, T* output) {
  const int64_t size = s.rows.size * s.columns.size, out_size = s.rows.out_size * s.columns.out_size;
  const auto plane = s.rows.part == nullptr ? copy_plane<T> : mix_plane<T>;
  for_each_plane(s, [&](int64_t p) { plane(s, input + p * size, output + p * out_size); });
}

/// Every value's gradient goes where it came from, in the same parts.
template <class T>
void resize2d_backward(const Resize2d<T>& s, const T* grad_output, T* grad_input) {
  const int64_t size = s.rows.size * s.columns.size, out_size = s.rows.out_size * s.columns.out_size;
  const auto plane = s.rows.part == nullptr ? copy_plane_backward<T> : mix_plane_backward<T>;
  for_each_plane(s, [&](int64_t p) {
    zero(size, grad_input + p * size);
    plane(s, grad_output + p * out_size, grad_input + p * size);
  });
}

}  // namespace

extern constinit const Tables<Resize2dKernels> resize2d_tables =
    make_tables<Resize2dKernels>([]<class T>(T) -> Resize2dKernels<T> {
      return {.resize2d = resize2d<T>, .resize2d_backward = if_training(resize2d_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
