// SPDX-License-Identifier: MIT
#pragma once

#include "teff/export.h"

// What operations of a thread are to do besides computing: keep a record for backward(), or for a graph, and for whom.

namespace TEFF_EXPORT teff {

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

/// Whether this thread is capturing a graph.
bool is_capturing();

/// Marks the operations of its lifetime, in this thread, as made by `owner` (a module), for capture and profiling.
class ScopeGuard {
 public:
  explicit ScopeGuard(const void* owner);
  ~ScopeGuard();
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  const void* previous_;
};

}  // namespace teff
