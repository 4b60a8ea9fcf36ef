// SPDX-License-Identifier: MIT

// Pooling and resizing.

#include <cmath>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/window.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

/// A window on images of one row, where they have one dimension.
struct Pooling {
  Tensor x;
  Pair kernel, stride, dilation, padding;
  bool is_row;

  Pooling(const Tensor& image, const OnnxWindow& w) : x(w.rank() == 1 ? add_row(image) : image), is_row(w.rank() == 1) {
    const auto pair = [&](const Numbers& values, std::int64_t row) {
      return is_row ? Pair(row, values[0]) : w.pair(values);
    };
    kernel = pair(w.kernel, 1);
    stride = pair(w.stride, 1);
    dilation = pair(w.dilation, 1);
    padding = pair(w.pads, 0);
  }
  Tensor result(const Tensor& y) const { return is_row ? drop_row(y) : y; }
};

bool fits_pool(const OnnxWindow& w) {
  for (std::size_t i = 0; i < w.rank(); ++i) {
    if (2 * w.pads[i] > w.kernel[i]) return false;
  }
  return w.is_symmetric();
}

void check_rank(const OnnxWindow& w) {
  expect_supported(w.rank() <= 2, "expected images of one or two dimensions, got one of " + std::to_string(w.rank()));
}

Tensor max_pooled(const Call& c) {
  c.ignore("storage_order");
  expect_supported(!c.wants(1), "expected the maxima alone, got a name for their places");
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  Tensor x = c.tensor(0);
  if (!fits_pool(w)) {
    x = pad(x, w.sides(), -std::numeric_limits<double>::infinity());
    w.pads.assign(w.pads.size(), 0);
  }
  const Pooling p(x, w);
  return p.result(max_pool2d(
      p.x, p.kernel,
      {.stride = p.stride, .padding = p.padding, .dilation = p.dilation, .ceil_mode = c.flag("ceil_mode", false)}));
}

/// Where pads differ, or go beyond half the kernel, the zeros are put there before; the mean of ones that are padded so
/// tells what part of a window is none.
Tensor average_pooled(const Call& c) {
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  const bool counts_pads = c.flag("count_include_pad", false), rounds_up = c.flag("ceil_mode", false);
  for (const std::int64_t dilation : w.dilation) {
    expect_supported(dilation == 1, "expected windows without dilation, got one of " + std::to_string(dilation));
  }
  const Tensor x = c.tensor(0);
  if (fits_pool(w)) {
    const Pooling p(x, w);
    return p.result(avg_pool2d(
        p.x, p.kernel,
        {.stride = p.stride, .padding = p.padding, .ceil_mode = rounds_up, .count_include_pad = counts_pads}));
  }
  const IntList sides = w.sides();
  w.pads.assign(w.pads.size(), 0);
  const auto mean_of = [&](const Tensor& image) {
    const Pooling p(image, w);
    return p.result(avg_pool2d(p.x, p.kernel, {.stride = p.stride, .ceil_mode = rounds_up}));
  };
  const Tensor sums = mean_of(pad(x, sides));
  if (counts_pads) return sums;
  const Tensor one = expand(full({}, 1.0, {.dtype = x.dtype()}), x.shape());
  return sums / mean_of(pad(one, sides));
}

template <Tensor (*reduce)(const Tensor&, const IntList&, bool)>
Tensor global(const Call& c) {
  const Tensor x = c.tensor(0);
  IntList dims;
  for (std::int64_t i = 2; i < x.dim(); ++i) dims.push_back(i);
  return dims.empty() ? x : reduce(x, dims, true);
}

Tensor global_average(const Call& c) {
  const Tensor x = c.tensor(0);
  return x.dim() == 4 ? adaptive_avg_pool2d(x, 1) : global<mean>(c);
}

/// Powers of the absolute values are averaged.
Tensor power_pooled(const Call& c) {
  const double p = c.number("p", 2);
  OnnxWindow w(c, c.integers("kernel_shape"));
  check_rank(w);
  const std::int64_t count = w.rank() == 1 ? w.kernel[0] : w.kernel[0] * w.kernel[1];
  const Tensor x = pow(abs(c.tensor(0)), p);
  const IntList sides = w.sides();
  w.pads.assign(w.pads.size(), 0);
  const Pooling q(pad(x, sides), w);
  return pow(q.result(avg_pool2d(q.x, q.kernel, {.stride = q.stride, .ceil_mode = c.flag("ceil_mode", false)})) *
                 static_cast<double>(count),
             1 / p);
}

constexpr OperatorRow kPoolingRows[] = {
    {"AveragePool", average_pooled}, {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global<amax>}, {"LpPool", power_pooled},
    {"MaxPool", max_pooled},
};

}  // namespace

const std::span<const OperatorRow> operators::pooling = kPoolingRows;

}  // namespace teff::serialize
