// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/reduce.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

template <class T>
int64_t row_length(const GroupNorm<T>& s) {
  return s.channels * s.spatial;
}

template <class T>
int64_t all_channels(const GroupNorm<T>& s) {
  return s.groups * s.channels;
}

/// weight or bias, or its constant stand-in.
template <class T>
class PerChannel {
 public:
  PerChannel(const GroupNorm<T>& s, const T* values, T otherwise)
      : space_(static_cast<std::size_t>(values == nullptr ? all_channels(s) : 0)), values_(values) {
    if (values != nullptr) return;
    for (int64_t c = 0; c < all_channels(s); ++c) space_.data()[c] = otherwise;
    values_ = space_.data();
  }
  /// The values of the channels of row r.
  const T* row(const GroupNorm<T>& s, int64_t r) const { return values_ + r % s.groups * s.channels; }

 private:
  Workspace<T> space_;
  const T* values_;
};

/// Calls use(begin, end, operand...) for runs of a row in which each per-channel array, given as the values of the
/// row's channels, is one operand of map.
template <class T, class Use, class... Values>
void for_each_run(const GroupNorm<T>& s, const Use& use, const Values*... values) {
  if (s.spatial == 1) return use(int64_t{0}, s.channels, values...);
  for (int64_t c = 0; c < s.channels; ++c) use(c * s.spatial, (c + 1) * s.spatial, Repeat<T>{splat(values[c])}...);
}

template <class T, class F>
void for_each_row(const GroupNorm<T>& s, const F& f) {
  parallel_ranges(s.rows, larger(1, kGrain / larger(1, row_length(s))), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) f(r);
  });
}

template <class T>
void group_norm(const GroupNorm<T>& s, double eps, const T* x, T* y, T* mean, T* inverse_std) {
  using P = Packet<T>;
  const int64_t n = row_length(s);
  const PerChannel<T> weight(s, s.weight, 1), bias(s, s.bias, 0);
  for_each_row(s, [&](int64_t r) {
    const T* const row = x + r * n;
    const T m = reduce_row<Sum>(n, row) / static_cast<T>(n);
    const P centre = splat(m);
    const auto square = [=](P v) { return pmul(psub(v, centre), psub(v, centre)); };
    const double variance = static_cast<double>(reduce_row<Sum, T>(0, n, m, square, row)) / static_cast<double>(n);
    mean[r] = m;
    inverse_std[r] = static_cast<T>(1 / std::sqrt(variance + eps));
    const P scale = splat(inverse_std[r]);
    const auto normalise = [=](P v, P w, P b) { return pmadd(pmul(psub(v, centre), scale), w, b); };
    for_each_run(
        s, [&](int64_t begin, int64_t end, auto w, auto b) { map(begin, end, y + r * n, normalise, row, w, b); },
        weight.row(s, r), bias.row(s, r));
  });
}

/// With z = (x - mean) * inverse_std and n values in a row:
///   dx = inverse_std * (w * dy - sum(w * dy) / n - z * sum(w * dy * z) / n)
template <class T>
void input_gradient(const GroupNorm<T>& s, const T* grad, const T* x, const T* mean, const T* inverse_std, T* grad_x) {
  using P = Packet<T>;
  const int64_t n = row_length(s);
  const PerChannel<T> weight(s, s.weight, 1);
  for_each_row(s, [&](int64_t r) {
    const T *const g = grad + r * n, *const v = x + r * n;
    const P centre = splat(mean[r]), scale = splat(inverse_std[r]);
    T sum = 0, product = 0;
    const auto weigh = [](P dy, P w) { return pmul(dy, w); };
    const auto multiply = [=](P dy, P w, P value) { return pmul(pmul(dy, w), psub(value, centre)); };
    const auto add_up = [&](int64_t begin, int64_t end, auto w) {
      sum += reduce_row<Sum, T>(begin, end, T(0), weigh, g, w);
      product += reduce_row<Sum, T>(begin, end, T(0), multiply, g, w, v);
    };
    for_each_run(s, add_up, weight.row(s, r));
    const P offset = splat(sum / static_cast<T>(n));
    const P slope = splat(product * inverse_std[r] * inverse_std[r] / static_cast<T>(n));
    const auto derive = [=](P dy, P w, P value) {
      return pmul(psub(pmadd(dy, w, psub(splat(T(0)), offset)), pmul(psub(value, centre), slope)), scale);
    };
    for_each_run(
        s, [&](int64_t begin, int64_t end, auto w) { map(begin, end, grad_x + r * n, derive, g, w, v); },
        weight.row(s, r));
  });
}

// dweight = sum(dy * z) and dbias = sum(dy) over all but the channels.
template <class T>
void group_norm_backward(const GroupNorm<T>& s, const T* grad, const T* x, const T* mean, const T* inverse_std,
                         T* grad_x, T* grad_weight, T* grad_bias) {
  using P = Packet<T>;
  const int64_t n = row_length(s), batch = s.rows / s.groups;
  if (grad_x != nullptr) input_gradient(s, grad, x, mean, inverse_std, grad_x);
  if (grad_bias != nullptr) sum_per_channel(batch, all_channels(s), s.spatial, grad, grad_bias);
  if (grad_weight == nullptr) return;
  Workspace<T> terms(static_cast<std::size_t>(s.rows * n));
  for_each_row(s, [&](int64_t r) {
    const P centre = splat(mean[r]), scale = splat(inverse_std[r]);
    const auto term = [=](P dy, P v) { return pmul(dy, pmul(psub(v, centre), scale)); };
    map(0, n, terms.data() + r * n, term, grad + r * n, x + r * n);
  });
  sum_per_channel(batch, all_channels(s), s.spatial, static_cast<const T*>(terms.data()), grad_weight);
}

}  // namespace

extern constinit const Tables<GroupNormKernels> group_norm_tables =
    make_tables<GroupNormKernels>([]<class T>(T) -> GroupNormKernels<T> {
      return {.group_norm = group_norm<T>, .group_norm_backward = if_training(group_norm_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
