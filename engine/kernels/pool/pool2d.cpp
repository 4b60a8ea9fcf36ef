// SPDX-License-Identifier: MIT
#include <cstring>

#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

using Eigen::internal::pand;
using Eigen::internal::pandnot;
using Eigen::internal::pmax;
using Eigen::internal::predux;

// Pooling without indices is separable: the rows of a window are joined into one padded row of scratch
// memory, packets at a time, then the columns of that row.

constexpr int64_t kScratch = 1024;  // values on the stack

/// Geometry of the padded row: it holds the columns that some window reads, from -padding on. Where that is far more
/// than there is of image and output, the row is that of the image, and each window is cut to it.
struct PaddedRow {
  int64_t length;  // at least what the windows read, and out_width * stride: rows can then be joined as one
  int64_t left;    // padding before the image
  int64_t middle;  // columns of the image
  bool is_cut;

  explicit PaddedRow(const Window2d& w) {
    const int64_t read = (w.out_width - 1) * w.stride_width + (w.kernel_width - 1) * w.dilation_width + 1;
    length = larger(read, w.out_width * w.stride_width);
    is_cut = length > 4 * (w.width + w.out_width) + kScratch;
    if (is_cut) length = w.width;
    left = is_cut ? 0 : smaller(w.padding_width, length);
    middle = smaller(w.width, length - left);
  }
};

/// The places of a window along one axis that lie in the image: first, first + dilation, ..., count of them.
struct Places {
  int64_t first, count;

  Places(int64_t all_from, int64_t all) : first(all_from), count(all) {}
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
  if (rows.count > 0) x += rows.first * w.width;
  if (rows.count == 0) fill(middle, padded.middle, identity);
  if (rows.count == 1) std::memcpy(middle, x, static_cast<std::size_t>(padded.middle) * sizeof(T));
  if (rows.count >= 2) map(0, padded.middle, middle, join, x, x + step);
  for (int64_t r = 2; r < rows.count; ++r) {
    map(0, padded.middle, middle, join, static_cast<const T*>(middle), x + r * step);
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

/// The same of a row that is cut to the image: only what lies in it is joined.
template <class Op, class T>
void join_cut_columns(const Window2d& w, const T* x, T* y) {
  for (int64_t j = 0; j < w.out_width; ++j) {
    const Places columns = column_places(w, j);
    y[j] = Op::template kIdentity<T>;
    for (int64_t k = 0; k < columns.count; ++k) {
      y[j] = Op::join_scalars(y[j], x[columns.first + k * w.dilation_width]);
    }
  }
}

/// Planes one after the other. If padded rows can be joined as one, so can the last rows of a plane and the
/// first of the next: the loop over columns has few ends.
template <class Op, class T>
void pool_planes(const Window2d& w, const PaddedRow& padded, int64_t planes, const T* x, T* y, T* scratch) {
  const int64_t rows = planes * w.out_height, rows_at_once = larger(1, kScratch / padded.length);
  const bool joined = !padded.is_cut && padded.length == w.out_width * w.stride_width;
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
        const T* const row = scratch + r * padded.length;
        if (padded.is_cut) {
          join_cut_columns<Op>(w, row, out + r * w.out_width);
        } else {
          join_columns<Op>(w, w.out_width, row, out + r * w.out_width);
        }
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

/// 2 * count values, from one to two packets: windows two wide, side by side.
template <class T>
struct PairRow {
  Packet<T> first, second;  // the left and the right column of each

  static PairRow read(const T* x, int64_t count) {
    return read(count, [x](auto load) { return load(x); });
  }
  /// Of two rows, joined.
  template <class Op>
  static PairRow read_joined(const T* x, const T* y, int64_t count) {
    return read(count, [x, y](auto load) { return Op::join(load(x), load(y)); });
  }
  void write(T* x, int64_t count) const {
    const int64_t right = 2 * count - kLanes<T>;
    store_some(x, 0, right < 0 ? 2 * count : kLanes<T>, low_pairs(first, second));
    if (right > 0) store_some(x, kLanes<T>, right, high_pairs(first, second));
  }

 private:
  /// packet(load) gives what is read by load(row).
  template <class Rows>
  static PairRow read(int64_t count, const Rows& packet) {
    const int64_t right = 2 * count - kLanes<T>, left = right < 0 ? 2 * count : kLanes<T>;
    const Packet<T> a = packet([=](const T* x) { return load_some(x, 0, left); });
    const Packet<T> b = right > 0 ? packet([=](const T* x) { return load_some(x, kLanes<T>, right); }) : splat(T(0));
    return {even_lanes(a, b), odd_lanes(a, b)};
  }
};

/// Windows of 2 by 2 that lie side by side without padding.
bool is_tiled(const Window2d& w) {
  return w.kernel_height == 2 && w.kernel_width == 2 && w.stride_height == 2 && w.stride_width == 2 &&
         w.padding_height == 0 && w.padding_width == 0 && w.dilation_height == 1 && w.dilation_width == 1 &&
         2 * w.out_height <= w.height && 2 * w.out_width <= w.width;
}

template <class Op, class T>
void pool_tiles(const Window2d& w, int64_t planes, const T* x, T* y) {
  // As local values: stores of packets may change anything else that the compiler knows of.
  const int64_t plane = w.height * w.width, width = w.width, out_height = w.out_height, out_width = w.out_width;
  for (int64_t p = 0; p < planes; ++p, x += plane) {
    const T* upper = x;
    for (int64_t i = 0; i < out_height; ++i, upper += 2 * width, y += out_width) {
      for (int64_t j = 0; j < out_width; j += kLanes<T>) {
        const int64_t count = smaller(kLanes<T>, out_width - j);
        const PairRow<T> pairs = PairRow<T>::template read_joined<Op>(upper + 2 * j, upper + width + 2 * j, count);
        store_some(y, j, count, Op::join(pairs.first, pairs.second));
      }
    }
  }
}

/// finish(begin, end) is called when planes [begin, end) of the output have been written.
template <class Op, class T, class Finish>
void pool(const Window2d& w, const T* input, T* output, const Finish& finish) {
  const PaddedRow padded(w);
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  const bool global = is_global(w), tiled = is_tiled(w);
  for_planes<T>(w, padded.length, [&](int64_t begin, int64_t end, T* scratch) {
    if (global) {
      for (int64_t p = begin; p < end; ++p) output[p] = reduce_row<Op>(in_size, input + p * in_size);
    } else if (tiled) {
      pool_tiles<Op>(w, end - begin, input + begin * in_size, output + begin * out_size);
    } else {
      pool_planes<Op>(w, padded, end - begin, input + begin * in_size, output + begin * out_size, scratch);
    }
    finish(begin, end);
  });
}

/// For rows whose windows may have NaN: the last one gets the gradient.
template <class T>
void choose_nan(int64_t n, const T* grad, const T* a, const T* b, T* grad_a, T* grad_b) {
  for (int64_t j = 0; j < n; ++j) {
    const T* const places[] = {a + 2 * j, a + 2 * j + 1, b + 2 * j, b + 2 * j + 1};
    T* const grads[] = {grad_a + 2 * j, grad_a + 2 * j + 1, grad_b + 2 * j, grad_b + 2 * j + 1};
    int last = 3;
    while (last >= 0 && *places[last] == *places[last]) --last;
    for (int i = 0; last >= 0 && i < 4; ++i) *grads[i] = i == last ? grad[j] : T(0);
  }
}

/// The rows a and b hold n windows of 2 by 2 side by side. The gradient of each goes to the first of its maxima, the
/// other three places get 0. `zeros` are no longer zeros if there is a NaN (or an infinity).
template <class T>
void choose_of_pairs(int64_t n, const T* grad, const T* a, const T* b, T* grad_a, T* grad_b, Packet<T>& zeros) {
  for (int64_t j = 0; j < n; j += kLanes<T>) {
    const int64_t count = smaller(kLanes<T>, n - j);
    const PairRow<T> upper = PairRow<T>::read(a + 2 * j, count), lower = PairRow<T>::read(b + 2 * j, count);
    const Packet<T> best = pmax(pmax(upper.first, upper.second), pmax(lower.first, lower.second));
    const Packet<T> sum = padd(padd(upper.first, upper.second), padd(lower.first, lower.second));
    zeros = pmadd(sum, splat(T(0)), zeros);
    Packet<T> rest = load_some(grad, j, count);
    const auto take = [&](Packet<T> x) {
      const Packet<T> is_best = pcmp_eq(x, best), taken = pand(rest, is_best);
      rest = pandnot(rest, is_best);
      return taken;
    };
    PairRow<T> to;
    to.first = take(upper.first);
    to.second = take(upper.second);
    to.write(grad_a + 2 * j, count);
    to.first = take(lower.first);
    to.second = take(lower.second);
    to.write(grad_b + 2 * j, count);
  }
}

/// One window: the last NaN or else the first maximum. The index is -1 if the window lies in the padding.
template <class T>
void max_of_window(const Window2d& w, const Places& rows, const Places& columns, const T* x, T* y, int64_t* index) {
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
    return override != 0 || ((count_include_pad || (w.padding_height == 0 && w.padding_width == 0)) &&
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

template <class T>
void max_pool2d(const Window2d& w, const T* input, T* output, int64_t* indices) {
  if (indices == nullptr) return pool<Max>(w, input, output, [](int64_t, int64_t) {});
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  for_each_plane<T>(w, 0, [&](int64_t p, T*) {
    max_of_windows(w, input + p * in_size, output + p * out_size, indices + p * out_size);
  });
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
void max_pool2d_tiles_backward(const Window2d& w, const T* grad_output, const T* input, T* grad_input) {
  const int64_t in_size = w.height * w.width, out_size = w.out_height * w.out_width;
  const bool covered = 2 * w.out_height == w.height && 2 * w.out_width == w.width;
  for_each_plane<T>(w, 0, [&](int64_t p, T*) {
    T* const plane = grad_input + p * in_size;
    if (!covered) std::memset(plane, 0, static_cast<std::size_t>(in_size) * sizeof(T));
    const auto for_rows = [&](const auto& choose) {
      const int64_t width = w.width, out_height = w.out_height, out_width = w.out_width;
      const T *grad = grad_output + p * out_size, *x = input + p * in_size;
      T* to = plane;
      for (int64_t i = 0; i < out_height; ++i, grad += out_width, x += 2 * width, to += 2 * width) {
        choose(out_width, grad, x, x + width, to, to + width);
      }
    };
    Packet<T> zeros = splat(T(0));
    for_rows([&](auto... row) { choose_of_pairs<T>(row..., zeros); });
    if (!(predux(zeros) == T(0))) for_rows(&choose_nan<T>);
  });
}

template <class T>
void avg_pool2d(const Window2d& w, bool count_include_pad, int64_t divisor_override, const T* input, T* output) {
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
void avg_pool2d_backward(const Window2d& w, bool count_include_pad, int64_t divisor_override, const T* grad_output,
                         T* grad_input) {
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
        const Places columns = padded.is_cut ? column_places(w, j) : Places(j * w.stride_width, w.kernel_width);
        for (int64_t k = 0; k < columns.count; ++k) scratch[columns.first + k * w.dilation_width] += shares[j];
      }
      const Places rows = row_places(w, i);
      for (int64_t r = 0; r < rows.count; ++r) {
        T* const row = plane + (rows.first + r * w.dilation_height) * w.width;
        map(0, padded.middle, row, add, static_cast<const T*>(row), static_cast<const T*>(scratch + padded.left));
      }
    }
  });
}

}  // namespace

extern constinit const Tables<Pool2dKernels> pool2d_tables =
    make_tables<Pool2dKernels>([]<class T>(T) -> Pool2dKernels<T> {
      return {.max_pool2d = max_pool2d<T>,
              .max_pool2d_backward = if_training(max_pool2d_backward<T>),
              .max_pool2d_tiles_backward = if_training(max_pool2d_tiles_backward<T>),
              .avg_pool2d = avg_pool2d<T>,
              .avg_pool2d_backward = if_training(avg_pool2d_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
