// SPDX-License-Identifier: MIT
#include <cstring>
#include <type_traits>

#include "teff/engine/kernels/functions.h"
#include "teff/engine/kernels/reductions.h"
#include "teff/engine/kernels/workspace.h"

namespace teff::kernels::TEFF_ISA {
namespace {

// Pooling without indices is separable: the rows of a window are joined into one padded row of scratch
// memory, packets at a time, then the columns of that row.

constexpr int64_t kScratch = 1024;  // values on the stack

/// Geometry of the padded row: it holds the columns that some window reads, from -padding on.
struct PaddedRow {
  int64_t length;  // at least what the windows read, and out_width * stride: rows can then be joined as one
  int64_t left;    // padding before the image
  int64_t middle;  // columns of the image

  explicit PaddedRow(const Window2d& w) {
    const int64_t read = (w.out_width - 1) * w.stride_width + (w.kernel_width - 1) * w.dilation_width + 1;
    length = larger(read, w.out_width * w.stride_width);
    left = smaller(w.padding_width, length);
    middle = smaller(w.width, length - left);
  }
};

/// The places of a window along one axis that lie in the image: first, first + dilation, ..., count of them.
struct Places {
  int64_t first, count;

  Places(int64_t start, int64_t step, int64_t kernel, int64_t size) {
    const int64_t skipped = start < 0 ? ceil_div(-start, step) : 0;
    first = start + skipped * step;
    const int64_t rest = size - first;  // a division takes longer than a short row
    const int64_t in_image = rest <= 0 ? 0 : step == 1 ? rest : ceil_div(rest, step);
    count = larger(0, smaller(kernel - skipped, in_image));
  }
};

Places row_places(const Window2d& w, int64_t out_row) {
  return {out_row * w.stride_height - w.padding_height, w.dilation_height, w.kernel_height, w.height};
}
Places column_places(const Window2d& w, int64_t out_column) {
  return {out_column * w.stride_width - w.padding_width, w.dilation_width, w.kernel_width, w.width};
}

template <class T>
void fill(T* y, int64_t count, T value) {
  for (int64_t i = 0; i < count; ++i) y[i] = value;
}

template <class Op, class T>
void join_rows(const Window2d& w, const PaddedRow& padded, int64_t out_row, const T* x, T* scratch) {
  constexpr T identity = Op::template kIdentity<T>;
  const auto join = [](Packet<T> a, Packet<T> b) { return Op::join(a, b); };
  const Places rows = row_places(w, out_row);
  const int64_t step = w.dilation_height * w.width;
  T* const middle = scratch + padded.left;
  fill(scratch, padded.left, identity);
  fill(middle + padded.middle, padded.length - padded.left - padded.middle, identity);
  x += rows.first * w.width;
  if (rows.count == 0) fill(middle, padded.middle, identity);
  if (rows.count == 1) std::memcpy(middle, x, static_cast<std::size_t>(padded.middle) * sizeof(T));
  if (rows.count >= 2) map_inline(0, padded.middle, middle, join, x, x + step);
  for (int64_t r = 2; r < rows.count; ++r) {
    map_inline(0, padded.middle, middle, join, static_cast<const T*>(middle), x + r * step);
  }
}

/// y[j] = x[j * stride] joined with the kernel's other columns. Plain loops, for the compiler to vectorise.
template <class Op, int kStride, class T>
void join_columns(const Window2d& w, int64_t n, const T* x, T* y) {
  const int64_t stride = kStride > 0 ? kStride : w.stride_width, d = w.dilation_width, width = w.kernel_width;
  if (width == 2) {
    for (int64_t j = 0; j < n; ++j) y[j] = Op::join_scalars(x[j * stride], x[j * stride + d]);
    return;
  }
  for (int64_t j = 0; j < n; ++j) y[j] = x[j * stride];
  for (int64_t k = 1; k < width; ++k) {
    for (int64_t j = 0; j < n; ++j) y[j] = Op::join_scalars(y[j], x[j * stride + k * d]);
  }
}

template <class Op, class T>
void join_columns(const Window2d& w, int64_t n, const T* x, T* y) {
  if (w.stride_width == 1) return join_columns<Op, 1>(w, n, x, y);
  if (w.stride_width == 2) return join_columns<Op, 2>(w, n, x, y);
  join_columns<Op, 0>(w, n, x, y);
}

/// Planes one after the other. If padded rows can be joined as one, so can the last rows of a plane and the
/// first of the next: the loop over columns has few ends.
template <class Op, class T>
void pool_planes(const Window2d& w, const PaddedRow& padded, int64_t planes, const T* x, T* y, T* scratch) {
  const int64_t rows = planes * w.out_height, rows_at_once = larger(1, kScratch / padded.length);
  const bool joined = padded.length == w.out_width * w.stride_width;
  int64_t out_row = 0;
  for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
    const int64_t count = smaller(rows_at_once, rows - begin);
    for (int64_t r = 0; r < count; ++r) {
      join_rows<Op>(w, padded, out_row, x, scratch + r * padded.length);
      if (++out_row < w.out_height) continue;
      out_row = 0;
      x += w.height * w.width;
    }
    T* const out = y + begin * w.out_width;
    if (joined) {
      join_columns<Op>(w, count * w.out_width, scratch, out);
    } else {
      for (int64_t r = 0; r < count; ++r) {
        join_columns<Op>(w, w.out_width, scratch + r * padded.length, out + r * w.out_width);
      }
    }
  }
}

/// Calls task(begin, end, scratch) for ranges of planes, with at least `count` values of scratch memory.
template <class T, class Task>
void for_planes(const Window2d& w, int64_t count, const Task& task) {
  const int64_t grain = larger(1, kGrain / larger(1, w.height * w.width));
  parallel_ranges(w.batch * w.channels, grain, [&](int64_t begin, int64_t end) {
    if (count <= kScratch) {
      alignas(64) T scratch[kScratch];
      task(begin, end, scratch);
    } else {
      Workspace<T> scratch(static_cast<std::size_t>(count));
      task(begin, end, scratch.data());
    }
  });
}

/// The same plane by plane: task(plane, scratch).
template <class T, class Task>
void for_each_plane(const Window2d& w, int64_t count, const Task& task) {
  for_planes<T>(w, count, [&](int64_t begin, int64_t end, T* scratch) {
    for (int64_t p = begin; p < end; ++p) task(p, scratch);
  });
}

bool is_global(const Window2d& w) {
  return w.out_height == 1 && w.out_width == 1 && w.kernel_height == w.height && w.kernel_width == w.width &&
         w.padding_height == 0 && w.padding_width == 0 && w.dilation_height == 1 && w.dilation_width == 1;
}

/// finish(begin, end) is called when planes [begin, end) of the output have been written.
template <class Op, class T, class Finish>
void pool(const Window2d& w, const T* input, T* output, const Finish& finish) {
  const PaddedRow padded(w);
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  const bool global = is_global(w);
  for_planes<T>(w, padded.length, [&](int64_t begin, int64_t end, T* scratch) {
    if (global) {
      for (int64_t p = begin; p < end; ++p) output[p] = reduce_row<Op>(in_size, input + p * in_size);
    } else {
      pool_planes<Op>(w, padded, end - begin, input + begin * in_size, output + begin * out_size, scratch);
    }
    finish(begin, end);
  });
}

/// Maxima of 2 by 2 windows that lie side by side in the rows a and b, with the place (0 to 3) in the window.
/// Selections only, and integers as wide as T, for the compiler to vectorise.
template <class T, class Integer>
void max_of_pairs(int64_t n, const T* a, const T* b, T* y, Integer* places) {
  for (int64_t j = 0; j < n; ++j) {
    T best = a[2 * j];
    Integer place = 0;
    const auto take = [&](T value, Integer at) {
      const bool better = static_cast<int>(value > best) | static_cast<int>(value != value);
      place = better ? at : place;
      best = better ? value : best;
    };
    take(a[2 * j + 1], 1);
    take(b[2 * j], 2);
    take(b[2 * j + 1], 3);
    y[j] = best;
    places[j] = place;
  }
}

template <class T>
void copy_row(int64_t n, const T* x, T* y) {
  map_inline(
      0, n, y, [](Packet<T> p) { return p; }, x);
}

/// Where the windows of 2 by 2 that tile a plane begin.
void first_places(const Window2d& w, int64_t* places) {
  for (int64_t i = 0; i < w.out_height; ++i) {
    for (int64_t j = 0; j < w.out_width; ++j) *places++ = 2 * (i * w.width + j);
  }
}

/// One plane of such windows. The rows of many windows are put together first: small images have rows that
/// are shorter than a packet.
template <class T>
void max_of_tiles(const Window2d& w, const int64_t* first, const T* x, T* y, int64_t* indices) {
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, int64_t>;
  constexpr int64_t kAtOnce = 256;
  alignas(64) T upper[2 * kAtOnce], lower[2 * kAtOnce];
  alignas(64) Integer places[kAtOnce];
  const int64_t columns = smaller(w.out_width, kAtOnce), rows_at_once = kAtOnce / columns;
  for (int64_t row = 0; row < w.out_height; row += rows_at_once) {
    const int64_t rows = smaller(rows_at_once, w.out_height - row);
    for (int64_t column = 0; column < w.out_width; column += columns) {  // one round unless the image is wide
      const int64_t count = smaller(columns, w.out_width - column), begin = row * w.out_width + column;
      for (int64_t r = 0; r < rows; ++r) {
        const T* source = x + 2 * ((row + r) * w.width + column);
        copy_row(2 * count, source, upper + 2 * r * count);
        copy_row(2 * count, source + w.width, lower + 2 * r * count);
      }
      max_of_pairs(rows * count, upper, lower, y + begin, places);
      for (int64_t j = 0; j < rows * count; ++j) {
        const int64_t next_column = places[j] & 1, next_row = places[j] & 2;
        indices[begin + j] = first[begin + j] + next_column + (next_row != 0 ? w.width : 0);
      }
    }
  }
}

bool tiles_by_two(const Window2d& w) {
  return w.out_width > 0 && w.kernel_height == 2 && w.kernel_width == 2 && w.stride_height == 2 &&
         w.stride_width == 2 && w.padding_height == 0 && w.padding_width == 0 && w.dilation_height == 1 &&
         w.dilation_width == 1 && 2 * w.out_height <= w.height && 2 * w.out_width <= w.width;
}

/// One window: the last NaN or else the first maximum. The index is -1 if the window lies in the padding.
template <class T>
void max_of_window(const Window2d& w, const Places& rows, const Places& columns, const T* x, T* y,
                   int64_t* index) {
  const bool any = rows.count > 0 && columns.count > 0;
  T best = -kInfinity<T>;
  int64_t place = any ? rows.first * w.width + columns.first : -1;
  for (int64_t r = 0; r < rows.count; ++r) {
    int64_t at = (rows.first + r * w.dilation_height) * w.width + columns.first;
    for (int64_t k = 0; k < columns.count; ++k, at += w.dilation_width) {
      const T value = x[at];
      const bool better = static_cast<int>(value > best) | static_cast<int>(value != value);
      best = better ? value : best;
      place = better ? at : place;
    }
  }
  *y = best;
  *index = place;
}

template <class T>
void max_of_windows(const Window2d& w, const T* x, T* y, int64_t* indices) {
  for (int64_t i = 0; i < w.out_height; ++i, y += w.out_width, indices += w.out_width) {
    const Places rows = row_places(w, i);
    for (int64_t j = 0; j < w.out_width; ++j) {
      max_of_window(w, rows, column_places(w, j), x, y + j, indices + j);
    }
  }
}

template <class T>
void max_pool_with_indices(const Window2d& w, const T* x, T* y, int64_t* indices) {
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  const bool tiles = tiles_by_two(w);
  Workspace<int64_t> first(static_cast<std::size_t>(tiles ? out_size : 0));
  if (tiles) first_places(w, first.data());
  for_each_plane<T>(w, 0, [&](int64_t p, T*) {
    if (tiles) {
      max_of_tiles(w, first.data(), x + p * in_size, y + p * out_size, indices + p * out_size);
    } else {
      max_of_windows(w, x + p * in_size, y + p * out_size, indices + p * out_size);
    }
  });
}

/// What the sums of an average pooling are divided by. The sizes of a window along both axes are independent.
struct Divisor {
  const Window2d& w;
  bool count_include_pad;
  int64_t override;

  static int64_t extent(bool with_padding, int64_t first, int64_t kernel, int64_t size, int64_t padding) {
    const int64_t end = smaller(first + kernel, size + padding);
    return with_padding ? end - first : smaller(end, size) - larger(first, 0);
  }
  /// 0 or less: the window is empty.
  int64_t rows(int64_t out_row) const {
    return extent(count_include_pad, out_row * w.stride_height - w.padding_height, w.kernel_height, w.height,
                  w.padding_height);
  }
  int64_t columns(int64_t out_column) const {
    return extent(count_include_pad, out_column * w.stride_width - w.padding_width, w.kernel_width, w.width,
                  w.padding_width);
  }
  bool constant() const {
    return override != 0 ||
           ((count_include_pad || (w.padding_height == 0 && w.padding_width == 0)) &&
            rows(w.out_height - 1) == w.kernel_height && columns(w.out_width - 1) == w.kernel_width);
  }
  int64_t value() const { return override != 0 ? override : w.kernel_height * w.kernel_width; }

  /// y = x / divisor, for an output row.
  template <class T>
  void divide_row(int64_t out_row, const T* x, T* y) const {
    if (constant()) {
      const auto count = static_cast<T>(value());
      for (int64_t j = 0; j < w.out_width; ++j) y[j] = x[j] / count;
      return;
    }
    const int64_t height = override != 0 ? 1 : rows(out_row);
    for (int64_t j = 0; j < w.out_width; ++j) {
      const int64_t count = override != 0 ? override : height * columns(j);
      y[j] = height > 0 && count != 0 && (override != 0 || count > 0) ? x[j] / static_cast<T>(count) : T(0);
    }
  }
};

}  // namespace

template <class T>
void max_pool2d(const Window2d& w, const T* input, T* output, int64_t* indices) {
  if (indices == nullptr) return pool<Max>(w, input, output, [](int64_t, int64_t) {});
  max_pool_with_indices(w, input, output, indices);
}

// dX[index of the maximum] += dY
template <class T>
void max_pool2d_backward(const Window2d& w, const T* grad_output, const int64_t* indices, T* grad_input) {
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  for_each_plane<T>(w, 0, [&](int64_t p, T*) {
    T* const plane = grad_input + p * in_size;
    std::memset(plane, 0, static_cast<std::size_t>(in_size) * sizeof(T));
    const T* const grad = grad_output + p * out_size;
    const int64_t* const index = indices + p * out_size;
    for (int64_t i = 0; i < out_size; ++i) {
      if (index[i] >= 0) plane[index[i]] += grad[i];
    }
  });
}

template <class T>
void avg_pool2d(const Window2d& w, bool count_include_pad, int64_t divisor_override, const T* input,
                T* output) {
  const Divisor divisor{w, count_include_pad, divisor_override};
  const bool constant = divisor.constant();
  const Packet<T> count = splat(static_cast<T>(divisor.value()));
  const int64_t out_size = w.out_height * w.out_width;
  pool<Sum>(w, input, output, [&](int64_t begin, int64_t end) {
    if (constant) {
      const auto divide = [=](Packet<T> v) { return pdiv(v, count); };
      return map(begin * out_size, end * out_size, output, divide, static_cast<const T*>(output));
    }
    for (int64_t r = begin * w.out_height; r < end * w.out_height; ++r) {
      T* const row = output + r * w.out_width;
      divisor.divide_row(r % w.out_height, row, row);
    }
  });
}

// dX[every place of the window] += dY / divisor, by way of a padded row as in the forward direction
template <class T>
void avg_pool2d_backward(const Window2d& w, bool count_include_pad, int64_t divisor_override,
                         const T* grad_output, T* grad_input) {
  const Divisor divisor{w, count_include_pad, divisor_override};
  const PaddedRow padded(w);
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  const auto add = [](Packet<T> a, Packet<T> b) { return padd(a, b); };
  for_each_plane<T>(w, padded.length + w.out_width, [&](int64_t p, T* scratch) {
    T* const shares = scratch + padded.length;
    T* const plane = grad_input + p * in_size;
    std::memset(plane, 0, static_cast<std::size_t>(in_size) * sizeof(T));
    for (int64_t i = 0; i < w.out_height; ++i) {
      divisor.divide_row(i, grad_output + p * out_size + i * w.out_width, shares);
      fill(scratch, padded.length, T(0));
      for (int64_t j = 0; j < w.out_width; ++j) {
        T* const columns = scratch + j * w.stride_width;
        for (int64_t k = 0; k < w.kernel_width; ++k) columns[k * w.dilation_width] += shares[j];
      }
      const Places rows = row_places(w, i);
      for (int64_t r = 0; r < rows.count; ++r) {
        T* const row = plane + (rows.first + r * w.dilation_height) * w.width;
        map(0, padded.middle, row, add, static_cast<const T*>(row),
            static_cast<const T*>(scratch + padded.left));
      }
    }
  });
}

template void max_pool2d(const Window2d&, const float*, float*, int64_t*);
template void max_pool2d(const Window2d&, const double*, double*, int64_t*);
template void max_pool2d_backward(const Window2d&, const float*, const int64_t*, float*);
template void max_pool2d_backward(const Window2d&, const double*, const int64_t*, double*);
template void avg_pool2d(const Window2d&, bool, int64_t, const float*, float*);
template void avg_pool2d(const Window2d&, bool, int64_t, const double*, double*);
template void avg_pool2d_backward(const Window2d&, bool, int64_t, const float*, float*);
template void avg_pool2d_backward(const Window2d&, bool, int64_t, const double*, double*);

}  // namespace teff::kernels::TEFF_ISA
