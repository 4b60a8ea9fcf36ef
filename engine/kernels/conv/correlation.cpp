// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/correlation.h"

#include "teff/engine/build.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// The positions of an output (see im2col.h) and how they and its channels are cut: one task for each pair of chunks.
struct PixelPlan {
  bool in_place;          // B is read from the planes, not packed
  bool by_panel;          // a panel of channels does all positions before the next: fewer rows are written at a time
  bool row_tiles;         // no tile goes on in the next row: gaps between rows are skipped, not computed
  int64_t width;          // positions of a row
  Parts channel_tasks;    // panels, into tasks
  Parts position_chunks;  // rows, if there are gaps between them, or tiles, into tasks
};

/// Packets that hold the rows one by one, and in one piece with the gaps between them.
template <class T>
int64_t packets_by_row(const Axis& y, const Axis& x) {
  return y.out * ceil_div(x.out, kLanes<T>);
}
template <class T>
int64_t packets_with_gaps(const Axis& y, const Axis& x, int64_t pitch) {
  return ceil_div((y.out - 1) * pitch + x.out, kLanes<T>);
}

/// Tiles with gaps are written twice.
template <class T>
bool prefer_rows(const Axis& y, const Axis& x, int64_t pitch) {
  return static_cast<double>(packets_by_row<T>(y, x)) <= 1.1 * static_cast<double>(packets_with_gaps<T>(y, x, pitch));
}

/// Writing the result is most of the work.
bool is_shallow(const Axis& y, const Axis& x, int64_t depth) { return y.taps * x.taps == 1 && depth <= kShallowDepth; }

/// Packing costs about half a cycle a value, which for few output channels is more than the multiplications; a shallow
/// product gains nothing from it. Then the planes serve as they are, and lanes that hold no output are computed, too.
template <class T>
bool worth_in_place(int64_t out_channels, const Axis& y, const Axis& x, int64_t depth, int64_t packets) {
  const int64_t pixels = y.out * x.out;
  const auto idle = static_cast<double>(packets * kLanes<T> - pixels);
  return (out_channels <= kFewChannels || is_shallow(y, x, depth)) &&
         static_cast<double>(out_channels) * idle <= 8 * static_cast<double>(pixels);
}

template <class T>
PixelPlan plan_pixels(int64_t batch, const Parts& panels, const Axis& y, const Axis& x, int64_t pitch, int64_t depth,
                      bool direct) {
  PixelPlan plan;
  const bool by_row = direct && prefer_rows<T>(y, x, pitch);
  const int64_t packets = by_row ? packets_by_row<T>(y, x) : packets_with_gaps<T>(y, x, pitch);
  plan.in_place = worth_in_place<T>(panels.size, y, x, depth, packets);
  plan.by_panel = plan.in_place && is_shallow(y, x, depth);
  plan.row_tiles = plan.in_place && by_row && pitch != x.out;
  plan.width = plan.in_place ? pitch : x.out;
  const int64_t pixels = y.out * x.out, unit = plan.width == x.out ? kTileColumns<T> : x.out;
  const int64_t units = ceil_div(pixels, unit);
  Parts channels{panels.count, 1};
  Parts positions = parts_of_at_most(units, larger(1, kChunkPixels / unit));
  const int64_t per_task = larger(1, kMultiplyAddsPerTask / larger(1, depth));
  const int64_t tasks = smaller(kMaxTasks, batch * panels.size * pixels / per_task);
  const int64_t wanted = get_num_threads() == 1 ? 1 : tasks;  // how an image is cut changes no bit of it
  while (batch * channels.count * positions.count < wanted) {
    const bool channels_left = (channels.count + 1) * kLeastChunkChannels <= panels.size;
    const bool positions_left = positions.count < positions.size && (positions.count + 1) * kLeastChunkPixels <= pixels;
    if (!channels_left && !positions_left) break;
    const bool positions_longer = pixels / positions.count >= panels.size / channels.count;
    ++(positions_left && (positions_longer || !channels_left) ? positions : channels).count;
  }
  plan.channel_tasks = channels;
  plan.position_chunks = positions;
  return plan;
}

template <class T>
class CorrelationTask {
 public:
  CorrelationTask(const Correlation<T>& c, const PixelPlan& plan, const Columns<T>& columns,
                  const WeightLayout<T>& weight)
      : c_(c), plan_(plan), columns_(columns), weight_(weight), out_width_(columns.x().out) {}

  /// The panels of channels [first_panel, last_panel) at the positions [begin, end) of image n.
  void run(int64_t n, int64_t first_panel, int64_t last_panel, int64_t begin, int64_t end) {
    const int64_t row = begin / plan_.width, rows = (end - 1) / plan_.width - row + 1;
    Workspace<T> buffer(static_cast<std::size_t>(columns_.strip_size(columns_.channels())));
    const T* image = c_.input + n * c_.input_step;
    const T* strip = columns_.strip(image, columns_.channels(), row, rows, buffer.data());
    const T* strip_end = strip == buffer.data() ? strip + columns_.strip_size(columns_.channels()) : c_.input_end;

    const bool direct = plan_.row_tiles || (c_.output.column == 1 && c_.output.row == plan_.width);
    const Parts& panels = weight_.panels();
    const int64_t channel = panels.begin(first_panel), channels = panels.begin(last_panel) - channel;
    // Chunks of channels whose weights stay in the second level. The first packs all tiles of B if others want them.
    const Parts chunks = plan_.by_panel ? Parts{last_panel - first_panel, last_panel - first_panel}
                                        : parts_of_at_most(last_panel - first_panel, kChunkChannels / kTileRows);
    const int64_t tile = weight_.depths().longest() * kTileColumns<T>;
    const int64_t kept = chunks.count == 1 || plan_.in_place ? 1 : ceil_div(end - begin, kTileColumns<T>);
    Workspace<T> packed(static_cast<std::size_t>(kept * tile + kLanes<T>));
    Workspace<T> dense(static_cast<std::size_t>(direct ? 0 : channels * (end - begin)));
    T* to = c_.output.data + n * c_.output_step + channel * c_.output.channel;
    const Chunk chunk{.begin = begin,
                      .end = end,
                      .strip_begin = row * plan_.width,
                      .strip = strip,
                      .strip_end = strip_end,
                      .packed = packed.data(),
                      .packed_step = kept == 1 ? 0 : tile,
                      .direct = direct,
                      .to = direct ? to : dense.data(),
                      .channel = channel,
                      .ldc = direct ? c_.output.channel : end - begin};
    for (int64_t block = 0; block < weight_.depths().count; ++block) {
      for (int64_t i = 0; i < chunks.count; ++i) {
        const int64_t panel = first_panel + chunks.begin(i);
        multiply_panels(chunk, block, panel, panel + chunks.length(i), i > 0 && kept > 1);
      }
    }
    if (!direct) spread(dense.data(), channels, begin, end, to);
  }

 private:
  struct Depths {
    int64_t first, count;
  };

  /// Where a task reads and writes.
  struct Chunk {
    int64_t begin, end;   // positions
    int64_t strip_begin;  // the position that the strip begins with
    const T *strip, *strip_end;
    T* packed;  // for tiles of B, so far from one to the next, which is 0 if one is kept
    int64_t packed_step;
    bool direct;  // to the output, or else to a dense copy of the chunk
    T* to;
    int64_t channel, ldc;  // the first of its channels, elements from one to the next
  };

  void multiply_panels(const Chunk& chunk, int64_t block, int64_t first_panel, int64_t last_panel, bool is_packed) {
    T* to = chunk.to + (weight_.panels().begin(first_panel) - chunk.channel) * chunk.ldc;
    for (int64_t position = chunk.begin, count = 0; position < chunk.end; position = next_tile(position + count)) {
      count = smaller(kTileColumns<T>, end_of_tiles(position, chunk.end) - position);
      const int64_t in_strip = position - chunk.strip_begin;
      const Depths depths = depths_of(block, position, count);
      T* tile = to + (chunk.direct ? place_of(position) : position - chunk.begin);
      T* const packed = chunk.packed + (position - chunk.begin) / kTileColumns<T> * chunk.packed_step;
      const T* b = packed;
      const int64_t* offsets = nullptr;
      const int64_t second = second_row(chunk, position, count);
      if (plan_.in_place && columns_.readable(chunk.strip, chunk.strip_end, in_strip, count)) {
        b = chunk.strip + in_strip;
        offsets = columns_.offsets() + depths.first;
      } else if (!is_packed) {
        columns_.pack(chunk.strip, chunk.strip_end, depths.first, depths.count, plan_.width, in_strip, count, packed);
      }
      multiply_tiles(block, depths, first_panel, last_panel, b, offsets, tile, chunk.ldc, count, second);
      count += second;
    }
  }

  /// Where the tiles end that begin at `position`, and where the next one begins.
  int64_t end_of_tiles(int64_t position, int64_t end) const {
    return plan_.row_tiles ? smaller(end, position / plan_.width * plan_.width + out_width_) : end;
  }
  int64_t next_tile(int64_t position) const {
    const bool row_is_done = plan_.row_tiles && position % plan_.width == out_width_;
    return row_is_done ? position + plan_.width - out_width_ : position;
  }
  int64_t place_of(int64_t position) const {
    return plan_.row_tiles ? position / plan_.width * c_.output.row + position % plan_.width : position;
  }

  /// How far on the row lies that a tile of `count` columns takes as its second; 0: it has one row.
  int64_t second_row(const Chunk& chunk, int64_t position, int64_t count) const {
    const bool whole_row = plan_.row_tiles && count == out_width_ && position + plan_.width < chunk.end;
    if (!whole_row || columns_.y().outermost || weight_.panels().longest() > kHalfRows) return 0;
    const int64_t in_strip = position - chunk.strip_begin + plan_.width;
    return columns_.readable(chunk.strip, chunk.strip_end, in_strip, count) ? plan_.width : 0;
  }

  /// Those of a block that are worth multiplying for these positions: where the taps of y are the slowest index, those
  /// that see only padding lie together and are left out.
  Depths depths_of(int64_t block, int64_t position, int64_t count) const {
    const int64_t first = weight_.depths().begin(block), end = weight_.depths().begin(block + 1);
    const Axis& y = columns_.y();
    if (!y.outermost) return {first, end - first};
    const int64_t tap = columns_.depth() / y.taps;
    const int64_t from = larger(first, y.first_tap((position + count - 1) / plan_.width) * tap);
    const int64_t to = smaller(end, y.end_tap(position / plan_.width) * tap);
    return from < to ? Depths{from, to - from} : Depths{first, 0};
  }

  void multiply_tiles(int64_t block, const Depths& depths, int64_t first_panel, int64_t last_panel, const T* b,
                      const int64_t* offsets, T* c, int64_t ldc, int64_t columns, int64_t second) {
    const Parts& panels = weight_.panels();
    const int64_t skipped = depths.first - weight_.depths().begin(block);
    const bool last = block + 1 == weight_.depths().count;
    for (int64_t p = first_panel; p < last_panel; ++p) {
      multiply_tile<T>(panels.length(p), {.k = depths.count,
                                          .a = c_.weight + weight_.panel(block, p) + skipped * panels.length(p),
                                          .b = b,
                                          .b_stride = kTileColumns<T>,
                                          .offsets = offsets,
                                          .c = c + (panels.begin(p) - panels.begin(first_panel)) * ldc,
                                          .ldc = ldc,
                                          .columns = columns,
                                          .accumulate = block > 0,
                                          .row_bias = last && c_.bias != nullptr ? c_.bias + panels.begin(p) : nullptr,
                                          .column_bias = nullptr,
                                          .clamp = last ? c_.clamp : Clamp<T>{},
                                          .b_second = second,
                                          .c_second = c_.output.row});
    }
  }

  /// Writes [channels, end - begin] positions to where they belong; those between two rows belong nowhere.
  void spread(const T* from, int64_t channels, int64_t begin, int64_t end, T* to) const {
    const int64_t step = c_.output.column;
    for (int64_t c = 0; c < channels; ++c, to += c_.output.channel) {
      T* row = to + begin / plan_.width * c_.output.row;
      int64_t x = begin % plan_.width, next = 0;
      for (int64_t position = begin; position < end; position += next, row += c_.output.row, x = 0) {
        next = smaller(plan_.width - x, end - position);
        const int64_t length = smaller(next, out_width_ - x);
        if (step == 1) {
          for (int64_t i = 0; i < length; i += kLanes<T>) {
            const int64_t count = smaller(kLanes<T>, length - i);
            store_some(row + x, i, count, load_some(from, i, count));
          }
        } else {
          for (int64_t i = 0; i < length; ++i) row[(x + i) * step] = from[i];
        }
        from += next;
      }
    }
  }

  const Correlation<T>& c_;
  const PixelPlan& plan_;
  const Columns<T>& columns_;
  const WeightLayout<T>& weight_;
  int64_t out_width_;
};

/// Multiplications of packets for one image, without those for padding; packing counts as 8 for each packet.
template <class T>
double cost_of_pixels(const Axis& y, const Axis& x, int64_t out_channels, int64_t depth) {
  const int64_t pitch = Columns<T>::pitch(y, x);
  const bool by_row = prefer_rows<T>(y, x, pitch);
  const int64_t packets = by_row ? packets_by_row<T>(y, x) : packets_with_gaps<T>(y, x, pitch);
  const double taps = static_cast<double>(depth), rows = static_cast<double>(out_channels);
  if (worth_in_place<T>(out_channels, y, x, depth, packets)) return taps * static_cast<double>(packets) * rows;
  return taps * static_cast<double>(ceil_div(y.out * x.out, kLanes<T>)) * (rows + 8);
}

constexpr double smaller_cost(double a, double b) { return b < a ? b : a; }

/// Of all places times taps of an axis of stride 1, the part that sees more than padding.
double part_inside(const Axis& axis) {
  int64_t inside = 0;
  for (int64_t tap = 0; tap < axis.taps; ++tap) {
    const int64_t first = axis.start + tap * axis.spacing;
    inside += larger(0, smaller(axis.out, axis.source - first) - larger(0, -first));
  }
  return static_cast<double>(inside) / static_cast<double>(axis.out * axis.taps);
}

}  // namespace

template <class T>
Lanes best_lanes(int64_t batch, int64_t channels, const Axis& y, const Axis& x, int64_t out_channels, bool dense) {
  constexpr int64_t L = kLanes<T>;
  const int64_t pixels = y.out * x.out, depth = channels * y.taps * x.taps;
  const int64_t in_size = channels * y.source * x.source, out_size = out_channels * pixels;
  const double pixels_cost = cost_of_pixels<T>(y, x, out_channels, depth);
  const double in_moved = kCyclesPerLaneValue * static_cast<double>(in_size);
  const double out_moved = kCyclesPerLaneValue * static_cast<double>(out_size);
  const double channels_cost = (y.taps * x.taps == 1 ? kCostOfProduct : kCostOfWindow) *
                                   static_cast<double>(depth * pixels * ceil_div(out_channels, L)) +
                               out_moved / 2;
  const bool images_fit = (in_size + out_size) * L * static_cast<int64_t>(sizeof(T)) <= kSecondLevelBytes;
  if (dense && batch >= L && x.stride == 1 && out_channels <= kFewChannels && images_fit) {
    // The gradient of an input (conv2d_input.cpp) leaves out what multiplies zeros.
    const double used = y.outermost ? part_inside(y) * part_inside(x) : 1;
    const double products = used * static_cast<double>(depth * out_size) / static_cast<double>(L);
    const double images_cost = products + in_moved + out_moved;
    if (images_cost * 1.1 < smaller_cost(pixels_cost, channels_cost)) return Lanes::images;
  }
  return kHasEveryWay<T> && channels_cost < pixels_cost ? Lanes::channels : Lanes::pixels;
}

template <class T>
void correlate(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x, const WeightLayout<T>& weight,
               Lanes lanes) {
  if (c.batch == 0 || y.out * x.out == 0) return;
  if (lanes == Lanes::images) {
    const auto correlate_rows = [&](Correlation<T>& block, int64_t begin, int64_t end) {
      block.output.data += begin * block.output.row;
      correlate(block, channels, y.part(begin, end), lanes_axis<T>(x), weight, Lanes::pixels);
    };
    const int64_t done = for_image_blocks(c, channels, weight.panels().size, y, x, correlate_rows);
    return correlate(c.without(done), channels, y, x, weight, Lanes::pixels);
  }
  const PixelPlan plan = plan_pixels<T>(c.batch, weight.panels(), y, x, Columns<T>::pitch(y, x), weight.depths().size,
                                        c.output.column == 1);
  const Parts &channel_tasks = plan.channel_tasks, &position_chunks = plan.position_chunks;
  // Without gaps, chunks of positions are cut anywhere in a row; with gaps, they are whole rows without the last gap.
  const bool gaps = plan.width != x.out;
  const int64_t unit = gaps ? plan.width : kTileColumns<T>, last = (y.out - 1) * plan.width + x.out;
  const int64_t rows = gaps ? position_chunks.longest() : (position_chunks.longest() * unit - 2) / x.out + 2;
  Columns<T> columns(channels, y, x, smaller(y.out, rows));
  parallel_for(c.batch * channel_tasks.count * position_chunks.count, [&](int64_t i) {
    const int64_t image = i / (channel_tasks.count * position_chunks.count);
    const int64_t channel_task = i % channel_tasks.count;
    const int64_t position_chunk = i / channel_tasks.count % position_chunks.count;
    const int64_t begin = position_chunks.begin(position_chunk) * unit;
    const int64_t end = position_chunks.begin(position_chunk + 1) * unit - (gaps ? plan.width - x.out : 0);
    CorrelationTask<T>(c, plan, columns, weight)
        .run(image, channel_tasks.begin(channel_task), channel_tasks.begin(channel_task + 1), begin,
             smaller(last, end));
  });
}

template Lanes best_lanes<float>(int64_t, int64_t, const Axis&, const Axis&, int64_t, bool);
TEFF_IF_FLOAT64(template Lanes best_lanes<double>(int64_t, int64_t, const Axis&, const Axis&, int64_t, bool);)
template void correlate(const Correlation<float>&, int64_t, const Axis&, const Axis&, const WeightLayout<float>&,
                        Lanes);
TEFF_IF_FLOAT64(template void correlate(const Correlation<double>&, int64_t, const Axis&, const Axis&,
                                        const WeightLayout<double>&, Lanes);)

}  // namespace teff::kernels::TEFF_ISA
