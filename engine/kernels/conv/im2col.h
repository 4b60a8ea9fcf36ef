// SPDX-License-Identifier: MIT
#pragma once

// Implicit im2col. A convolution is the product of the weight [K, C * kh * kw] and the matrix cols [C * kh * kw,
// Ho * Wo] of the pixels under every place of the kernel. That matrix is never stored: with the image in a suitable
// layout, row kk of it is the image itself from offset[kk] on,
//
//     cols[kk, (y, x)] = planes[offset[kk] + y * pitch + x],
//
// and only the panels that the product works on are copied. "Suitable" is the image as it is, if there is neither
// padding nor stride; else a copy of the rows at hand with zeros around and, for stride s, the rows and columns
// regrouped by their remainder modulo s: then neighbours in the output are neighbours in the copy.
//
// A copy follows the data, whatever the options are. Only remainders that a tap has get a phase, at most one for each
// tap. From the first to the last tap that see the image from somewhere there are no more places than the image and
// the outputs have together; all others see one block of zeros beyond these.

#include "teff/engine/kernels/gemm/gemm_micro.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/window2d.h"

namespace teff::kernels::TEFF_ISA {

constexpr int64_t greatest_divisor(int64_t a, int64_t b) { return b == 0 ? a : greatest_divisor(b, a % b); }

/// One of the two directions of a convolution: out[i] = sum over tap of weight[index(tap)] * in[i * stride + start +
/// tap * spacing], where in is zero outside of [0, source).
struct Axis {
  int64_t source, out;
  int64_t taps, spacing;
  int64_t stride, start;
  int64_t first_index = 0, index_step = 1;  // which weight each tap takes
  bool outermost = false;                   // y: its taps, not the channels, are the slowest index of cols

  int64_t index(int64_t tap) const { return first_index + tap * index_step; }
  /// Taps that are this far apart have the same remainder modulo the stride; others have not.
  int64_t period() const { return spacing == 1 ? stride : stride / greatest_divisor(stride, spacing); }
  int64_t phases() const { return smaller(period(), taps); }
  /// How far a tap is from the first one in its phase.
  int64_t shift(int64_t tap) const { return stride == 1 ? tap * spacing : tap * spacing / stride; }
  /// The taps that see more than padding from some of the outputs first to last.
  int64_t first_tap(int64_t last) const { return smaller(taps, taps_within(-last * stride - start)); }
  int64_t end_tap(int64_t first) const { return smaller(taps, taps_within(source - first * stride - start)); }
  /// The places inside that some of the outputs first to last see lie in [first_place, end_place).
  int64_t first_place(int64_t first) const { return smaller(source, larger(0, first * stride + start)); }
  int64_t end_place(int64_t last) const {
    return larger(0, smaller(source, last * stride + start + (taps - 1) * spacing + 1));
  }
  /// The outputs from first to end alone.
  Axis part(int64_t first, int64_t end) const {
    Axis axis = *this;
    axis.out = end - first;
    axis.start += first * stride;
    return axis;
  }
  /// Taps that lie in so many places from one of them on. A division takes as long as many a row.
  int64_t taps_within(int64_t places) const {
    if (places <= 0) return 0;
    return spacing == 1 ? places : ceil_div(places, spacing);
  }
  bool inside() const { return stride == 1 && start >= 0 && start + out + (taps - 1) * spacing <= source; }
};

/// What a phase of a copy holds of an axis.
struct CopiedAxis {
  int64_t first, end;  // taps that see the image from some output, if any do, and those between
  int64_t base;        // the shift of the first, which the phases begin with
  int64_t span;        // places from the first to the last
  bool zeros;          // other taps see as many zeros as there are outputs, behind the places of these

  explicit CopiedAxis(const Axis& axis)
      : first(axis.first_tap(axis.out - 1)),
        end(axis.end_tap(0)),
        base(axis.shift(first)),
        span(first < end ? axis.shift(end - 1) - base : 0),
        zeros(first > 0 || end < axis.taps) {}

  /// Places that `count` outputs see through the taps first to end, and with the zeros.
  int64_t extent(int64_t count) const { return count + span; }
  int64_t places(int64_t count) const { return extent(count) + (zeros ? count : 0); }
  /// Where a tap begins to read, for `count` outputs.
  int64_t place(const Axis& axis, int64_t tap, int64_t count) const {
    return tap >= first && tap < end ? axis.shift(tap) - base : extent(count);
  }
};

inline Axis forward_y(const Window2d& w) {
  return {w.height, w.out_height, w.kernel_height, w.dilation_height, w.stride_height, -w.padding_height};
}
inline Axis forward_x(const Window2d& w) {
  return {w.width, w.out_width, w.kernel_width, w.dilation_width, w.stride_width, -w.padding_width};
}

/// The matrix cols of images [channels, y.source, x.source].
template <class T>
class Columns {
 public:
  /// Strips have up to strip_rows output rows. always_copy: even if images would serve as they are; then whole packets
  /// can be read from every place of a strip.
  Columns(int64_t channels, const Axis& y, const Axis& x, int64_t strip_rows, bool always_copy = false);

  int64_t depth() const { return channels_ * y_.taps * x_.taps; }
  int64_t channels() const { return channels_; }
  const Axis& y() const { return y_; }
  const Axis& x() const { return x_; }
  int64_t pitch() const { return pitch_; }
  static int64_t pitch(const Axis& y, const Axis& x) {
    return y.inside() && x.inside() ? x.source : CopiedAxis(x).places(x.out);
  }
  /// [depth]
  const int64_t* offsets() const { return offset_; }

  /// Size of the buffer that strip() wants for `channels` channels; 0 if images serve as they are.
  int64_t strip_size(int64_t channels) const {
    return in_place_ ? 0 : scratch_size({channels, channel_}) + kTileColumns<T>;
  }
  /// Prepares `rows` output rows from `row` on of the first `channels` channels of an image; gives what the offsets
  /// count from. padded: the buffer has the same rows of another image, so that its zeros are there already.
  const T* strip(const T* image, int64_t channels, int64_t row, int64_t rows, T* buffer, bool padded = false) const;

  // Positions count the outputs of a strip; there are `width` to a row: x.out or, if what lies between the end of a row
  // and the next is computed as well, pitch.

  /// Whether whole packets of `columns` positions can be read where they are, before `end`, if width is the pitch.
  bool readable(const T* strip, const T* end, int64_t position, int64_t columns) const {
    return last_offset_ + position + ceil_div(columns, kLanes<T>) * kLanes<T> <= end - strip;
  }
  /// panel[kk, j] = cols[first + kk, position + j] for kk < depth, j < columns. Nothing is read from `end` on.
  void pack(const T* strip, const T* end, int64_t first, int64_t depth, int64_t width, int64_t position,
            int64_t columns, T* panel) const;

 private:
  struct RowSpan {
    int64_t first;       // place in the image's row, perhaps outside, of the row's first value
    int64_t begin, end;  // values that lie inside
  };
  RowSpan span_of(int64_t remainder) const;
  void fill_row(const T* from, const RowSpan& span, bool padded, T* to) const;

  int64_t channels_;
  Axis y_, x_;
  CopiedAxis copied_y_, copied_x_;
  int64_t y_phases_, x_phases_;
  bool in_place_;
  int64_t strip_rows_, pitch_, plane_, channel_, last_offset_;
  Workspace<int64_t> offsets_;
  const int64_t* offset_;
};

}  // namespace teff::kernels::TEFF_ISA
