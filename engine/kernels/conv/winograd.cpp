// SPDX-License-Identifier: MIT
// The tiles of all images are rows of a matrix [tiles, C] for each of the (M + 2)^2 points; its product with the
// transformed weight [C, K] is transformed back to the pixels of [tiles, K]. Vector lanes run along channels in all
// transforms, so that no size of image leaves lanes idle; channels become lanes, and the rows of panels, by transposing
// squares of registers. Tiles are worked on in chunks, to stay in the second level cache: that of one core, if there
// are chunks for all threads.

#include "teff/engine/kernels/conv/winograd.h"

#include "teff/engine/kernels/conv/winograd_transform.h"
#include "teff/engine/kernels/gemm/gemm_pack.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

constexpr int64_t L = kLanes<float>;
constexpr int64_t kColumns = kTileColumns<float>;
constexpr int64_t kPanelsPerTask = 2;

[[gnu::noinline]] void transpose(int64_t rows, int64_t k, const float* from, int64_t ld, float* to, int64_t width) {
  pack_transposed(rows, k, from, ld, to, width);
}

void zero_fill(float* to, int64_t packets) {
  for (int64_t i = 0; i < packets; ++i) pstoreu(to + i * L, splat(0.0F));
}

int64_t tiles(const Window2d& w, int64_t side) {
  return w.batch * ceil_div(w.out_height, side) * ceil_div(w.out_width, side);
}

template <int M>
class Winograd {
 public:
  static constexpr int64_t kSide = M + 2, kPoints = kSide * kSide;

  Winograd(const Window2d& w, float* output)
      : w_(w), tiles_y_(ceil_div(w.out_height, M)), tiles_x_(ceil_div(w.out_width, M)), output_(output) {
    const int64_t fit = larger(kLeastWinogradPanels * kTileRows, kWinogradChunkValues / (kPoints * w.channels));
    chunks_ = parts_of_at_most(tiles(w, M), fit);
    point_step_ = w.channels * smaller(kTileRows, chunks_.longest()) + L;
  }

  /// U[panel of channels][point][C][kColumns]
  static int64_t weight_panel_size(const Window2d& w) { return kPoints * w.channels * kColumns; }

  void run(const float* input, const float* weight, const float* bias, const Clamp<float>& clamp) const {
    if (chunks_.count >= 2 * get_num_threads()) {  // the same chunks, so the same sums either way
      parallel_for(chunks_.count, [&](int64_t i) { run_chunk(i, input, weight, bias, clamp); });
    } else {
      for (int64_t i = 0; i < chunks_.count; ++i) run_chunk(i, input, weight, bias, clamp);
    }
  }

 private:
  struct Chunk {
    int64_t first;  // tile
    Parts panels;   // its tiles
    float* data;    // [panel][point][C][tiles of the panel]
  };

  void run_chunk(int64_t i, const float* input, const float* weight, const float* bias,
                 const Clamp<float>& clamp) const {
    const Parts panels = parts_of_at_most(chunks_.length(i), kTileRows);
    Workspace<float> data(static_cast<std::size_t>(panels.count * kPoints * point_step_));
    const Chunk chunk{chunks_.begin(i), panels, data.data()};
    parallel_for(panels.count, [&](int64_t p) { transform_input(chunk, p, input); });
    const int64_t groups = ceil_div(panels.count, kPanelsPerTask);
    parallel_for(ceil_div(w_.out_channels, kColumns) * groups, [&](int64_t task) {
      const int64_t begin = task % groups * kPanelsPerTask, end = smaller(panels.count, begin + kPanelsPerTask);
      multiply(chunk, task / groups, begin, end, weight, bias, clamp);
    });
  }

  /// Where tile t begins in the output.
  struct Place {
    int64_t image, y, x;
  };
  Place place_of(int64_t tile) const {
    const int64_t row = tile / tiles_x_;
    return {row / tiles_y_, row % tiles_y_ * M, tile % tiles_x_ * M};
  }

  float* panel(const Chunk& chunk, int64_t p) const { return chunk.data + p * kPoints * point_step_; }

  void transform_input(const Chunk& chunk, int64_t p, const float* input) const {
    const int64_t first = chunk.first + chunk.panels.begin(p), count = chunk.panels.length(p);
    float* to = panel(chunk, p);
    const int64_t pitch = (smaller(tiles_x_, count) * M + 2) * L;
    Workspace<float> rows(static_cast<std::size_t>(kSide * pitch));
    Workspace<float> points(static_cast<std::size_t>(kPoints * count * L));
    for (int64_t c = 0; c < w_.channels; c += L) {
      const int64_t channels = smaller(L, w_.channels - c);
      for (int64_t done = 0, run = 0; done < count; done += run) {  // tiles side by side
        const Place place = place_of(first + done);
        run = smaller(tiles_x_ - place.x / M, count - done);
        const float* planes = input + (place.image * w_.channels + c) * w_.height * w_.width;
        read_rows(planes, channels, place, run * M + 2, rows.data(), pitch);
        for (int64_t t = 0; t < run; ++t) {
          winograd_input<float, M>(rows.data() + t * M * L, pitch, points.data() + (done + t) * L, count * L);
        }
      }
      for (int64_t e = 0; e < kPoints; ++e) {
        transpose(count, channels, points.data() + e * count * L, L, to + e * point_step_ + c * count, count);
      }
    }
  }

  /// The pixels under tiles from `place` on, [kSide, width, L]: lanes are channels, zeros around the image.
  void read_rows(const float* planes, int64_t channels, const Place& place, int64_t width, float* to,
                 int64_t pitch) const {
    const int64_t x = place.x - w_.padding_width, begin = larger(0, -x);
    const int64_t end = larger(begin, smaller(width, w_.width - x));
    for (int64_t i = 0; i < kSide; ++i, to += pitch) {
      const int64_t y = place.y - w_.padding_height + i;
      if (y < 0 || y >= w_.height || begin >= end) {
        zero_fill(to, width);
        continue;
      }
      zero_fill(to, begin);
      transpose(channels, end - begin, planes + y * w_.width + x + begin, w_.height * w_.width, to + begin * L, L);
      zero_fill(to + end * L, width - end);
    }
  }

  /// The channels of one panel of weights for the tiles of some panels.
  void multiply(const Chunk& chunk, int64_t channel_panel, int64_t begin, int64_t end, const float* weight,
                const float* bias, const Clamp<float>& clamp) const {
    constexpr int64_t kStep = (kPoints + 1) * kColumns;  // not a power of two: rows would share cache lines
    const int64_t first_tile = chunk.panels.begin(begin), count = chunk.panels.begin(end) - first_tile;
    const int64_t channel = channel_panel * kColumns, channels = smaller(kColumns, w_.out_channels - channel);
    Workspace<float> products(static_cast<std::size_t>(count * kStep));
    weight += channel_panel * weight_panel_size(w_);
    for (int64_t e = 0; e < kPoints; ++e) {
      for (int64_t p = begin; p < end; ++p) {
        multiply_tile<float>(chunk.panels.length(p),
                             {.k = w_.channels,
                              .a = panel(chunk, p) + e * point_step_,
                              .b = weight + e * w_.channels * kColumns,
                              .b_stride = kColumns,
                              .offsets = nullptr,
                              .c = products.data() + (chunk.panels.begin(p) - first_tile) * kStep + e * kColumns,
                              .ldc = kStep,
                              .columns = ceil_div(channels, L) * L,
                              .accumulate = false,
                              .row_bias = nullptr,
                              .column_bias = nullptr,
                              .clamp = {}});
      }
    }
    for (int64_t c = 0; c < channels; c += L) {
      const int64_t lanes = smaller(L, channels - c);
      const Packet<float> added = bias == nullptr ? splat(0.0F) : load_some(bias, channel + c, lanes);
      for (int64_t t = 0; t < count; ++t) {
        alignas(64) float pixels[M * M * L], planes[L * M * M + L];
        winograd_output<float, M>(products.data() + t * kStep + c, kColumns, added, clamp, pixels);
        transpose(M * M, lanes, pixels, L, planes, M * M);
        write(planes, lanes, channel + c, place_of(chunk.first + first_tile + t));
      }
    }
  }

  /// from: [channels, M, M]
  void write(const float* from, int64_t channels, int64_t channel, const Place& place) const {
    const int64_t height = smaller(M, w_.out_height - place.y), width = smaller(M, w_.out_width - place.x);
    const int64_t plane = w_.out_height * w_.out_width;
    float* to = output_ + (place.image * w_.out_channels + channel) * plane + place.y * w_.out_width + place.x;
    for (int64_t c = 0; c < channels; ++c, from += M * M, to += plane) {
      for (int64_t y = 0; y < height; ++y) {
        float* row = to + y * w_.out_width;
        if (width == M) {
          __builtin_memcpy(row, from + y * M, M * sizeof(float));
        } else {
          for (int64_t x = 0; x < width; ++x) row[x] = from[y * M + x];
        }
      }
    }
  }

  const Window2d& w_;
  int64_t tiles_y_, tiles_x_;
  float* output_;
  Parts chunks_{};  // of tiles
  int64_t point_step_ = 0;
};

constexpr int64_t kTaps = 9;

/// taps[c, tap, L]: those of some channels for the filters that the lanes are.
using ReadTaps = void (*)(const Window2d& w, const float* weight, int64_t filter, int64_t filters, int64_t channel,
                          int64_t channels, float* taps);

void read_taps(const Window2d& w, const float* weight, int64_t filter, int64_t filters, int64_t channel,
               int64_t channels, float* taps) {
  const int64_t size = w.channels * kTaps;
  transpose(filters, channels * kTaps, weight + filter * size + channel * kTaps, size, taps, L);
}

/// Filters are channels there, and the last tap is the first.
void read_turned_taps(const Window2d& w, const float* weight, int64_t filter, int64_t filters, int64_t channel,
                      int64_t channels, float* taps) {
  alignas(64) float turned[(kTaps + 1) * L];
  for (int64_t c = 0; c < channels; ++c) {
    transpose(filters, kTaps, weight + ((channel + c) * w.out_channels + filter) * kTaps, kTaps, turned, L);
    for (int64_t tap = 0; tap < kTaps; ++tap, taps += L) pstoreu(taps, load(turned, (kTaps - 1 - tap) * L));
  }
}

template <int M>
void pack(const Window2d& w, const float* weight, ReadTaps read, float* packed) {
  constexpr int64_t kBlock = 16;  // channels transposed at once
  const int64_t panel_size = Winograd<M>::weight_panel_size(w);
  parallel_for(ceil_div(w.out_channels, L), [&](int64_t i) {
    float* to = packed + i * L / kColumns * panel_size + i * L % kColumns;
    alignas(64) float taps[kBlock * kTaps * L];
    for (int64_t c = 0; c < w.channels; c += kBlock) {
      const int64_t channels = smaller(kBlock, w.channels - c);
      read(w, weight, i * L, smaller(L, w.out_channels - i * L), c, channels, taps);
      for (int64_t j = 0; j < channels; ++j) {
        winograd_weight<float, M>(taps + j * kTaps * L, to + (c + j) * kColumns, w.channels * kColumns);
      }
    }
  });
}

void pack(const Window2d& w, const float* weight, ReadTaps read, float* packed) {
  winograd_tile<float>(w) == 2 ? pack<2>(w, weight, read, packed) : pack<4>(w, weight, read, packed);
}

}  // namespace

template <>
int64_t winograd_tile<double>(const Window2d&) {
  return 0;
}

template <>
int64_t winograd_tile<float>(const Window2d& w) {
  const bool fits = w.winograd && w.kernel_height == 3 && w.kernel_width == 3 && w.stride_height == 1 &&
                    w.stride_width == 1 && w.dilation_height == 1 && w.dilation_width == 1 && w.groups == 1;
  const int64_t filters = w.channels * w.out_channels, pixels = w.batch * w.out_height * w.out_width;
  if (!fits || w.channels < 16 || w.out_channels < 32 || filters < 1024 || pixels < 36) return 0;
  // Products for each pair of channels. To read weights that no cache near the core holds takes as long as some tiles.
  const int64_t reading = filters < kManyWinogradWeights ? 0 : kWinogradReading;
  return Winograd<2>::kPoints * (tiles(w, 2) + reading) < Winograd<4>::kPoints * (tiles(w, 4) + reading) ? 2 : 4;
}

int64_t winograd_packed_size(const Window2d& w) {
  const int64_t panels = ceil_div(w.out_channels, kColumns);
  const bool small = winograd_tile<float>(w) == 2;
  return panels * (small ? Winograd<2>::weight_panel_size(w) : Winograd<4>::weight_panel_size(w));
}

void winograd_pack(const Window2d& w, const float* weight, float* packed) { pack(w, weight, read_taps, packed); }

void winograd_pack_turned(const Window2d& w, const float* weight, float* packed) {
  pack(w, weight, read_turned_taps, packed);
}

void winograd(const Window2d& w, const float* input, const float* packed, const float* bias, const Clamp<float>& clamp,
              float* output) {
  if (winograd_tile<float>(w) == 2) {
    Winograd<2>(w, output).run(input, packed, bias, clamp);
  } else {
    Winograd<4>(w, output).run(input, packed, bias, clamp);
  }
}

}  // namespace teff::kernels::TEFF_ISA
