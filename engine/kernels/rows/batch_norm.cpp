// SPDX-License-Identifier: MIT
#include <utility>

#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/reduce.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

// Two ways through [N, C, S]: plane by plane where a plane fills several packets, otherwise row by row of C *
// S values with the per-channel values repeated S times.
constexpr int64_t kSmallPlane = 32;

/// An operand with one value per channel; the others are [N, C, S].
template <class T>
struct PerChannel {
  const T* values;
};

template <class T>
const T* in_plane(const BatchNorm<T>& s, const T* x, int64_t plane) {
  return x + plane * s.spatial;
}
template <class T>
Repeat<T> in_plane(const BatchNorm<T>& s, PerChannel<T> x, int64_t plane) {
  return {splat(x.values[plane % s.channels])};
}

template <class T>
struct Rows {
  const T* x;
  int64_t length;
  const T* row(int64_t n) const { return x + n * length; }
};

template <class T>
class RepeatedRow {
 public:
  RepeatedRow(const BatchNorm<T>& s, const T* values)
      : space_(static_cast<std::size_t>(s.spatial == 1 ? 0 : s.channels * s.spatial)), values_(values) {
    if (s.spatial == 1) return;
    values_ = space_.data();
    for (int64_t c = 0; c < s.channels; ++c) {
      for (int64_t i = 0; i < s.spatial; ++i) space_.data()[c * s.spatial + i] = values[c];
    }
  }
  const T* row(int64_t) const { return values_; }

 private:
  Workspace<T> space_;
  const T* values_;
};

template <class T>
Rows<T> in_rows(const BatchNorm<T>& s, const T* x) {
  return {x, s.channels * s.spatial};
}
template <class T>
RepeatedRow<T> in_rows(const BatchNorm<T>& s, PerChannel<T> x) {
  return RepeatedRow<T>(s, x.values);
}

template <class T, class F, class... In>
void map_planes(const BatchNorm<T>& s, T* out, const F& f, In... in) {
  parallel_ranges(s.batch * s.channels, larger(1, kGrain / s.spatial), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) map(0, s.spatial, out + p * s.spatial, f, in_plane(s, in, p)...);
  });
}

template <class T, class F, class... In>
void map_rows(const BatchNorm<T>& s, T* out, const F& f, const In&... in) {
  const int64_t length = s.channels * s.spatial;
  parallel_ranges(s.batch, larger(1, kGrain / larger(1, length)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) map(0, length, out + n * length, f, in.row(n)...);
  });
}

/// out[n, c, s] = f(in...)
template <class T, class F, class... In>
void map_channels(const BatchNorm<T>& s, T* out, const F& f, In... in) {
  if (s.spatial >= kSmallPlane) return map_planes(s, out, f, in...);
  map_rows(s, out, f, in_rows(s, in)...);
}

/// y[c] = scale * sum over n and s of f(in...), planes summed in pairs and added up as doubles. f must make 0
/// of `fill`, which may be null if that is 0.
template <class T, class F, class... In>
void sum_channels(const BatchNorm<T>& s, double scale, const T* fill, T* y, const F& f, In... in) {
  const int64_t planes = s.batch * s.channels;
  if (s.spatial < kSmallPlane) {
    Workspace<T> terms(static_cast<std::size_t>(planes * s.spatial));
    map_channels(s, terms.data(), f, in...);
    sum_per_channel(s.batch, s.channels, s.spatial, static_cast<const T*>(terms.data()), y);
    for (int64_t c = 0; c < s.channels; ++c) y[c] = static_cast<T>(scale * static_cast<double>(y[c]));
    return;
  }
  Workspace<T> space(static_cast<std::size_t>(planes));
  T* const sums = space.data();
  parallel_ranges(planes, larger(1, kGrain / s.spatial), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const T beyond = fill == nullptr ? T(0) : fill[p % s.channels];
      sums[p] = reduce_row<Sum, T>(0, s.spatial, beyond, f, in_plane(s, in, p)...);
    }
  });
  for (int64_t c = 0; c < s.channels; ++c) {
    double total = 0;
    for (int64_t p = c; p < planes; p += s.channels) total += static_cast<double>(sums[p]);
    y[c] = static_cast<T>(scale * total);
  }
}

template <class T>
double inverse_count(const BatchNorm<T>& s) {
  return 1 / static_cast<double>(s.batch * s.spatial);
}

template <class T>
T weight_of(const BatchNorm<T>& s, int64_t c) {
  return s.weight == nullptr ? T(1) : s.weight[c];
}

template <class T>
void batch_norm_statistics(const BatchNorm<T>& s, const T* x, T* mean, T* variance) {
  using P = Packet<T>;
  const PerChannel<T> centre{mean};
  sum_channels(
      s, inverse_count(s), static_cast<const T*>(nullptr), mean, [](P v) { return v; }, x);
  const auto square = [](P v, P m) { return pmul(psub(v, m), psub(v, m)); };
  sum_channels(s, inverse_count(s), static_cast<const T*>(mean), variance, square, x, centre);
}

template <class T>
void batch_norm(const BatchNorm<T>& s, const T* x, const T* mean, const T* inverse_std, T* y) {
  using P = Packet<T>;
  Workspace<T> space(static_cast<std::size_t>(2 * s.channels));
  T* const scale = space.data();
  T* const shift = scale + s.channels;
  for (int64_t c = 0; c < s.channels; ++c) {
    scale[c] = inverse_std[c] * weight_of(s, c);
    shift[c] = s.bias == nullptr ? T(0) : s.bias[c];
  }
  const auto normalise = [](P v, P m, P a, P b) { return pmadd(psub(v, m), a, b); };
  map_channels(s, y, normalise, x, PerChannel<T>{mean}, PerChannel<T>{scale}, PerChannel<T>{shift});
}

// With xhat = (x - mean) * inverse_std:
//   dweight = sum(dy * xhat)    dbias = sum(dy)
//   training:   dx = weight * inverse_std * (dy - mean(dy) - xhat * mean(dy * xhat))
//   otherwise:  dx = weight * inverse_std * dy
template <class T>
void batch_norm_backward(const BatchNorm<T>& s, bool training, const T* grad, const T* x, const T* mean,
                         const T* inverse_std, T* grad_x, T* grad_weight, T* grad_bias) {
  using P = Packet<T>;
  Workspace<T> space(static_cast<std::size_t>(5 * s.channels));
  T* const scale = space.data();
  T* const slope = scale + s.channels;   // of dx over x - mean
  T* const offset = slope + s.channels;  // mean(dy)
  T* const sums = grad_bias != nullptr ? grad_bias : offset + s.channels;
  T* const products = grad_weight != nullptr ? grad_weight : offset + 2 * s.channels;
  const bool mean_gradient = training && grad_x != nullptr;
  const T* const none = nullptr;
  if (grad_bias != nullptr || mean_gradient)
    sum_channels(
        s, 1, none, sums, [](P g) { return g; }, grad);
  if (grad_weight != nullptr || mean_gradient) {
    const auto product = [](P g, P v, P m) { return pmul(g, psub(v, m)); };
    sum_channels(s, 1, none, products, product, grad, x, PerChannel<T>{mean});
    for (int64_t c = 0; c < s.channels; ++c) products[c] *= inverse_std[c];
  }
  if (grad_x == nullptr) return;
  const T per_value = static_cast<T>(inverse_count(s));
  for (int64_t c = 0; c < s.channels; ++c) {
    scale[c] = weight_of(s, c) * inverse_std[c];
    if (!training) continue;
    slope[c] = inverse_std[c] * products[c] * per_value;
    offset[c] = sums[c] * per_value;
  }
  const PerChannel<T> m{mean}, a{scale}, k{slope}, d{offset};
  if (!training)
    return map_channels(
        s, grad_x, [](P g, P w) { return pmul(g, w); }, grad, a);
  const auto derivative = [](P g, P v, P centre, P w, P per_x, P mean_grad) {
    return pmul(psub(psub(g, mean_grad), pmul(psub(v, centre), per_x)), w);
  };
  map_channels(s, grad_x, derivative, grad, x, m, a, k, d);
}

}  // namespace

extern constinit const Tables<BatchNormKernels> batch_norm_tables =
    make_tables<BatchNormKernels>([]<class T>(T) -> BatchNormKernels<T> {
      return {.batch_norm_statistics = batch_norm_statistics<T>,
              .batch_norm = batch_norm<T>,
              .batch_norm_backward = if_training(batch_norm_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
