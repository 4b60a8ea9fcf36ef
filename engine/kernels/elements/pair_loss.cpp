// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/isa/packet_math.h"
#include "teff/engine/kernels/isa/tables.h"

namespace teff::kernels::TEFF_ISA {
namespace {

namespace ei = Eigen::internal;

// Each loss has value(x, t) and its derivatives by_x(x, t) and by_target(x, t), which is by_x(t, x) where kSymmetric.
// With d = x - t:

template <class T>
Packet<T> sign_of(Packet<T> d) {
  using P = Packet<T>;
  const P zero = splat(T(0)), one = splat(T(1));
  const P above = ei::pand(ei::pcmp_lt(zero, d), one), below = ei::pand(ei::pcmp_lt(d, zero), one);
  return psub(above, below);
}

/// d^2
template <class T>
struct Squared {
  using P = Packet<T>;
  static constexpr bool kSymmetric = true;
  P value(P x, P t) const { return pmul(psub(x, t), psub(x, t)); }
  P by_x(P x, P t) const { return pmul(splat(T(2)), psub(x, t)); }
};

/// |d|; derivative at 0: 0
template <class T>
struct Absolute {
  using P = Packet<T>;
  static constexpr bool kSymmetric = true;
  P value(P x, P t) const { return ei::pabs(psub(x, t)); }
  P by_x(P x, P t) const { return sign_of<T>(psub(x, t)); }
};

/// scale * (|d| < edge ? d^2 / (2 edge) : |d| - edge / 2): smooth_l1 with edge = beta and scale 1, huber with
/// edge = scale = delta.
template <class T>
struct Rounded {
  using P = Packet<T>;
  static constexpr bool kSymmetric = true;
  P edge, scale;
  P value(P x, P t) const {
    const P size = ei::pabs(psub(x, t)), half = splat(T(0.5));
    const P inside = pdiv(pmul(pmul(half, size), size), edge);
    return pmul(scale, pselect(ei::pcmp_le(edge, size), psub(size, pmul(half, edge)), inside));
  }
  P by_x(P x, P t) const {
    const P d = psub(x, t);
    return pmul(scale, pselect(ei::pcmp_le(edge, ei::pabs(d)), sign_of<T>(d), pdiv(d, edge)));
  }
};

/// -(t * log(x) + (1 - t) * log(1 - x)), the logarithms not below -100; x in [0, 1].
/// d/dx = (x - t) / (x * (1 - x)), the divisor not below 1e-12
template <class T>
struct CrossEntropy {
  using P = Packet<T>;
  static constexpr bool kSymmetric = false;
  static P bounded_log(P x) { return maximum(packet_log<T>(x), splat(T(-100))); }
  P value(P x, P t) const {
    const P one = splat(T(1)), log_x = bounded_log(x), log_rest = bounded_log(psub(one, x));
    return psub(pmul(psub(t, one), log_rest), pmul(t, log_x));
  }
  P by_x(P x, P t) const { return pdiv(psub(x, t), maximum(pmul(x, psub(splat(T(1)), x)), splat(T(1e-12)))); }
  P by_target(P x, P) const { return psub(packet_log<T>(psub(splat(T(1)), x)), packet_log<T>(x)); }
};

/// The same of sigmoid(x): max(x, 0) - x * t + log(1 + exp(-|x|)); d/dx = sigmoid(x) - t, d/dt = -x
template <class T>
struct CrossEntropyOfLogits {
  using P = Packet<T>;
  static constexpr bool kSymmetric = false;
  P value(P x, P t) const {
    const P zero = splat(T(0));
    const P tail = packet_log1p<T>(packet_exp<T>(psub(zero, ei::pabs(x))));
    return padd(psub(maximum(x, zero), pmul(x, t)), tail);
  }
  P by_x(P x, P t) const { return psub(packet_sigmoid<T>(x), t); }
  P by_target(P x, P) const { return psub(splat(T(0)), x); }
};

/// t * (log(t) - x) with 0 * log(0) = 0; d/dx = -t, d/dt = log(t) + 1 - x, and -x at t = 0
template <class T>
struct Divergence {
  using P = Packet<T>;
  static constexpr bool kSymmetric = false;
  static P log_of(P t, P at_zero, P above) { return pselect(pcmp_eq(t, splat(T(0))), at_zero, above); }
  P value(P x, P t) const {
    const P zero = splat(T(0));
    return psub(log_of(t, zero, pmul(t, packet_log<T>(t))), pmul(t, x));
  }
  P by_x(P, P t) const { return psub(splat(T(0)), t); }
  P by_target(P x, P t) const { return psub(log_of(t, splat(T(0)), padd(packet_log<T>(t), splat(T(1)))), x); }
};

/// exp(t) * (t - x); d/dx = -exp(t), d/dt = exp(t) * (t - x + 1)
template <class T>
struct DivergenceOfLogs {
  using P = Packet<T>;
  static constexpr bool kSymmetric = false;
  P value(P x, P t) const { return pmul(packet_exp<T>(t), psub(t, x)); }
  P by_x(P, P t) const { return psub(splat(T(0)), packet_exp<T>(t)); }
  P by_target(P x, P t) const { return pmul(packet_exp<T>(t), padd(psub(t, x), splat(T(1)))); }
};

/// Calls use(f) with the loss.
template <class T, class Use>
void with_loss(PairLoss loss, T parameter, const Use& use) {
  switch (loss) {
    case PairLoss::mse:
      return use(Squared<T>());
    case PairLoss::l1:
      return use(Absolute<T>());
    case PairLoss::smooth_l1:
    case PairLoss::huber:
      return use(Rounded<T>{splat(parameter), splat(loss == PairLoss::huber ? parameter : T(1))});
    case PairLoss::bce:
      return use(CrossEntropy<T>());
    case PairLoss::bce_with_logits:
      return use(CrossEntropyOfLogits<T>());
    case PairLoss::kl_div:
      return use(Divergence<T>());
    case PairLoss::kl_div_log_target:
      return use(DivergenceOfLogs<T>());
  }
}

// Each function stands once in the program, in a loop over whole packets: there are many, and some are long.

enum class Wanted { value, by_x, by_target };

/// What is wanted of the loss; of a derivative, grad[i] * scale times it.
template <class T>
struct Work {
  PairLoss loss;
  T parameter;
  Wanted wanted;
  T scale = 1;
  int64_t grad_mask = 0;  // of i: 0 where grad is one packet of equal values, or else all bits
};

template <class T>
[[gnu::noinline]] void whole_packets(const Work<T>& work, int64_t n, const T* grad, const T* x, const T* target,
                                     T* out) {
  using P = Packet<T>;
  const auto each = [=](const auto& f) {
    for (int64_t i = 0; i < n; i += kLanes<T>) pstoreu(out + i, f(i, load(x, i), load(target, i)));
  };
  const P factor = splat(work.scale);
  const auto weight = [=, mask = work.grad_mask](int64_t i) { return pmul(load(grad, i & mask), factor); };
  with_loss(work.loss, work.parameter, [&](const auto f) {
    if (work.wanted == Wanted::value) {
      each([f](int64_t, P u, P v) { return f.value(u, v); });
    } else if (work.wanted == Wanted::by_x) {
      each([f, weight](int64_t i, P u, P v) { return pmul(weight(i), f.by_x(u, v)); });
    } else if constexpr (f.kSymmetric) {
      Work<T> swapped = work;
      swapped.wanted = Wanted::by_x;
      whole_packets(swapped, n, grad, target, x, out);
    } else {
      each([f, weight](int64_t i, P u, P v) { return pmul(weight(i), f.by_target(u, v)); });
    }
  });
}

/// out[i] = what is wanted at grad[i], x[i] and target[i]
template <class T>
void evaluate(const Work<T>& work, int64_t n, const T* grad, const T* x, const T* target, T* out) {
  const int64_t whole = n / kLanes<T> * kLanes<T>, rest = n - whole;
  whole_packets(work, whole, grad, x, target, out);
  if (rest == 0) return;
  T last_grad[kLanes<T>], last_x[kLanes<T>], last_target[kLanes<T>], last[kLanes<T>];
  if (work.grad_mask != 0) {
    pstoreu(last_grad, load_part(grad, whole, rest));
    grad = last_grad;
  }
  pstoreu(last_x, load_part(x, whole, rest));
  pstoreu(last_target, load_part(target, whole, rest));
  whole_packets(work, kLanes<T>, grad, last_x, last_target, last);
  store_part(out, whole, rest, load(last, 0));
}

template <class T>
void pair_loss(PairLoss loss, int64_t n, T parameter, const T* x, const T* target, T* result) {
  parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) {
    const Work<T> work{loss, parameter, Wanted::value};
    evaluate(work, end - begin, static_cast<const T*>(nullptr), x + begin, target + begin, result + begin);
  });
}

/// out[i] = grad[i * grad_step] * scale * derivative at x[i] and target[i]
template <class T>
void weigh(const Work<T>& work, int64_t n, const T* grad, const T* x, const T* target, T* out) {
  if (n == 0 || out == nullptr) return;
  parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) {
    if (work.grad_mask != 0) return evaluate(work, end - begin, grad + begin, x + begin, target + begin, out + begin);
    T same_grad[kLanes<T>];
    pstoreu(same_grad, splat(*grad));
    evaluate(work, end - begin, static_cast<const T*>(same_grad), x + begin, target + begin, out + begin);
  });
}

template <class T>
void pair_loss_backward(PairLoss loss, int64_t n, T parameter, const T* grad, int grad_step, T scale, const T* x,
                        const T* target, T* grad_x, T* grad_target) {
  const int64_t grad_mask = grad_step == 0 ? 0 : -1;
  weigh({loss, parameter, Wanted::by_x, scale, grad_mask}, n, grad, x, target, grad_x);
  weigh({loss, parameter, Wanted::by_target, scale, grad_mask}, n, grad, x, target, grad_target);
}

}  // namespace

extern constinit const Tables<PairLossKernels> pair_loss_tables =
    make_tables<PairLossKernels>([]<class T>(T) -> PairLossKernels<T> {
      return {.pair_loss = pair_loss<T>, .pair_loss_backward = if_training(pair_loss_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
