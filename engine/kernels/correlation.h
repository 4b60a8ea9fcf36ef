// SPDX-License-Identifier: MIT
#pragma once

// What a convolution and the gradient of its input have in common.

#include "teff/engine/kernels/im2col.h"

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
  int64_t input_step, output_step;    // elements from one image to the next
  const T* input_end;                 // of the whole array
  OutputPlace<T> output;
  const T* weight;    // packed
  const T* bias;      // [out_channels] or null
  Clamp<T> clamp;
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

}  // namespace teff::kernels::TEFF_ISA
