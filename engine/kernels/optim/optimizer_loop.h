// SPDX-License-Identifier: MIT
#pragma once

// What the steps of the optimisers have in common.

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

/// The direction to go: (maximize ? -grad : grad) + weight_decay * p
template <class T>
class Direction {
 public:
  Direction(bool maximize, double weight_decay)
      : sign_(splat(maximize ? T(-0.0) : T(0))),
        decay_(splat(static_cast<T>(weight_decay))),
        has_decay_(weight_decay != 0) {}

  Packet<T> operator()(Packet<T> grad, Packet<T> p) const {
    const Packet<T> g = Eigen::internal::pxor(grad, sign_);
    return has_decay_ ? pmadd(p, decay_, g) : g;
  }

 private:
  Packet<T> sign_, decay_;
  bool has_decay_;
};

/// update(i, count) for packets of `count` values from i on, over [begin, end); the last may be incomplete.
template <class T, class F>
void for_each_packet(int64_t begin, int64_t end, const F& update) {
  int64_t i = begin;
  for (; i + kLanes<T> <= end; i += kLanes<T>) update(i, kLanes<T>);
  if (i < end) update(i, end - i);
}

}  // namespace teff::kernels::TEFF_ISA
