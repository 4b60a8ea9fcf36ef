// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/im2col.h"

#include "teff/engine/build.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// Positions of a panel that lie side by side in the planes.
struct Run {
  int64_t from, to, length;
};

struct Runs {
  Run runs[kTileColumns<float>];  // the most of any T
  int64_t count = 0;
  int64_t end = 0;  // of what whole packets read
};

template <class T>
Runs runs_of(int64_t position, int64_t columns, int64_t width, int64_t pitch) {
  Runs result;
  for (int64_t done = 0; done < columns;) {
    const int64_t y = (position + done) / width, x = (position + done) % width;
    const int64_t length = smaller(width - x, columns - done);
    const int64_t from = y * pitch + x;
    result.runs[result.count++] = {from, done, length};
    result.end = from + ceil_div(length, kLanes<T>) * kLanes<T>;
    done += length;
  }
  return result;
}

template <class T>
void zero_fill(T* to, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes<T>) store_some(to, i, smaller(kLanes<T>, count - i), splat(T(0)));
}

}  // namespace

template <class T>
Columns<T>::Columns(int64_t channels, const Axis& y, const Axis& x, int64_t strip_rows, bool always_copy)
    : channels_(channels),
      y_(y),
      x_(x),
      copied_y_(y),
      copied_x_(x),
      y_phases_(y.phases()),
      x_phases_(x.phases()),
      in_place_(y.inside() && x.inside() && !always_copy),
      strip_rows_(strip_rows),
      pitch_(in_place_ ? x.source : copied_x_.places(x.out)),
      plane_(in_place_ ? y.source * x.source : scratch_size({copied_y_.places(strip_rows), pitch_})),
      channel_(in_place_ ? plane_ : scratch_size({y_phases_, x_phases_, plane_})),
      last_offset_(0),
      offsets_(static_cast<std::size_t>(depth())),
      offset_(offsets_.data()) {
  static_cast<void>(strip_size(channels));                      // refuses what is too large
  const int64_t step = y.outermost ? x.taps : y.taps * x.taps;  // from one channel to the next
  const int64_t y_period = y.period(), x_period = x.period();
  for (int64_t i = 0; i < y.taps; ++i) {
    for (int64_t j = 0; j < x.taps; ++j) {
      const int64_t phase = i % y_period * x_phases_ + j % x_period;
      const int64_t first = phase * plane_ + copied_y_.place(y, i, strip_rows) * pitch_ + copied_x_.place(x, j, x.out);
      int64_t* offset = offsets_.data() + (y.outermost ? i * channels : i) * x.taps + j;
      for (int64_t c = 0; c < channels; ++c) offset[c * step] = first + c * channel_;
      last_offset_ = larger(last_offset_, first + (channels - 1) * channel_);
    }
  }
}

template <class T>
typename Columns<T>::RowSpan Columns<T>::span_of(int64_t remainder) const {
  const int64_t s = x_.stride, first = x_.start + copied_x_.base * s + remainder, size = copied_x_.extent(x_.out);
  const int64_t begin = smaller(size, first >= 0 ? 0 : ceil_div(-first, s));
  return {first, begin, larger(begin, smaller(size, x_.source > first ? ceil_div(x_.source - first, s) : 0))};
}

/// One row of a plane: every stride-th value of a row of the image, zeros around.
template <class T>
void Columns<T>::fill_row(const T* from, const RowSpan& span, bool padded, T* to) const {
  const auto [first, begin, end] = span;
  const int64_t s = x_.stride;
  if (!padded) zero_fill(to, begin);
  if (s == 1) {
    copy(from + (first + begin), end - begin, to + begin);
  } else if (s == 2) {  // a stride that the compiler knows becomes shuffles
    for (int64_t i = begin; i < end; ++i) to[i] = from[first + i * 2];
  } else {
    for (int64_t i = begin; i < end; ++i) to[i] = from[first + i * s];
  }
  if (!padded) zero_fill(to + end, pitch_ - end);
}

template <class T>
const T* Columns<T>::strip(const T* image, int64_t channels, int64_t row, int64_t rows, T* buffer, bool padded) const {
  if (in_place_) return image + (row + y_.start) * pitch_ + x_.start;
  const int64_t height = copied_y_.extent(rows), period = y_.period(), gap = y_.shift(period);
  for (int64_t px = 0; px < x_phases_; ++px) {
    const RowSpan span = span_of(px * x_.spacing % x_.stride);
    for (int64_t c = 0; c < channels; ++c) {
      const T* from = image + c * y_.source * x_.source;
      for (int64_t py = 0; py < y_phases_; ++py) {
        const int64_t first = (row + copied_y_.base) * y_.stride + py * y_.spacing % y_.stride + y_.start;
        T* to = buffer + c * channel_ + (py * x_phases_ + px) * plane_;
        if (copied_y_.zeros && !padded) zero_fill(to + copied_y_.extent(strip_rows_) * pitch_, rows * pitch_);
        // The phase's taps begin `gap` rows apart, and read `rows`.
        const int64_t tap = copied_y_.first + (py - copied_y_.first % period + period) % period;
        const int64_t begin = y_.shift(tap) - copied_y_.base;
        for (int64_t r = 0; r < height; ++r, to += pitch_) {
          if (gap > rows && (r < begin || (r - begin) % gap >= rows)) continue;
          const int64_t y = first + r * y_.stride;
          if (y >= 0 && y < y_.source) {
            fill_row(from + y * x_.source, span, padded, to);
          } else if (!padded) {
            zero_fill(to, pitch_);
          }
        }
      }
    }
  }
  return buffer;
}

template <class T>
void Columns<T>::pack(const T* strip, const T* end, int64_t first, int64_t depth, int64_t width, int64_t position,
                      int64_t columns, T* panel) const {
  constexpr int64_t L = kLanes<T>, kWidth = kTileColumns<T>;
  // Rows without a gap between them are one long row.
  const Runs runs = runs_of<T>(position, columns, width == pitch_ ? position + columns : width, pitch_);
  const int64_t* offset = offset_ + first;
  const bool whole_packets = last_offset_ + runs.end <= end - strip;
  if (whole_packets && runs.count == 1 && columns == kWidth) {
    for (int64_t kk = 0; kk < depth; ++kk, panel += kWidth) {
      const T* from = strip + offset[kk] + runs.runs[0].from;
      for (int64_t i = 0; i < kWidth; i += L) pstoreu(panel + i, load(from, i));
    }
    return;
  }
  for (int64_t kk = 0; kk < depth; ++kk, panel += kWidth) {
    const T* from = strip + offset[kk];
    for (int64_t r = 0; r < runs.count; ++r) {
      const Run run = runs.runs[r];
      // Whole packets: what they write beyond a run is overwritten by the next run or row.
      for (int64_t i = 0; i < run.length; i += L) {
        const int64_t count = whole_packets ? L : smaller(L, run.length - i);
        pstoreu(panel + run.to + i, load_some(from + run.from, i, count));
      }
    }
  }
}

template class Columns<float>;
TEFF_IF_FLOAT64(template class Columns<double>;)

}  // namespace teff::kernels::TEFF_ISA
