// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/channel_lanes.h"
#include "teff/engine/kernels/conv/conv2d_depthwise.h"
#include "teff/engine/kernels/conv/conv_kernels.h"
#include "teff/engine/kernels/conv/correlation.h"
#include "teff/engine/kernels/conv/winograd.h"
#include "teff/engine/kernels/gemm/gemm_pack.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// weight [out_channels, depth]. A task takes panels with all of their blocks: it reads whole rows.
template <class T>
void pack_weight(const T* weight, const WeightLayout<T>& layout, T* packed) {
  const Parts &panels = layout.panels(), &depths = layout.depths();
  parallel_ranges(panels.count, ceil_div(kPackedPerTask, panels.longest() * larger(1, depths.size)),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin * depths.count; i < end * depths.count; ++i) {
                      const int64_t p = i / depths.count, block = i % depths.count, rows = panels.length(p);
                      pack_transposed(rows, depths.length(block),
                                      weight + panels.begin(p) * depths.size + depths.begin(block), depths.size,
                                      packed + layout.panel(block, p), rows);
                    }
                  });
}
template <class T>
void pack_weight(const T* weight, const ChannelLayout<T>& layout, T* packed) {
  parallel_for(layout.panels(), [&](int64_t p) {
    pack_transposed(layout.rows(p), layout.depth(), weight + layout.offset(p), layout.depth(),
                    packed + layout.offset(p), layout.width(p));
  });
}

/// The two axes of a convolution. A plain product is one of long rows: then each image is one row.
struct Axes {
  Axis y, x;

  explicit Axes(const Window2d& w) : y(forward_y(w)), x(forward_x(w)) {}

  Axes joined() const {
    Axes one = *this;
    const bool every_pixel = y.out == y.source && x.out == x.source;  // a stride of 1 does not say so: see make_window
    if (y.taps == 1 && x.taps == 1 && every_pixel && y.start == 0 && x.start == 0) {
      one.x.source = one.x.out = y.source * x.source;
      one.y.source = one.y.out = 1;
    }
    return one;
  }
};

int64_t group_channels(const Window2d& w) { return w.channels / w.groups; }
int64_t group_filters(const Window2d& w) { return w.out_channels / w.groups; }

/// Calls use(layout, lanes) with the layout of the weight of one group and what the lanes will hold.
template <class T, class Use>
void with_layout(const Window2d& w, const Use& use) {
  const Axes axes = Axes(w).joined();
  const int64_t depth = group_channels(w) * w.kernel_height * w.kernel_width, filters = group_filters(w);
  const Lanes lanes = best_lanes<T>(w.batch, group_channels(w), axes.y, axes.x, filters, true);
  if constexpr (kHasEveryWay<T>) {
    if (lanes == Lanes::channels) return use(ChannelLayout<T>(filters, depth), lanes);
  }
  use(WeightLayout<T>(filters, depth), lanes);
}

template <class T>
void run(const Correlation<T>& c, int64_t channels, const Axes& axes, const WeightLayout<T>& layout, Lanes lanes) {
  const Axes joined = axes.joined();
  Correlation<T> rows = c;
  rows.output.row = joined.x.out;
  correlate<T>(rows, channels, joined.y, joined.x, layout, lanes);
}
template <class T>
void run(const Correlation<T>& c, int64_t channels, const Axes& axes, const ChannelLayout<T>& layout, Lanes) {
  correlate_channels<T>(c, channels, axes.y, axes.x, layout);
}

template <class T>
int64_t conv2d_packed_size(const Window2d& w) {
  if (is_depthwise(w)) return 0;
  if (winograd_tile<T>(w) != 0) return winograd_packed_size(w);
  int64_t size = 0;
  with_layout<T>(w, [&](const auto& layout, Lanes) { size = w.groups * layout.size(); });
  return size;
}

template <class T>
void conv2d_pack(const Window2d& w, const T* weight, T* packed) {
  if constexpr (kHasEveryWay<T>) {
    if (winograd_tile<T>(w) != 0) return winograd_pack(w, weight, packed);
  }
  const int64_t filters = group_filters(w) * group_channels(w) * w.kernel_height * w.kernel_width;
  with_layout<T>(w, [&](const auto& layout, Lanes) {
    for (int64_t g = 0; g < w.groups; ++g) pack_weight(weight + g * filters, layout, packed + g * layout.size());
  });
}

template <class T>
void conv2d_packed(const Window2d& w, const T* input, const T* packed, const T* bias, const Clamp<T>& clamp,
                   T* output) {
  if constexpr (kHasEveryWay<T>) {
    if (winograd_tile<T>(w) != 0) return winograd(w, input, packed, bias, clamp, output);
  }
  const int64_t in_plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  with_layout<T>(w, [&](const auto& layout, Lanes lanes) {
    for (int64_t g = 0; g < w.groups; ++g) {
      run<T>({.batch = w.batch,
              .input = input + g * group_channels(w) * in_plane,
              .input_step = w.channels * in_plane,
              .output_step = w.out_channels * out_plane,
              .input_end = input + w.batch * w.channels * in_plane,
              .output = {output + g * group_filters(w) * out_plane, out_plane, w.out_width, 1},
              .weight = packed + g * layout.size(),
              .bias = bias == nullptr ? nullptr : bias + g * group_filters(w),
              .clamp = clamp},
             group_channels(w), Axes(w), layout, lanes);
    }
  });
}

template <class T>
void conv2d(const Window2d& w, const T* input, const T* weight, const T* bias, const Clamp<T>& clamp, T* output) {
  if (w.batch * w.out_height * w.out_width * w.out_channels == 0) return;
  if (is_depthwise(w)) {
    depthwise(w, input, weight, bias, clamp, output);
    return;
  }
  Workspace<T> packed(static_cast<std::size_t>(conv2d_packed_size<T>(w)));
  conv2d_pack(w, weight, packed.data());
  conv2d_packed<T>(w, input, packed.data(), bias, clamp, output);
}

}  // namespace

extern constinit const Tables<Conv2dKernels> conv2d_tables =
    make_tables<Conv2dKernels, Float64::in_each_set>([]<class T>(T) -> Conv2dKernels<T> {
      return {.conv2d = conv2d<T>,
              .conv2d_packed_size = conv2d_packed_size<T>,
              .conv2d_pack = conv2d_pack<T>,
              .conv2d_packed = conv2d_packed<T>};
    });

}  // namespace teff::kernels::TEFF_ISA
