// SPDX-License-Identifier: MIT
// dX: for every remainder of the places modulo the strides, a convolution of dY with the taps that reach these places.
// Of 3 x 3 taps and a stride of 1 that is a convolution like any other, which Winograd's method may take.

#include <utility>

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

/// x in [0, modulus) with a * x = 1 modulo modulus, which has no divisor in common with a; 0 if modulus is 1. Euclid's
/// way, where a * x = value modulo modulus of both pairs.
int64_t inverse(int64_t a, int64_t modulus) {
  int64_t x = 0, value = modulus, next_x = 1, next_value = a % modulus;
  while (next_value != 0) {
    const int64_t quotient = value / next_value, rest = value % next_value, rest_x = x - quotient * next_x;
    x = next_x;
    value = next_value;
    next_x = rest_x;
    next_value = rest;
  }
  return x < 0 ? x + modulus : x;
}

/// The gradient of the input at the places place, place + stride, ...: a convolution of stride 1 of the gradient of
/// the output with those weights, last first, that reach these places. No taps: the gradient there is zero.
Axis transposed_axis(int64_t source, int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation,
                     int64_t place) {
  // in = out * stride - padding + tap * dilation, so tap reaches `place` from out = (place + padding - tap * dilation)
  // / stride, if that is whole. The taps for which it is are step apart: with the divisor out of all of them, tap =
  // (place + padding) / dilation modulo step.
  const int64_t divisor = greatest_divisor(stride, dilation), step = stride / divisor;
  const bool reached = (place + padding) % divisor == 0;
  const int64_t first = (place + padding) / divisor % step * inverse(dilation / divisor, step) % step;
  const int64_t count = reached && first < taps ? (taps - 1 - first) / step + 1 : 0;
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

/// The transposed weight of a group: rows are its input channels, columns (tap of y, output channel, tap of x).
template <class T>
class TransposedWeight {
 public:
  TransposedWeight(const Window2d& w, const Axis& y, const Axis& x, const T* weight)
      : w_(w), y_(y), x_(x), weight_(weight) {}

  int64_t depth() const { return filters() * y_.taps * x_.taps; }

  /// columns [depth, width]: the rows from `first` on. May write a packet beyond.
  void pack(int64_t first, int64_t rows, T* columns, int64_t width) const {
    const int64_t plane = w_.kernel_height * w_.kernel_width, channels = w_.channels / w_.groups;
    if (plane == 1) return pack_rows(filters(), rows, weight_ + first, channels, columns, width);
    if (y_.taps * x_.taps * kLanes<T> < plane) return pack_few(first, rows, columns, width);
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

  /// Of large filters, of which a place sees few taps, nothing else is read.
  void pack_few(int64_t first, int64_t rows, T* columns, int64_t width) const {
    const int64_t plane = w_.kernel_height * w_.kernel_width, channels = w_.channels / w_.groups;
    for (int64_t i = 0; i < y_.taps; ++i) {
      for (int64_t k = 0; k < filters(); ++k) {
        for (int64_t j = 0; j < x_.taps; ++j, columns += width) {
          const T* const tap = weight_ + (k * channels + first) * plane + y_.index(i) * w_.kernel_width + x_.index(j);
          for (int64_t r = 0; r < width; ++r) columns[r] = r < rows ? tap[r * plane] : T(0);
        }
      }
    }
  }

  const Window2d& w_;
  const Axis &y_, &x_;
  const T* weight_;
};

/// A task takes panels with all of their blocks.
template <class T>
void pack_weight(const TransposedWeight<T>& weight, const WeightLayout<T>& layout, T* packed) {
  const Parts &panels = layout.panels(), &depths = layout.depths();
  parallel_ranges(panels.count, ceil_div(kPackedPerTask, panels.longest() * depths.size),
                  [&](int64_t begin, int64_t end) {
                    Workspace<T> columns(static_cast<std::size_t>(depths.size * panels.longest() + kLanes<T>));
                    for (int64_t p = begin; p < end; ++p) {
                      const int64_t rows = panels.length(p);
                      weight.pack(panels.begin(p), rows, columns.data(), rows);
                      for (int64_t block = 0; block < depths.count; ++block) {
                        copy(columns.data() + depths.begin(block) * rows, depths.length(block) * rows,
                             packed + layout.panel(block, p));
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

/// Calls use(part, begin) for the stretches of an axis of stride 1 whose places see the same taps; a part has just
/// these taps, or none.
template <class Use>
void for_stretches(const Axis& axis, const Use& use) {
  for (int64_t begin = 0, end = 0; begin < axis.out; begin = end) {
    const int64_t first = axis.first_tap(begin), last = axis.end_tap(begin);
    for (end = begin + 1; end < axis.out && axis.first_tap(end) == first && axis.end_tap(end) == last;) ++end;
    Axis part = axis;
    part.out = end - begin;
    part.taps = last - first;
    part.start += begin + first * axis.spacing;
    part.first_index = axis.index(first);
    use(part, begin);
  }
}

/// The gradient of the input of one group with images in the lanes (image_lanes.h), for strides of 1. A tile is one or
/// two places of a row, or of two rows. All of them see the same taps and no padding: nothing is copied to put zeros
/// around it, and nothing is multiplied by them.
template <class T>
class ImageLanesGradient {
 public:
  ImageLanesGradient(const Window2d& w, const Axis& y, const Axis& x, const T* weight)
      : y_(y),
        x_(x),
        channels_(w.channels / w.groups),
        filters_(w.out_channels / w.groups),
        packed_(static_cast<std::size_t>(total([this](const Axis& part) { return layout_of(part).size(); }))),
        offsets_(static_cast<std::size_t>(total([this](const Axis& part) { return depth(part); }))) {
    T* packed = packed_.data();
    int64_t* offsets = offsets_.data();
    for_stretches(x_, [&](const Axis& part, int64_t) {
      if (part.taps > 0) pack_weight(TransposedWeight<T>(w, y_, part, weight), layout_of(part), packed);
      packed += layout_of(part).size();
      for (int64_t i = 0; i < y_.taps; ++i) {
        for (int64_t k = 0; k < filters_; ++k) {
          const int64_t row = (k * y_.source + i * y_.spacing) * x_.source;
          for (int64_t j = 0; j < part.taps; ++j) *offsets++ = (row + j * x_.spacing) * kLanes<T>;
        }
      }
    });
  }

  /// Gives the number of images done: whole packets of them.
  int64_t run(const Correlation<T>& c) {
    return for_image_blocks(
        c, filters_, channels_, y_, x_,
        [&](const Correlation<T>& block, int64_t begin, int64_t end) { run_rows(block, begin, end); });
  }

 private:
  /// Tiles that take the same weights.
  struct Stretch {
    const Axis& x;
    int64_t begin;  // in the row
    const WeightLayout<T> layout;
    const T* weight;
    const int64_t* offsets;  // [depth], from the first tap that a tile takes
  };

  int64_t depth(const Axis& part) const { return y_.taps * filters_ * part.taps; }
  WeightLayout<T> layout_of(const Axis& part) const { return {channels_, depth(part)}; }
  template <class SizeOf>
  int64_t total(const SizeOf& size_of) const {
    int64_t sum = 0;
    for_stretches(x_, [&](const Axis& part, int64_t) { sum += size_of(part); });
    return sum;
  }

  void run_rows(const Correlation<T>& block, int64_t begin, int64_t end) {
    const T* weight = packed_.data();
    const int64_t* offsets = offsets_.data();
    for_stretches(x_, [&](const Axis& part, int64_t column) {
      const Stretch stretch{part, column, layout_of(part), weight, offsets};
      for (int64_t p = 0; p < stretch.layout.panels().count; ++p) {
        for (int64_t row = begin, rows = 0; row < end; row += rows) {
          const bool pair = row + 1 < end && stretch.layout.panels().longest() <= kHalfRows &&
                            y_.first_tap(row) == y_.first_tap(row + 1) && y_.end_tap(row) == y_.end_tap(row + 1);
          rows = pair ? 2 : 1;
          for (int64_t x = 0; x < part.out; x += kTilePackets) {
            multiply(block, stretch, p, row, rows, x, smaller(kTilePackets, part.out - x));
          }
        }
      }
      weight += stretch.layout.size();
      offsets += depth(part);
    });
  }

  void multiply(const Correlation<T>& block, const Stretch& stretch, int64_t panel, int64_t row, int64_t rows,
                int64_t x, int64_t columns) const {
    constexpr int64_t L = kLanes<T>;
    const Parts &panels = stretch.layout.panels(), &depths = stretch.layout.depths();
    const int64_t first_tap = y_.first_tap(row), tap = filters_ * stretch.x.taps;
    const int64_t first = first_tap * tap, last = y_.end_tap(row) * tap;
    const int64_t source = (row + y_.start + first_tap * y_.spacing) * x_.source + stretch.x.start + x;
    Tile<T> tile{.k = 0,
                 .a = stretch.weight,
                 .b = first < last ? block.input + source * L : block.input,
                 .b_stride = 0,
                 .offsets = stretch.offsets,
                 .c = block.output.data + panels.begin(panel) * block.output.channel + row * block.output.row +
                      (stretch.begin + x) * L,
                 .ldc = block.output.channel,
                 .columns = columns * L,
                 .accumulate = false,
                 .row_bias = nullptr,
                 .column_bias = nullptr,
                 .clamp = {},
                 .b_second = rows == 2 ? x_.source * L : 0,
                 .c_second = block.output.row};
    if (first == last) return multiply_tile<T>(panels.length(panel), tile);  // zeros
    for (int64_t d = 0; d < depths.count; ++d) {
      const int64_t begin = larger(first, depths.begin(d)), end = smaller(last, depths.begin(d + 1));
      if (begin >= end) continue;
      tile.k = end - begin;
      tile.a = stretch.weight + stretch.layout.panel(d, panel) + (begin - depths.begin(d)) * panels.length(panel);
      tile.offsets = stretch.offsets + begin - first;
      multiply_tile<T>(panels.length(panel), tile);
      tile.accumulate = true;
    }
  }

  const Axis &y_, &x_;
  int64_t channels_, filters_;
  Workspace<T> packed_;
  Workspace<int64_t> offsets_;
};

/// The gradient of the input of one group, at those pixels of every image that lie on the two axes.
template <class T>
class InputGradient {
 public:
  InputGradient(const Window2d& w, const Axis& y, const Axis& x, const T* weight, const Correlation<T>& c)
      : w_(w), y_(y), x_(x), weight_(weight), c_(c) {}

  void run() {
    const bool dense = w_.stride_height == 1 && w_.stride_width == 1;
    const Lanes lanes = best_lanes<T>(c_.batch, filters(), y_, x_, channels(), dense);
    if constexpr (kHasEveryWay<T>) {
      if (lanes == Lanes::channels) return run_with(ChannelLayout<T>(channels(), depth()), &correlate_channels<T>);
    }
    if (lanes == Lanes::images) c_ = c_.without(ImageLanesGradient<T>(w_, y_, x_, weight_).run(c_));
    if (c_.batch > 0) run_with(WeightLayout<T>(channels(), depth()), &correlate_pixels);
  }

 private:
  int64_t channels() const { return w_.channels / w_.groups; }
  int64_t filters() const { return w_.out_channels / w_.groups; }
  int64_t depth() const { return filters() * y_.taps * x_.taps; }

  template <class Layout, class Correlate>
  void run_with(const Layout& layout, const Correlate& correlate_with) {
    Workspace<T> packed(static_cast<std::size_t>(layout.size()));
    pack_weight(TransposedWeight<T>(w_, y_, x_, weight_), layout, packed.data());
    c_.weight = packed.data();
    correlate_with(c_, filters(), y_, x_, layout);
  }

  static void correlate_pixels(const Correlation<T>& c, int64_t channels, const Axis& y, const Axis& x,
                               const WeightLayout<T>& layout) {
    correlate<T>(c, channels, y, x, layout, Lanes::pixels);
  }

  const Window2d& w_;
  const Axis &y_, &x_;
  const T* weight_;
  Correlation<T> c_;
};

template <class T>
void backward_input_phase(const Window2d& w, const Axis& y, const Axis& x, const T* grad_output, const T* weight,
                          T* grad_input) {
  const int64_t in_plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  const int64_t in_channels = w.channels / w.groups, out_channels = w.out_channels / w.groups;
  for (int64_t g = 0; g < w.groups; ++g) {
    InputGradient<T>(
        w, y, x, weight + g * out_channels * in_channels * w.kernel_height * w.kernel_width,
        {.batch = w.batch,
         .input = grad_output + g * out_channels * out_plane,
         .input_step = w.out_channels * out_plane,
         .output_step = w.channels * in_plane,
         .input_end = grad_output + w.batch * w.out_channels * out_plane,
         .output = {grad_input + g * in_channels * in_plane, in_plane, w.stride_height * w.width, w.stride_width},
         .weight = nullptr,
         .bias = nullptr,
         .clamp = {}})
        .run();
  }
}

/// The convolution of dY that gives dX, if that is Winograd's; else nothing.
template <class T>
bool winograd_backward_input(const Window2d& w, const T* grad_output, const T* weight, T* grad_input) {
  if constexpr (kHasEveryWay<T>) {
    Window2d turned = w;
    std::swap(turned.channels, turned.out_channels);
    std::swap(turned.height, turned.out_height);
    std::swap(turned.width, turned.out_width);
    turned.padding_height = w.kernel_height - 1 - w.padding_height;
    turned.padding_width = w.kernel_width - 1 - w.padding_width;
    if (turned.padding_height < 0 || turned.padding_width < 0 || winograd_tile<T>(turned) == 0) return false;
    Workspace<T> packed(static_cast<std::size_t>(winograd_packed_size(turned)));
    winograd_pack_turned(turned, weight, packed.data());
    winograd(turned, grad_output, packed.data(), nullptr, Clamp<T>{}, grad_input);
    return true;
  }
  return false;
}

// dX[c, y, x] = sum over k, i, j of w[k, c, i, j] * dY[k, (y + pad - i * dilation) / stride, ...] where that is whole.
template <class T>
void conv2d_backward_input(const Window2d& w, const T* grad_output, const T* weight, T* grad_input) {
  if (winograd_backward_input(w, grad_output, weight, grad_input)) return;
  const int64_t x_phases = smaller(w.stride_width, w.width);
  Workspace<Axis> x_axes(static_cast<std::size_t>(x_phases));
  for (int64_t px = 0; px < x_phases; ++px) {
    x_axes.data()[px] =
        transposed_axis(w.out_width, w.width, w.kernel_width, w.stride_width, w.padding_width, w.dilation_width, px);
  }
  for (int64_t py = 0; py < smaller(w.stride_height, w.height); ++py) {
    const Axis y = transposed_axis(w.out_height, w.height, w.kernel_height, w.stride_height, w.padding_height,
                                   w.dilation_height, py);
    for (int64_t px = 0; px < x_phases; ++px) {
      const Axis& x = x_axes.data()[px];
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

}  // namespace

extern constinit const Tables<Conv2dInputKernels> conv2d_input_tables =
    make_tables<Conv2dInputKernels, Float64::in_each_set>(
        []<class T>(T) -> Conv2dInputKernels<T> { return {.conv2d_backward_input = conv2d_backward_input<T>}; });

}  // namespace teff::kernels::TEFF_ISA
