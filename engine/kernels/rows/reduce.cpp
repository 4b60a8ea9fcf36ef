// SPDX-License-Identifier: MIT
#include <cstring>

#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/reduce.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

constexpr int64_t kColumnTile = 1024;  // columns of one task
constexpr int64_t kRowsAtOnce = 32;    // length of the chains of a column sum

/// Neighbouring columns that are reduced together.
template <class T, int kPackets>
struct Stripe {
  Packet<T> packet[kPackets];
};

/// Rows [begin, end) of a stripe of columns: few rows in a chain, more in pairs of halves. `count` columns if
/// kPackets is 1, else all of the stripe.
template <class Op, int kPackets, class T>
[[gnu::noinline]] Stripe<T, kPackets> reduce_stripe(int64_t begin, int64_t end, int64_t row_length, const T* x,
                                                    int64_t count) {
  constexpr T identity = Op::template kIdentity<T>;
  Stripe<T, kPackets> result;
  if (end - begin > kRowsAtOnce) {
    const int64_t middle = begin + (end - begin) / 2;
    result = reduce_stripe<Op, kPackets>(begin, middle, row_length, x, count);
    const auto second = reduce_stripe<Op, kPackets>(middle, end, row_length, x, count);
    for (int k = 0; k < kPackets; ++k) result.packet[k] = Op::join(result.packet[k], second.packet[k]);
    return result;
  }
  for (int k = 0; k < kPackets; ++k) result.packet[k] = splat(identity);
  for (int64_t r = begin; r < end; ++r) {
    const T* row = x + r * row_length;
    if constexpr (kPackets == 1) {
      result.packet[0] = Op::join(result.packet[0], load_some(row, 0, count));
    } else {
      for (int k = 0; k < kPackets; ++k) result.packet[k] = Op::join(result.packet[k], load(row, k * kLanes<T>));
    }
  }
  return result;
}

/// y[i] = columns i in [begin, end) of x [rows, row_length].
template <class Op, class T>
void reduce_columns(int64_t rows, int64_t row_length, int64_t begin, int64_t end, const T* x, T* y) {
  constexpr int64_t lanes = kLanes<T>;
  const auto column = [&](int64_t i) { return rows > 0 ? x + i : x; };  // of no rows there is no memory
  int64_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) {
    const auto stripe = reduce_stripe<Op, 4>(0, rows, row_length, column(i), lanes);
    for (int k = 0; k < 4; ++k) pstoreu(y + i + k * lanes, stripe.packet[k]);
  }
  for (; i < end; i += lanes) {
    const int64_t count = smaller(lanes, end - i);
    store_some(y, i, count, reduce_stripe<Op, 1>(0, rows, row_length, column(i), count).packet[0]);
  }
}

template <class Op, class T>
void reduce_rows(int64_t outer, int64_t reduced, const T* x, T* y) {
  parallel_ranges(outer, larger(1, kGrain / larger(1, reduced)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) y[o] = reduce_row<Op>(reduced, x + o * reduced);
  });
}

template <class Op, class T>
void reduce_tiles(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  const int64_t tiles = ceil_div(inner, kColumnTile);
  const int64_t grain = larger(1, kGrain / larger(1, reduced * smaller(inner, kColumnTile)));
  parallel_ranges(outer * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t o = task / tiles, column = task % tiles * kColumnTile;
      reduce_columns<Op>(reduced, inner, column, smaller(inner, column + kColumnTile), x + o * reduced * inner,
                         y + o * inner);
    }
  });
}

template <class Op, class T>
void reduce_any(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  if (inner == 1) return reduce_rows<Op>(outer, reduced, x, y);
  reduce_tiles<Op>(outer, reduced, inner, x, y);
}

template <class Op, class T>
void reduce(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  if (outer == 0 || inner == 0) return;
  if (reduced == 1) {
    std::memcpy(y, x, static_cast<std::size_t>(outer * inner) * sizeof(T));
    return;
  }
  // Long and narrow: chunks of the reduced dimension first, for the sake of the threads.
  const int64_t chunk = larger(kRowsAtOnce, 2 * kGrain / inner);
  const int64_t chunks = reduced / chunk;
  if (chunks < 2) return reduce_any<Op>(outer, reduced, inner, x, y);
  Workspace<T> partial(static_cast<std::size_t>(outer * (chunks + 1) * inner));
  T* const sums = partial.data();
  parallel_for(outer * chunks, [&](int64_t task) {
    const int64_t o = task / chunks, c = task % chunks;
    reduce_any<Op>(1, c + 1 < chunks ? chunk : reduced - c * chunk, inner, x + (o * reduced + c * chunk) * inner,
                   sums + task * inner);
  });
  reduce_any<Op>(outer, chunks, inner, static_cast<const T*>(sums), y);
}

/// The place of the maximum of a row that is known.
template <class T>
int64_t find_first(int64_t n, const T* x, T value) {
  int64_t i = 0;
  if (value != value) {
    while (i + 1 < n && x[i] == x[i]) ++i;
  } else {
    while (i + 1 < n && x[i] != value) ++i;
  }
  return i;
}

template <class T>
void argmax_columns(int64_t reduced, int64_t inner, const T* x, T* best, int64_t* y) {
  std::memcpy(best, x, static_cast<std::size_t>(inner) * sizeof(T));
  for (int64_t i = 0; i < inner; ++i) y[i] = 0;
  for (int64_t r = 1; r < reduced; ++r) {
    const T* row = x + r * inner;
    for (int64_t i = 0; i < inner; ++i) {
      const T value = row[i], old = best[i];
      const bool better = value > old || (value != value && old == old);
      best[i] = better ? value : old;
      y[i] = better ? r : y[i];
    }
  }
}

template <class T>
void sum(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  reduce<Sum>(outer, reduced, inner, x, y);
}

template <class T>
void max(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  reduce<Max>(outer, reduced, inner, x, y);
}

template <class T>
void min(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y) {
  reduce<Min>(outer, reduced, inner, x, y);
}

template <class T>
void argmax(int64_t outer, int64_t reduced, int64_t inner, const T* x, int64_t* y) {
  if (inner == 0) return;
  const int64_t grain = larger(1, kGrain / (reduced * inner));
  parallel_ranges(outer, grain, [&](int64_t begin, int64_t end) {
    if (inner == 1) {
      for (int64_t o = begin; o < end; ++o) {
        const T* row = x + o * reduced;
        y[o] = find_first(reduced, row, reduce_row<Max>(reduced, row));
      }
    } else {
      Workspace<T> best(static_cast<std::size_t>(inner));
      for (int64_t o = begin; o < end; ++o) {
        argmax_columns(reduced, inner, x + o * reduced * inner, best.data(), y + o * inner);
      }
    }
  });
}

}  // namespace

template <class T>
void sum_per_channel(int64_t batch, int64_t channels, int64_t spatial, const T* x, T* y) {
  if (batch == 1) return sum(channels, spatial, 1, x, y);
  if (spatial == 1) return sum(1, batch, channels, x, y);
  Workspace<T> plane_sums(static_cast<std::size_t>(channels * spatial));
  sum(1, batch, channels * spatial, x, plane_sums.data());
  sum(channels, spatial, 1, static_cast<const T*>(plane_sums.data()), y);
}

template void sum_per_channel(int64_t, int64_t, int64_t, const float*, float*);
TEFF_IF_FLOAT64(template void sum_per_channel(int64_t, int64_t, int64_t, const double*, double*);)

extern constinit const Tables<ReduceKernels> reduce_tables =
    make_tables<ReduceKernels>([]<class T>(T) -> ReduceKernels<T> {
      return {.sum = sum<T>, .max = max<T>, .min = min<T>, .argmax = argmax<T>, .sum_per_channel = sum_per_channel<T>};
    });

}  // namespace teff::kernels::TEFF_ISA
