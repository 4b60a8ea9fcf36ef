// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace teff {

class Tensor;

/// Whether operations of this thread are recorded for backward(). Default: true.
bool is_grad_enabled();

/// Switches recording in this thread for the guard's lifetime.
class GradModeGuard {
 public:
  explicit GradModeGuard(bool enabled);
  ~GradModeGuard();
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool previous_;
};

/// Nothing that this thread computes during the guard's lifetime is recorded: for inference and updates of parameters.
class NoGradGuard : GradModeGuard {
 public:
  NoGradGuard() : GradModeGuard(false) {}
};

/// Sees a leaf.
using GradientFunction = std::function<void(const Tensor& leaf)>;

/// loss.backward(), which calls the function for each leaf as soon as its grad() is complete, and then goes on with the
/// rest: for what can be done meanwhile. What the function throws comes out of backward.
void backward(const Tensor& loss, const GradientFunction& on_gradient);

}  // namespace teff
