// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/optim/optim_kernels.h"
#include "teff/engine/kernels/optim/optimizer_loop.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// The step with the options that change what is read and written known at compile time.
template <bool kMomentum, bool kFirst, class T>
void step(const SgdFactors& options, int64_t begin, int64_t end, const T* grad, T* buffer, T* parameter) {
  using P = Packet<T>;
  const Direction<T> direction(options.maximize, options.weight_decay);
  const P momentum = splat(static_cast<T>(options.momentum));
  const P fresh = splat(static_cast<T>(1 - options.dampening)), minus_lr = splat(static_cast<T>(-options.lr));
  const bool nesterov = options.nesterov;
  // Every multiply-add is one rounding and the product of the buffer another, as in PyTorch.
  for_each_packet<T>(begin, end, [=](int64_t i, int64_t count) {
    const P p = load_some(parameter, i, count);
    P g = direction(load_some(grad, i, count), p);
    if constexpr (kMomentum) {
      P b = g;
      if constexpr (!kFirst) b = pmadd(g, fresh, pmul(load_some(buffer, i, count), momentum));
      store_some(buffer, i, count, b);
      g = nesterov ? pmadd(b, momentum, g) : b;
    }
    store_some(parameter, i, count, pmadd(g, minus_lr, p));
  });
}

template <class T>
void sgd_step(const SgdFactors& options, int64_t n, const T* grad, T* momentum_buffer, T* parameter) {
  parallel_ranges(n, kStepGrain, [&](int64_t begin, int64_t end) {
    if (options.momentum == 0) {
      step<false, false>(options, begin, end, grad, momentum_buffer, parameter);
    } else if (options.first_step) {
      step<true, true>(options, begin, end, grad, momentum_buffer, parameter);
    } else {
      step<true, false>(options, begin, end, grad, momentum_buffer, parameter);
    }
  });
}

}  // namespace

extern constinit const Tables<SgdKernels> sgd_tables =
    make_tables<SgdKernels>([]<class T>(T) -> SgdKernels<T> { return {.sgd_step = if_training(sgd_step<T>)}; });

}  // namespace teff::kernels::TEFF_ISA
