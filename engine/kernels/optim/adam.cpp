// SPDX-License-Identifier: MIT

// Optimisers with a step size of its own for each value: Adam, RMSprop, Adagrad. Products and sums are rounded where
// PyTorch rounds them.

#include "teff/engine/kernels/isa/packet_math.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/optim/optim_kernels.h"
#include "teff/engine/kernels/optim/optimizer_loop.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// A moving average: average = beta * average + (1 - beta) * value.
template <class T>
struct Decay {
  explicit Decay(double beta) : keep(splat(static_cast<T>(beta))), fresh(splat(static_cast<T>(1 - beta))) {}

  Packet<T> of(Packet<T> average, Packet<T> value) const { return pmadd(value, fresh, pmul(average, keep)); }
  Packet<T> of_square(Packet<T> average, Packet<T> value) const {
    return pmadd(pmul(fresh, value), value, pmul(average, keep));
  }

  Packet<T> keep, fresh;
};

template <class T>
void adam(const AdamFactors& options, int64_t begin, int64_t end, const T* grad, T* exp_avg, T* exp_avg_sq, T* largest,
          T* parameter) {
  using P = Packet<T>;
  const Direction<T> direction(options.maximize, options.weight_decay);
  const Decay<T> first(options.beta1), second(options.beta2);
  const P shrink = splat(static_cast<T>(options.shrink)), correction = splat(static_cast<T>(options.root_correction));
  const P eps = splat(static_cast<T>(options.eps)), minus_step = splat(static_cast<T>(-options.step_size));
  for_each_packet<T>(begin, end, [=](int64_t i, int64_t count) {
    P p = load_some(parameter, i, count);
    const P g = direction(load_some(grad, i, count), p);
    const P m = first.of(load_some(exp_avg, i, count), g);
    P v = second.of_square(load_some(exp_avg_sq, i, count), g);
    store_some(exp_avg, i, count, m);
    store_some(exp_avg_sq, i, count, v);
    if (largest != nullptr) {
      v = maximum(load_some(largest, i, count), v);
      store_some(largest, i, count, v);
    }
    const P root = padd(pdiv(packet_sqrt<T>(v), correction), eps);
    p = pmul(p, shrink);
    store_some(parameter, i, count, padd(p, pdiv(pmul(minus_step, m), root)));
  });
}

template <class T>
void rmsprop(const RmspropFactors& options, int64_t begin, int64_t end, const T* grad, T* square_avg, T* grad_avg,
             T* momentum_buffer, T* parameter) {
  using P = Packet<T>;
  const Direction<T> direction(options.maximize, options.weight_decay);
  const Decay<T> decay(options.alpha);
  const P eps = splat(static_cast<T>(options.eps)), minus_lr = splat(static_cast<T>(-options.lr));
  const P momentum = splat(static_cast<T>(options.momentum)), minus_one = splat(T(-1));
  for_each_packet<T>(begin, end, [=](int64_t i, int64_t count) {
    const P p = load_some(parameter, i, count);
    const P g = direction(load_some(grad, i, count), p);
    P square = decay.of_square(load_some(square_avg, i, count), g);
    store_some(square_avg, i, count, square);
    if (grad_avg != nullptr) {
      const P mean = decay.of(load_some(grad_avg, i, count), g);
      store_some(grad_avg, i, count, mean);
      square = pmadd(pmul(minus_one, mean), mean, square);
    }
    const P root = padd(packet_sqrt<T>(square), eps);
    if (momentum_buffer == nullptr) {
      store_some(parameter, i, count, padd(p, pdiv(pmul(minus_lr, g), root)));
    } else {
      const P b = padd(pmul(load_some(momentum_buffer, i, count), momentum), pdiv(g, root));
      store_some(momentum_buffer, i, count, b);
      store_some(parameter, i, count, pmadd(b, minus_lr, p));
    }
  });
}

template <class T>
void adagrad(const AdagradFactors& options, int64_t begin, int64_t end, const T* grad, T* sum, T* parameter) {
  using P = Packet<T>;
  const Direction<T> direction(options.maximize, options.weight_decay);
  const P eps = splat(static_cast<T>(options.eps)), minus_lr = splat(static_cast<T>(-options.lr));
  for_each_packet<T>(begin, end, [=](int64_t i, int64_t count) {
    const P p = load_some(parameter, i, count);
    const P g = direction(load_some(grad, i, count), p);
    const P s = pmadd(g, g, load_some(sum, i, count));
    store_some(sum, i, count, s);
    const P root = padd(packet_sqrt<T>(s), eps);
    store_some(parameter, i, count, padd(p, pdiv(pmul(minus_lr, g), root)));
  });
}

template <class T>
void adam_step(const AdamFactors& options, int64_t n, const T* grad, T* exp_avg, T* exp_avg_sq, T* max_exp_avg_sq,
               T* parameter) {
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    adam(options, begin, end, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, parameter);
  });
}

template <class T>
void rmsprop_step(const RmspropFactors& options, int64_t n, const T* grad, T* square_avg, T* grad_avg,
                  T* momentum_buffer, T* parameter) {
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    rmsprop(options, begin, end, grad, square_avg, grad_avg, momentum_buffer, parameter);
  });
}

template <class T>
void adagrad_step(const AdagradFactors& options, int64_t n, const T* grad, T* sum, T* parameter) {
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) { adagrad(options, begin, end, grad, sum, parameter); });
}

}  // namespace

extern constinit const Tables<AdamKernels> adam_tables = make_tables<AdamKernels>([]<class T>(T) -> AdamKernels<T> {
  return {.adam_step = if_training(adam_step<T>),
          .rmsprop_step = if_training(rmsprop_step<T>),
          .adagrad_step = if_training(adagrad_step<T>)};
});

}  // namespace teff::kernels::TEFF_ISA
