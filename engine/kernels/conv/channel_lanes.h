// SPDX-License-Identifier: MIT
#pragma once

// A packet can hold one pixel of as many output channels as it has lanes. Then no lane is lost to the ends of rows, a
// tile is any few pixels of a row, and neither the input nor the sums of a tile are shuffled: of all ways the quickest
// for convolutions whose channels fill packets. The weights of channels have to lie side by side, and the result is
// transposed at last.

#include "teff/engine/kernels/conv/correlation.h"

namespace teff::kernels::TEFF_ISA {

/// The weights of a group, a matrix [out_channels, depth], as such tiles want them: panels of a few packets of
/// channels, each [depth, width].
template <class T>
class ChannelLayout {
 public:
  static constexpr int64_t kMaxPackets = kChannelPackets;  // of a panel

  ChannelLayout(int64_t out_channels, int64_t depth) : out_channels_(out_channels), depth_(depth) {}

  int64_t out_channels() const { return out_channels_; }
  int64_t depth() const { return depth_; }
  int64_t packets() const { return ceil_div(out_channels_, kLanes<T>); }
  /// Packing writes whole packets, of which the last may go beyond.
  int64_t size() const { return (packets() * depth_ + 1) * kLanes<T>; }

  int64_t panels() const { return ceil_div(packets(), kMaxPackets); }
  int64_t begin(int64_t panel) const { return smaller(panel * kMaxPackets * kLanes<T>, out_channels_); }
  /// Channels of a panel, and lanes.
  int64_t rows(int64_t panel) const { return begin(panel + 1) - begin(panel); }
  int64_t width(int64_t panel) const { return ceil_div(rows(panel), kLanes<T>) * kLanes<T>; }
  int64_t offset(int64_t panel) const { return begin(panel) * depth_; }

 private:
  int64_t out_channels_, depth_;
};

/// c.weight is packed as the layout says. For float alone.
template <class T>
void correlate_channels(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x,
                        const ChannelLayout<T>& weight);

}  // namespace teff::kernels::TEFF_ISA
