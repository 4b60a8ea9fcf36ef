// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct ClipGradNormOptions {
  double norm_type = 2;  // > 0; infinity: the largest magnitude
  bool error_if_nonfinite = false;
};

/// Scales all gradients by one factor, so that their norm, taken together as one vector, is at most max_norm. Call it
/// between backward() and step(). Parameters without a gradient do not count.
///
///   factor = min(1, max_norm / (norm + 1e-6))
///
/// Returns the norm before scaling; it is summed in double and has the same bits for any number of threads. If it is
/// NaN or infinite, so become the gradients, unless error_if_nonfinite.
/// @throws ValueError for a negative max_norm or norm_type <= 0; Error, before anything changes, for a norm that is not
/// finite if error_if_nonfinite; TypeError for an undefined parameter.
double clip_grad_norm_(std::span<const Tensor> parameters, double max_norm, const ClipGradNormOptions& options = {});
inline double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                              const ClipGradNormOptions& options = {}) {
  return clip_grad_norm_(std::span<const Tensor>(parameters), max_norm, options);
}

/// Clamps every element of the gradients to [-clip_value, clip_value].
/// @throws ValueError for a negative clip_value; TypeError for an undefined parameter.
void clip_grad_value_(std::span<const Tensor> parameters, double clip_value);
inline void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  clip_grad_value_(std::span<const Tensor>(parameters), clip_value);
}

}  // namespace nn
}  // namespace teff
