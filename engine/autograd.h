// SPDX-License-Identifier: MIT
#pragma once

namespace teff {

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

}  // namespace teff
