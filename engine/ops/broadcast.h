// SPDX-License-Identifier: MIT
#pragma once

// Private: two arrays read as if both had one shape.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/op.h"
#include "teff/engine/parallel.h"

namespace teff::ops {

/// Sizes are equal, 1 or missing in front, dimension by dimension.
Shape broadcast_shape(std::string_view op, const Shape& a, const Shape& b);

/// The sum of x over what was broadcast when a tensor of shape `shape` became x: the gradient of
/// broadcasting.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// x repeated to the shape of `result`, of its dtype, with which it broadcasts.
void broadcast_to(const Tensor& x, const Tensor& result);

/// A long piece of a pair of broadcast arrays: element i is a[a_begin + i * a_step], b[b_begin + i * b_step]
/// and out[out_begin + i], with steps 0 or 1.
struct BroadcastRun {
  std::int64_t count;
  std::int64_t a_begin, b_begin, out_begin;
  int a_step, b_step;
};

/// Neighbouring dimensions are joined where both arrays allow, so runs are as long as they can be.
class Broadcast {
 public:
  /// `out` is the broadcast shape of a and b.
  Broadcast(const Shape& out, const Shape& a, const Shape& b);

  /// Calls function(BroadcastRun) for all runs, in parallel where that is worth it.
  template <class Function>
  void for_each_run(const Function& function) const {
    if (numel_ == 0) return;
    const std::int64_t grain = kernels::kGrain / last().size > 1 ? kernels::kGrain / last().size : 1;
    parallel_ranges(numel_ / last().size, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) function(run(i));
    });
  }

 private:
  struct Dim {
    std::int64_t size, a_stride, b_stride;
  };

  const Dim& last() const { return dims_[rank_ - 1]; }
  void add(const Dim& dim);
  BroadcastRun run(std::int64_t index) const;

  std::array<Dim, kMaxRank + 1> dims_;
  std::size_t rank_ = 0;
  std::int64_t numel_ = 1;
};

}  // namespace teff::ops
