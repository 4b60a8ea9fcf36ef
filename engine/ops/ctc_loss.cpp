// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "teff/engine/error_text.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/reduction.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // log(0)

double log_add(double a, double b) {
  if (a == kNever) return b;
  if (b == kNever) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// One sequence. Its states are the labels with blanks between and around them: blank l1 blank l2 ... blank.
template <class T>
struct Sequence {
  const T* log_probs;  // of the first step; a step later they are `step` further
  std::int64_t steps, step;
  const std::int64_t* labels;
  std::int64_t length, blank;

  std::int64_t states() const { return 2 * length + 1; }
  std::int64_t label(std::int64_t state) const { return state % 2 == 0 ? blank : labels[state / 2]; }
  double log_prob(std::int64_t t, std::int64_t state) const {
    return static_cast<double>(log_probs[t * step + label(state)]);
  }
  /// Whether a path may come from two states before: from another label, over the blank between them.
  bool may_skip(std::int64_t state) const { return state >= 2 && state % 2 == 1 && label(state) != label(state - 2); }

  /// alpha[s] = log of the probability of all beginnings of paths that are in state s at step t.
  void first(double* alpha) const {
    std::fill_n(alpha, states(), kNever);
    alpha[0] = log_prob(0, 0);
    if (length > 0) alpha[1] = log_prob(0, 1);
  }
  void next(std::int64_t t, const double* before, double* alpha) const {
    for (std::int64_t s = 0; s < states(); ++s) {
      double sum = before[s];
      if (s >= 1) sum = log_add(sum, before[s - 1]);
      if (may_skip(s)) sum = log_add(sum, before[s - 2]);
      alpha[s] = sum + log_prob(t, s);
    }
  }
  /// -log of the probability of all paths, from the last alpha.
  double loss(const double* alpha) const {
    return -(length == 0 ? alpha[0] : log_add(alpha[states() - 1], alpha[states() - 2]));
  }
  double loss_without_steps() const { return length == 0 ? 0 : -kNever; }

  /// beta[s]: the same of all ends of paths that begin in state s at step t.
  void last(double* beta) const {
    std::fill_n(beta, states(), kNever);
    beta[states() - 1] = log_prob(steps - 1, states() - 1);
    if (length > 0) beta[states() - 2] = log_prob(steps - 1, states() - 2);
  }
  void previous(std::int64_t t, const double* behind, double* beta) const {
    for (std::int64_t s = 0; s < states(); ++s) {
      double sum = behind[s];
      if (s + 1 < states()) sum = log_add(sum, behind[s + 1]);
      if (s + 2 < states() && may_skip(s + 2)) sum = log_add(sum, behind[s + 2]);
      beta[s] = sum + log_prob(t, s);
    }
  }
};

struct CtcFields {
  std::int64_t blank = 0;
  bool zero_infinity = false;
  static void fields(auto& self, auto&& field) {
    field("blank", self.blank);
    field("zero_infinity", self.zero_infinity);
  }
};

/// L[n] = -log sum over paths. dlog_probs[t, n, c] = -dL[n] * sum over states s of label c of the part of the paths
/// that are in s at step t, which is exp(alpha[s] + beta[s] - log_probs[t, n, c] + L[n]).
class CtcLoss : public OpWith<CtcLoss, CtcFields> {
 public:
  static constexpr std::string_view kName = "ctc_loss";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 4);
    ops::check_computable(kName, inputs.first(1));
    for (const TensorType& type : inputs.subspan(1)) {
      if (type.dtype == DType::int64) continue;
      ops::fail<TypeError>(kName, "targets and lengths of int64, got ", to_string(type.dtype),
                           "; convert them with to(DType::int64)");
    }
    const Shape &x = inputs[0].shape, &targets = inputs[1].shape;
    if (x.size() != 3 || x[2] == 0) ops::fail<ShapeError>(kName, "log_probs [T, N, C] with C > 0, got log_probs ", x);
    if (options_.blank < 0 || options_.blank >= x[2]) {
      ops::fail<ValueError>(kName, "blank in [0, ", x[2], ") for log_probs ", x, ", got ", options_.blank);
    }
    if (targets.size() != 1 && (targets.size() != 2 || targets[0] != x[1])) {
      ops::fail<ShapeError>(kName, "targets [N, S] or one after the other [sum of lengths], got targets ", targets,
                            " for log_probs ", x);
    }
    ops::check_matches(kName, "input_lengths", inputs[2].shape, {x[1]}, "log_probs", x);
    ops::check_matches(kName, "target_lengths", inputs[3].shape, {x[1]}, "log_probs", x);
    return {{x[1]}, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor y = context.make_result();
    kernels::Workspace<std::int64_t> begins(static_cast<std::size_t>(y.numel()));
    find_labels(context.inputs, begins.data());
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_for(y.numel(), [&](std::int64_t n) {
        const Sequence<T> sequence = sequence_of<T>(context.inputs, begins.data(), n);
        const auto states = static_cast<std::size_t>(sequence.states());
        kernels::Workspace<double> room(2 * states);
        double *alpha = room.data(), *before = alpha + states;
        if (sequence.steps > 0) sequence.first(alpha);
        for (std::int64_t t = 1; t < sequence.steps; ++t) {
          std::swap(alpha, before);
          sequence.next(t, before, alpha);
        }
        const double loss = sequence.steps > 0 ? sequence.loss(alpha) : sequence.loss_without_steps();
        y.data<T>()[n] = options_.zero_infinity && loss == -kNever ? T(0) : static_cast<T>(loss);
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(4);
    grads[0] = ops::new_zeros(context.inputs[0].type());
    kernels::Workspace<std::int64_t> begins(static_cast<std::size_t>(context.grad.numel()));
    find_labels(context.inputs, begins.data());
    ops::visit_computable(grads[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_for(context.grad.numel(), [&](std::int64_t n) {
        const Sequence<T> sequence = sequence_of<T>(context.inputs, begins.data(), n);
        if (sequence.steps == 0) return;
        add_gradient(sequence, static_cast<double>(context.grad.data<T>()[n]),
                     grads[0].data<T>() + n * grads[0].size(2));
      });
    });
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    const Shape& targets = inputs[1].shape;
    return 20 * static_cast<double>(inputs[0].shape[0]) *
           (static_cast<double>(inputs[0].shape[1]) + 2.0 * static_cast<double>(numel(targets)));
  }

 private:
  template <class T>
  void add_gradient(const Sequence<T>& sequence, double grad, T* to) const {
    const std::int64_t states = sequence.states();
    kernels::Workspace<double> alphas(static_cast<std::size_t>(states) * static_cast<std::size_t>(sequence.steps));
    double* alpha = alphas.data();
    sequence.first(alpha);
    for (std::int64_t t = 1; t < sequence.steps; ++t, alpha += states) sequence.next(t, alpha, alpha + states);
    const double loss = sequence.loss(alpha);
    if (options_.zero_infinity && loss == -kNever) return;
    kernels::Workspace<double> room(2 * static_cast<std::size_t>(states));
    double *beta = room.data(), *behind = beta + states;
    sequence.last(beta);
    for (std::int64_t t = sequence.steps - 1;; --t, alpha -= states) {
      T* const row = to + t * sequence.step;
      for (std::int64_t s = 0; s < states; ++s) {
        const double part = std::exp(alpha[s] + beta[s] - sequence.log_prob(t, s) + loss);
        row[sequence.label(s)] -= static_cast<T>(grad * part);
      }
      if (t == 0) return;
      std::swap(beta, behind);
      sequence.previous(t - 1, behind, beta);
    }
  }

  /// begins[n]: where the labels of sequence n begin among the targets. Checks all values.
  void find_labels(std::span<const Tensor> inputs, std::int64_t* begins) const {
    const Tensor &x = inputs[0], &targets = inputs[1];
    const std::int64_t *steps = inputs[2].data<std::int64_t>(), *lengths = inputs[3].data<std::int64_t>();
    const bool joined = targets.dim() == 1;
    const std::int64_t most = targets.size(-1);
    std::int64_t sum = 0;
    for (std::int64_t n = 0; n < x.size(1); ++n) {
      check_length("input_lengths", steps[n], x.size(0), n);
      check_length("target_lengths", lengths[n], joined ? most - sum : most, n);
      begins[n] = joined ? sum : n * most;
      for (std::int64_t i = begins[n]; i < begins[n] + lengths[n]; ++i) {
        const std::int64_t label = targets.data<std::int64_t>()[i];
        if (label >= 0 && label < x.size(2)) continue;
        ops::fail<IndexError>(kName, "targets in [0, ", x.size(2), "), got ", label, " at index ", i);
      }
      sum += lengths[n];
    }
    if (joined && sum != most) {
      ops::fail<ValueError>(kName, "target_lengths that add up to the ", most, " targets, got ", sum);
    }
  }

  static void check_length(const char* name, std::int64_t length, std::int64_t most, std::int64_t n) {
    if (length >= 0 && length <= most) return;
    ops::fail<ValueError>(kName, name, " from 0 to ", most, ", got ", length, " at index ", n);
  }

  template <class T>
  Sequence<T> sequence_of(std::span<const Tensor> inputs, const std::int64_t* begins, std::int64_t n) const {
    const Shape& x = inputs[0].shape();
    return {.log_probs = inputs[0].data<T>() + n * x[2],
            .steps = inputs[2].data<std::int64_t>()[n],
            .step = x[1] * x[2],
            .labels = inputs[1].data<std::int64_t>() + begins[n],
            .length = inputs[3].data<std::int64_t>()[n],
            .blank = options_.blank};
  }
};

}  // namespace

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcLossOptions& options) {
  constexpr const char* kName = "ctc_loss";
  ops::check_plain_reduction(kName, options.reduction);
  const bool one = log_probs.defined() && log_probs.dim() == 2;
  return detail::with_name(kName, [&] {
    const auto batched = [&](const Tensor& tensor, std::int64_t dim) { return one ? unsqueeze(tensor, dim) : tensor; };
    const Tensor lengths = batched(target_lengths, 0);
    const Tensor all = apply(CtcLoss({options.blank, options.zero_infinity}),
                             {batched(log_probs, 1), batched(targets, 0), batched(input_lengths, 0), lengths});
    const Tensor losses = one ? squeeze(all, 0) : all;
    if (options.reduction != Reduction::mean) return ops::reduced(losses, options.reduction);
    const Tensor divisors = clamp((one ? target_lengths : lengths).to(losses.dtype()), 1.0);
    return mean(losses / divisors);
  });
}

std::span<const OpEntry> ops::ctc_loss_ops() {
  static const OpEntry entries[] = {op_entry<CtcLoss>()};
  return entries;
}

}  // namespace teff
