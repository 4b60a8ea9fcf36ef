// SPDX-License-Identifier: MIT
#pragma once

// What a convolution and the gradient of its input have in common.

#include "teff/engine/kernels/conv/im2col.h"
#include "teff/engine/kernels/conv/image_lanes.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {

/// The weights of a group, a matrix [out_channels, depth], as multiply_tile wants them: for every block of depth the
/// panels of rows one after the other, each in the order of packing.
template <class T>
class WeightLayout {
 public:
  WeightLayout(int64_t out_channels, int64_t depth)
      : panels_(parts_of_at_most(out_channels, kTileRows)), depths_(parts_of_at_most(depth, kBlockDepth)) {}

  const Parts& panels() const { return panels_; }
  const Parts& depths() const { return depths_; }
  int64_t size() const { return panels_.size * depths_.size + panels_.count * depths_.count * kLanes<T>; }
  int64_t panel(int64_t block, int64_t p) const {
    return depths_.begin(block) * panels_.size + (block * panels_.count + p) * kLanes<T> +
           panels_.begin(p) * depths_.length(block);
  }

 private:
  Parts panels_, depths_;
};

/// Where the results of a correlation go: pixel (y, x) of channel c to data[c * channel + y * row + x * column].
template <class T>
struct OutputPlace {
  T* data;
  int64_t channel, row, column;
};

/// out[n, m, pixel] = sum over kk of weight[m, kk] * cols(in[n])[kk, pixel] + bias[m], clamped.
template <class T>
struct Correlation {
  int64_t batch;
  const T* input;
  int64_t input_step, output_step;  // elements from one image to the next
  const T* input_end;               // of the whole array
  OutputPlace<T> output;
  const T* weight;  // packed
  const T* bias;    // [out_channels] or null
  Clamp<T> clamp;

  /// What is left when the first images are done.
  Correlation without(int64_t images) const {
    Correlation rest = *this;
    rest.batch -= images;
    rest.input += images * input_step;
    rest.output.data += images * output_step;
    return rest;
  }
};

/// What the lanes of a packet hold: pixels of a row, one pixel of as many images (image_lanes.h), or one pixel of as
/// many output channels (channel_lanes.h).
enum class Lanes { pixels, images, channels };

/// The quickest way. dense: the results of an image lie side by side.
template <class T>
Lanes best_lanes(int64_t batch, int64_t channels, const Axis& y, const Axis& x, int64_t out_channels, bool dense);

/// With pixels or images in the lanes, as best_lanes said.
template <class T>
void correlate(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x, const WeightLayout<T>& weight,
               Lanes lanes);

/// Into how many parts the output rows of a block of images are cut for the threads that there are; each gathers the
/// rows that it sees by itself (drawn in kernels/README.md). The bits of the result do not depend on it.
inline int64_t parts_of_block(int64_t blocks, int64_t rows) {
  const int64_t threads = get_num_threads();
  int64_t parts = 1;
  while (parts < rows && blocks * parts < 2 * threads && blocks * parts % threads != 0) ++parts;
  return parts;
}

/// Calls correlate_rows(block, begin, end) for every whole block of images, or in turn for rows [begin, end) of its
/// results: as for one image of `channels` channels with y and lanes_axis(x), to a place that is as dense as c.output
/// must be. Of the images only what these rows see is there. Gives the number of images done.
template <class T, class CorrelateRows>
int64_t for_image_blocks(const Correlation<T>& c, int64_t channels, int64_t out_channels, const Axis& y, const Axis& x,
                         const CorrelateRows& correlate_rows) {
  constexpr int64_t L = kLanes<T>;
  const int64_t in_plane = y.source * x.source, out_plane = y.out * x.out, blocks = c.batch / L;
  const Parts rows{y.out, parts_of_block(blocks, y.out)};
  parallel_for(blocks * rows.count, [&](int64_t task) {
    const int64_t image = task / rows.count * L;
    const int64_t begin = rows.begin(task % rows.count), end = rows.begin(task % rows.count + 1);
    const int64_t from = y.first_place(begin) * x.source, to = larger(from, y.end_place(end - 1) * x.source);
    Workspace<T> input(static_cast<std::size_t>(channels * in_plane * L));
    Workspace<T> output(static_cast<std::size_t>(out_channels * out_plane * L));
    gather_slices(c.input + image * c.input_step + from, L, c.input_step, {channels, to - from, in_plane, in_plane},
                  input.data() + from * L);
    Correlation<T> block = c;
    block.batch = 1;
    block.input = input.data();
    block.input_end = input.data() + channels * in_plane * L;
    block.output = {output.data(), out_plane * L, x.out * L, 1};
    correlate_rows(block, begin, end);
    scatter_slices(output.data() + begin * x.out * L, L, c.output_step,
                   {out_channels, (end - begin) * x.out, out_plane, out_plane},
                   c.output.data + image * c.output_step + begin * x.out);
  });
  return blocks * L;
}

}  // namespace teff::kernels::TEFF_ISA
