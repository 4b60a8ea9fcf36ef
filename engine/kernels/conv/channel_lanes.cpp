// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/channel_lanes.h"

#include "teff/engine/build.h"
#include "teff/engine/kernels/conv/image_lanes.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

constexpr int64_t kMaxSums = kTileRows * kTilePackets;  // packets of a tile
constexpr int64_t kMaxPixels = kTileRows;               // of a row, in a tile

/// sums[packet, pixel, lane] = start[packet, lane] or += sum over k of weight[k, packet, lane] * strip[offsets[k] +
/// pixel]
template <class T>
struct ChannelTile {
  int64_t depth;
  const T* weight;
  const T* strip;
  const int64_t* offsets;
  T* sums;
  int64_t sums_step;  // from one packet to the next
  const T* start;     // null: the sums go on
  Clamp<T> clamp;
  const T* ahead;  // asked for meanwhile: [depth], ahead_step apart
  int64_t ahead_step;
};

template <class T, int Packets, int Pixels>
void channel_kernel(const ChannelTile<T>& tile) {
  constexpr int64_t L = kLanes<T>;
  Packet<T> sums[Packets][Pixels];
  TEFF_UNROLL
  for (int p = 0; p < Packets; ++p) {
    TEFF_UNROLL
    for (int i = 0; i < Pixels; ++i) {
      sums[p][i] = tile.start != nullptr ? load(tile.start, p * L) : load(tile.sums, p * tile.sums_step + i * L);
    }
  }
  const T *weight = tile.weight, *ahead = tile.ahead;
  for (int64_t k = 0; k < tile.depth; ++k, weight += Packets * L, ahead += tile.ahead_step) {
    __builtin_prefetch(ahead, 0, 2);
    const T* pixel = tile.strip + tile.offsets[k];
    Packet<T> factors[Packets];
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) factors[p] = load(weight, p * L);
    TEFF_UNROLL
    for (int i = 0; i < Pixels; ++i) {
      const Packet<T> value = splat(pixel[i]);
      TEFF_UNROLL
      for (int p = 0; p < Packets; ++p) sums[p][i] = pmadd(value, factors[p], sums[p][i]);
    }
  }
  TEFF_UNROLL
  for (int p = 0; p < Packets; ++p) {
    TEFF_UNROLL
    for (int i = 0; i < Pixels; ++i) {
      pstoreu(tile.sums + p * tile.sums_step + i * L, clamped(sums[p][i], tile.clamp));
    }
  }
}

template <class T>
using ChannelKernel = void (*)(const ChannelTile<T>&);

/// table[packets - 1][pixels - 1]; null for tiles that the registers do not hold.
template <class T>
struct ChannelKernels {
  static constexpr int kMaxPackets = static_cast<int>(ChannelLayout<T>::kMaxPackets);
  ChannelKernel<T> table[kMaxPackets][kMaxPixels] = {};

  constexpr ChannelKernels() { fill<1, 1>(); }

 private:
  template <int Packets, int Pixels>
  constexpr void fill() {
    table[Packets - 1][Pixels - 1] = &channel_kernel<T, Packets, Pixels>;
    if constexpr (Pixels < kMaxPixels && Packets * (Pixels + 1) <= kMaxSums) {
      fill<Packets, Pixels + 1>();
    } else if constexpr (Packets < kMaxPackets) {
      fill<Packets + 1, 1>();
    }
  }
};

template <class T>
constexpr ChannelKernels<T> kKernels;

template <class T>
class ChannelCorrelation {
 public:
  ChannelCorrelation(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x,
                     const ChannelLayout<T>& weight)
      : c_(c),
        weight_(weight),
        rows_(row_chunks(c.batch, channels, y, x, weight)),
        columns_(channels, y, x, rows_.longest()),
        start_(static_cast<std::size_t>(weight.packets() * kLanes<T>)) {
    const int64_t lanes = weight.packets() * kLanes<T>;
    for (int64_t k = 0; k < lanes; ++k) {
      start_.data()[k] = c.bias == nullptr || k >= weight.out_channels() ? T(0) : c.bias[k];
    }
  }

  void run() {
    const int64_t strips = c_.batch * rows_.count;
    const auto task = [&](int64_t i) {
      run_rows(i / rows_.count, rows_.begin(i % rows_.count), rows_.begin(i % rows_.count + 1));
    };
    if (strips >= smaller(2 * get_num_threads(), weight_.panels())) return parallel_for(strips, task);
    // The panels of each strip are more tasks.
    for (int64_t i = 0; i < strips; ++i) task(i);
  }

 private:
  static Parts row_chunks(int64_t batch, int64_t channels, const Axis& y, const Axis& x,
                          const ChannelLayout<T>& weight) {
    const int64_t sums = x.out * kLanes<T> * ChannelLayout<T>::kMaxPackets;
    const int64_t row = larger(scratch_size({channels, CopiedAxis(x).places(x.out), x.phases(), y.phases()}), sums);
    const int64_t rows = kSecondLevelBytes / static_cast<int64_t>(sizeof(T)) / row - CopiedAxis(y).extent(0);
    Parts chunks = parts_of_at_most(y.out, larger(kLeastStripRows, rows));
    const int64_t work = batch * y.out * x.out * weight.out_channels() * weight.depth();
    const int64_t wanted = smaller(2 * get_num_threads(), work / kMultiplyAddsPerTask);
    if (get_num_threads() > 1 && weight.panels() < wanted) {  // the sums are the same, however it is cut
      const int64_t least = y.taps == 1 ? 1 : kLeastStripRows;
      chunks.count = larger(chunks.count, smaller(ceil_div(wanted, batch), y.out / least));
    }
    return chunks;
  }

  int64_t width() const { return columns_.x().out; }

  void run_rows(int64_t image, int64_t begin, int64_t end) {
    Workspace<T> buffer(static_cast<std::size_t>(columns_.strip_size(columns_.channels())));
    const T* from = c_.input + image * c_.input_step;
    const T* strip = columns_.strip(from, columns_.channels(), begin, end - begin, buffer.data());
    T* to = c_.output.data + image * c_.output_step + begin * c_.output.row;
    const int64_t work = weight_.out_channels() * (end - begin) * width() * columns_.depth();
    const Parts panels{weight_.panels(), smaller(weight_.panels(), ceil_div(work, kMultiplyAddsPerTask))};
    parallel_for(panels.count, [&](int64_t i) {
      for (int64_t p = panels.begin(i); p < panels.begin(i + 1); ++p) run_panel(p, strip, end - begin, to);
    });
  }

  void run_panel(int64_t panel, const T* strip, int64_t rows, T* to) {
    constexpr int64_t L = kLanes<T>;
    const int64_t pixels = rows * width();
    Workspace<T> sums(static_cast<std::size_t>(pixels * weight_.width(panel)));
    multiply(panel, strip, rows, sums.data());
    for (int64_t lane = 0; lane < weight_.rows(panel); lane += L) {
      T* channel = to + (weight_.begin(panel) + lane) * c_.output.channel;
      scatter(sums.data() + lane * pixels, smaller(L, weight_.rows(panel) - lane), rows, channel);
    }
  }

  /// sums [packets of the panel, pixels, lanes]. Blocks of depth keep the panel in the second level cache; its first
  /// tiles bring the weights there that follow.
  void multiply(int64_t panel, const T* strip, int64_t rows, T* sums) {
    constexpr int64_t L = kLanes<T>;
    const int64_t lanes = weight_.width(panel), packets = lanes / L;
    const Parts depths = parts_of_at_most(columns_.depth(), kBlockDepth);
    const Parts parts = parts_of_at_most(width(), smaller(kMaxPixels, kMaxSums / packets));
    for (int64_t block = 0; block < depths.count; ++block) {
      const T* weight = c_.weight + weight_.offset(panel) + depths.begin(block) * lanes;
      const bool is_last = block + 1 == depths.count;
      const bool is_end = is_last && panel + 1 == weight_.panels();
      const T* next = weight + (is_end ? 0 : depths.length(block) * lanes);
      for (int64_t i = 0; i < rows * parts.count; ++i) {
        const int64_t row = i / parts.count, x = parts.begin(i % parts.count);
        const ChannelKernel<T> kernel = kKernels<T>.table[packets - 1][parts.length(i % parts.count) - 1];
        kernel({.depth = depths.length(block),
                .weight = weight,
                .strip = strip + row * columns_.pitch() + x,
                .offsets = columns_.offsets() + depths.begin(block),
                .sums = sums + (row * width() + x) * L,
                .sums_step = rows * width() * L,
                .start = block == 0 ? start_.data() + weight_.begin(panel) : nullptr,
                .clamp = is_last ? c_.clamp : Clamp<T>{},
                .ahead = i < packets && !is_end ? next + i * L : weight,
                .ahead_step = i < packets && !is_end ? lanes : 0});
      }
    }
  }

  /// Lane i of every pixel to channel i.
  void scatter(const T* sums, int64_t lanes, int64_t rows, T* to) {
    const int64_t pixels = rows * width();
    if (c_.output.column == 1 && c_.output.row == width()) {
      return scatter_lanes(sums, lanes, c_.output.channel, pixels, to);
    }
    Workspace<T> dense(static_cast<std::size_t>(lanes * pixels));
    scatter_lanes(sums, lanes, pixels, pixels, dense.data());
    const T* from = dense.data();
    for (int64_t k = 0; k < lanes; ++k) {
      for (int64_t y = 0; y < rows; ++y) {
        T* row = to + k * c_.output.channel + y * c_.output.row;
        for (int64_t x = 0; x < width(); ++x) row[x * c_.output.column] = *from++;
      }
    }
  }

  const Correlation<T>& c_;
  const ChannelLayout<T>& weight_;
  Parts rows_;  // in strips
  Columns<T> columns_;
  Workspace<T> start_;  // the bias of every lane
};

}  // namespace

template <class T>
void correlate_channels(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x,
                        const ChannelLayout<T>& weight) {
  if (c.batch * y.out * x.out > 0) ChannelCorrelation<T>(c, channels, y, x, weight).run();
}

template void correlate_channels(const Correlation<float>&, int64_t, const Axis&, const Axis&,
                                 const ChannelLayout<float>&);

}  // namespace teff::kernels::TEFF_ISA
