// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: losses. A loss has a value for each target; Reduction says what becomes of these.

#include <cstdint>
#include <string_view>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

enum class Reduction {
  none,  // they are the result
  mean,  // their mean, with class weights the weighted mean
  sum,
  batchmean,  // kl_div only: their sum / size(0)
};
std::string_view to_string(Reduction reduction);
void from_string(std::string_view name, Reduction& reduction);

// --- classes: input [N, C] or [N, C, d1, ...], target int64 [N] or [N, d1, ...]

struct NllLossOptions {
  Tensor weight = {};                // of the classes, [C]
  std::int64_t ignore_index = -100;  // targets of this class do not count
  Reduction reduction = Reduction::mean;
};
/// -weight[target[n]] * log_probabilities[n, target[n]].
/// @throws IndexError for a target outside [0, C) that is not ignore_index.
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NllLossOptions& options = {});
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, Reduction reduction);

struct CrossEntropyOptions {
  Tensor weight = {};
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // this part of each target is spread evenly over all classes
};
/// nll_loss(log_softmax(logits, 1), target). The target may also be probabilities, of the logits' shape and dtype: then
/// it is -sum over c of weight[c] * target[n, c] * log_softmax(logits)[n, c], and mean divides by N * d1 * ...
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});
Tensor cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction);

// --- element by element: input and target of equal shape and dtype; the gradient passes to both. With d = input -
// target:

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);  // d^2
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);   // |d|
/// |d| < beta ? d^2 / (2 beta) : |d| - beta / 2
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean,
                      double beta = 1);
/// |d| < delta ? d^2 / 2 : delta * (|d| - delta / 2)
Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean, double delta = 1);

struct BinaryCrossEntropyOptions {
  Tensor weight = {};  // of each element; broadcast
  Reduction reduction = Reduction::mean;
};
/// -(target * log(input) + (1 - target) * log(1 - input)), the logarithms not below -100.
/// @throws ValueError for an input outside [0, 1].
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BinaryCrossEntropyOptions& options = {});

struct BinaryCrossEntropyWithLogitsOptions {
  Tensor weight = {};      // of each element; broadcast
  Tensor pos_weight = {};  // of the term with target; broadcast
  Reduction reduction = Reduction::mean;
};
/// binary_cross_entropy(sigmoid(logits), target) without overflow.
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options = {});

/// target * (log(target) - input), where the input is log-probabilities; log_target: so is the target.
Tensor kl_div(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean,
              bool log_target = false);

/// log_input: exp(input) - target * input, or else input - target * log(input + eps). full adds Stirling's
/// approximation target * log(target) - target + log(2 pi target) / 2 where target > 1.
struct PoissonNllLossOptions {
  bool log_input = true;
  bool full = false;
  double eps = 1e-8;
  Reduction reduction = Reduction::mean;
};
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllLossOptions& options = {});

/// (log(v) + (input - target)^2 / v) / 2 with v = max(var, eps), through which the gradient passes as through var. full
/// adds log(2 pi) / 2. var has the input's shape, or is without or of size 1 in the last dimension.
/// @throws ValueError for a var below 0.
struct GaussianNllLossOptions {
  bool full = false;
  double eps = 1e-6;
  Reduction reduction = Reduction::mean;
};
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNllLossOptions& options = {});

// --- sequences

struct CtcLossOptions {
  std::int64_t blank = 0;
  Reduction reduction = Reduction::mean;  // each loss is divided by its target's length first
  bool zero_infinity = false;             // a target that is too long gives 0, and no gradient, instead of infinity
};
/// -log of the probability of a sequence of labels without its alignment (Graves et al., 2006). log_probs [T, N, C], of
/// which the first input_lengths[n] count; targets [N, S], of which the first target_lengths[n] count, or all behind
/// each other [sum of target_lengths]; targets and lengths [N] are int64. Also [T, C], [S] and lengths without
/// dimension. The gradient is that of log_probs as they are; PyTorch's assumes that log_softmax made them, after which
/// both are the same.
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcLossOptions& options = {});

}  // namespace teff
