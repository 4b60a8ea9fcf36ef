// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/channel_lanes.h"
#include "teff/engine/kernels/conv2d_depthwise.h"
#include "teff/engine/kernels/correlation.h"
#include "teff/engine/kernels/functions.h"
#include "teff/engine/kernels/gemm_pack.h"
#include "teff/engine/kernels/winograd.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

int64_t greatest_common_divisor(int64_t a, int64_t b) { return b == 0 ? a : greatest_common_divisor(b, a % b); }

/// The gradient of the input at the places place, place + stride, ...: a convolution of stride 1 of the gradient of
/// the output with those weights, last first, that reach these places. No taps: the gradient there is zero.
Axis transposed_axis(int64_t source, int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation,
                     int64_t place) {
  // in = out * stride - padding + tap * dilation, so tap reaches `place` from out = (place + padding - tap * dilation)
  // / stride, if that is whole. The taps for which it is are step apart.
  const int64_t divisor = greatest_common_divisor(stride, dilation), step = stride / divisor;
  int64_t first = 0;
  while (first < smaller(step, taps) && (place + padding - first * dilation) % stride != 0) ++first;
  const int64_t count = first < smaller(step, taps) ? (taps - 1 - first) / step + 1 : 0;
  const int64_t last = first + (count - 1) * step;
  return {.source = source,
          .out = place < size ? (size - 1 - place) / stride + 1 : 0,
          .taps = count,
          .spacing = dilation / divisor,
          .stride = 1,
          .start = (place + padding - last * dilation) / stride,
          .first_index = last,
          .index_step = -step,
          .outermost = true};
}

constexpr int64_t kElementsPerTask = 32768;    // of weights to pack

/// weight [out_channels, depth]. A task takes panels with all of their blocks: it reads whole rows.
template <class T>
void pack_weight(const T* weight, const WeightLayout<T>& layout, T* packed) {
  const Parts &panels = layout.panels(), &depths = layout.depths();
  parallel_ranges(panels.count, ceil_div(kElementsPerTask, panels.longest() * larger(1, depths.size)),
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

/// The transposed weight of a group: rows are its input channels, columns (tap of y, output channel, tap of x).
template <class T>
class TransposedWeight {
 public:
  TransposedWeight(const Window2d& w, const Axis& y, const Axis& x, const T* weight)
      : w_(w), y_(y), x_(x), weight_(weight) {}

  int64_t depth() const { return filters() * y_.taps * x_.taps; }

  /// columns [depth, width]: the rows from `first` on.
  void pack(int64_t first, int64_t rows, T* columns, int64_t width) const {
    const int64_t plane = w_.kernel_height * w_.kernel_width, channels = w_.channels / w_.groups;
    Workspace<T> taps(static_cast<std::size_t>(plane * width + kLanes<T>));
    for (int64_t k = 0; k < filters(); ++k) {
      pack_transposed(rows, plane, weight_ + (k * channels + first) * plane, plane, taps.data(), width);
      for (int64_t i = 0; i < y_.taps; ++i) {
        for (int64_t j = 0; j < x_.taps; ++j) {
          copy(taps.data() + (y_.index(i) * w_.kernel_width + x_.index(j)) * width, width,
               columns + ((i * filters() + k) * x_.taps + j) * width);
        }
      }
    }
  }

 private:
  int64_t filters() const { return w_.out_channels / w_.groups; }

  const Window2d& w_;
  const Axis &y_, &x_;
  const T* weight_;
};

/// A task takes panels with all of their blocks.
template <class T>
void pack_weight(const TransposedWeight<T>& weight, const WeightLayout<T>& layout, T* packed) {
  const Parts &panels = layout.panels(), &depths = layout.depths();
  parallel_ranges(panels.count, ceil_div(kElementsPerTask, panels.longest() * depths.size),
                  [&](int64_t begin, int64_t end) {
    Workspace<T> columns(static_cast<std::size_t>(depths.size * panels.longest()));
    for (int64_t p = begin; p < end; ++p) {
      const int64_t rows = panels.length(p);
      weight.pack(panels.begin(p), rows, columns.data(), rows);
      for (int64_t block = 0; block < depths.count; ++block) {
        copy(columns.data() + depths.begin(block) * rows, depths.length(block) * rows, packed + layout.panel(block, p));
      }
    }
  });
}
template <class T>
void pack_weight(const TransposedWeight<T>& weight, const ChannelLayout<T>& layout, T* packed) {
  parallel_for(layout.panels(), [&](int64_t p) {
    weight.pack(layout.begin(p), layout.rows(p), packed + layout.offset(p), layout.width(p));
  });
}

template <class T>
void fill_zero(const OutputPlace<T>& to, int64_t channels, int64_t rows, int64_t columns) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = 0; y < rows; ++y) {
      T* row = to.data + c * to.channel + y * to.row;
      for (int64_t x = 0; x < columns; ++x) row[x * to.column] = T(0);
    }
  }
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
  if (lanes == Lanes::channels) {
    use(ChannelLayout<T>(filters, depth), lanes);
  } else {
    use(WeightLayout<T>(filters, depth), lanes);
  }
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

}  // namespace

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
  if constexpr (sizeof(T) == sizeof(float)) {
    if (winograd_tile<T>(w) != 0) return winograd_pack(w, weight, packed);
  }
  const int64_t filters = group_filters(w) * group_channels(w) * w.kernel_height * w.kernel_width;
  with_layout<T>(w, [&](const auto& layout, Lanes) {
    for (int64_t g = 0; g < w.groups; ++g) pack_weight(weight + g * filters, layout, packed + g * layout.size());
  });
}

template <class T>
void conv2d_packed(const Window2d& w, const T* input, const T* packed, const T* bias, const Clamp<T>& clamp, T* output) {
  if constexpr (sizeof(T) == sizeof(float)) {
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

/// Those pixels of every input image that lie on the two axes.
template <class T>
void backward_input_phase(const Window2d& w, const Axis& y, const Axis& x, const T* grad_output, const T* weight,
                          T* grad_input) {
  const int64_t in_plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  const int64_t in_channels = w.channels / w.groups, out_channels = w.out_channels / w.groups;
  const int64_t filters = out_channels * in_channels * w.kernel_height * w.kernel_width;
  const auto compute = [&](const auto& layout, const auto& correlate_with) {
    Workspace<T> packed(static_cast<std::size_t>(layout.size()));
    for (int64_t g = 0; g < w.groups; ++g) {
      pack_weight(TransposedWeight<T>(w, y, x, weight + g * filters), layout, packed.data());
      correlate_with(Correlation<T>{.batch = w.batch,
                      .input = grad_output + g * out_channels * out_plane,
                      .input_step = w.out_channels * out_plane,
                      .output_step = w.channels * in_plane,
                      .input_end = grad_output + w.batch * w.out_channels * out_plane,
                      .output = {grad_input + g * in_channels * in_plane, in_plane, w.stride_height * w.width,
                                 w.stride_width},
                      .weight = packed.data(),
                      .bias = nullptr,
                      .clamp = {}},
                     out_channels, y, x, layout);
    }
  };
  const bool dense = w.stride_height == 1 && w.stride_width == 1;
  const int64_t depth = out_channels * y.taps * x.taps;
  const Lanes lanes = best_lanes<T>(w.batch, out_channels, y, x, in_channels, dense);
  if (lanes == Lanes::channels) {
    compute(ChannelLayout<T>(in_channels, depth), &correlate_channels<T>);
  } else {
    compute(WeightLayout<T>(in_channels, depth),
            [lanes](const auto&... arguments) { correlate<T>(arguments..., lanes); });
  }
}

// dX[c, y, x] = sum over k, i, j of w[k, c, i, j] * dY[k, (y + pad - i * dilation) / stride, ...] where that is whole.
template <class T>
void conv2d_backward_input(const Window2d& w, const T* grad_output, const T* weight, T* grad_input) {
  for (int64_t py = 0; py < smaller(w.stride_height, w.height); ++py) {
    const Axis y = transposed_axis(w.out_height, w.height, w.kernel_height, w.stride_height, w.padding_height,
                                   w.dilation_height, py);
    for (int64_t px = 0; px < smaller(w.stride_width, w.width); ++px) {
      const Axis x = transposed_axis(w.out_width, w.width, w.kernel_width, w.stride_width, w.padding_width,
                                     w.dilation_width, px);
      T* first = grad_input + py * w.width + px;
      if (y.taps * x.taps * w.out_channels == 0) {
        fill_zero<T>({first, w.height * w.width, w.stride_height * w.width, w.stride_width}, w.batch * w.channels,
                     y.out, x.out);
      } else if (is_depthwise(w) && w.out_channels == w.channels) {
        depthwise_backward_input(w, y, x, grad_output, weight, first);
      } else {
        backward_input_phase(w, y, x, grad_output, weight, first);
      }
    }
  }
}

template void conv2d(const Window2d&, const float*, const float*, const float*, const Clamp<float>&, float*);
template void conv2d(const Window2d&, const double*, const double*, const double*, const Clamp<double>&, double*);
template void conv2d_packed(const Window2d&, const float*, const float*, const float*, const Clamp<float>&, float*);
template void conv2d_packed(const Window2d&, const double*, const double*, const double*, const Clamp<double>&, double*);
template void conv2d_pack(const Window2d&, const float*, float*);
template void conv2d_pack(const Window2d&, const double*, double*);
template int64_t conv2d_packed_size<float>(const Window2d&);
template int64_t conv2d_packed_size<double>(const Window2d&);
template void conv2d_backward_input(const Window2d&, const float*, const float*, float*);
template void conv2d_backward_input(const Window2d&, const double*, const double*, double*);

}  // namespace teff::kernels::TEFF_ISA
