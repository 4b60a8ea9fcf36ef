// SPDX-License-Identifier: MIT
#pragma once

#include "teff/export.h"

// What operations of a thread are to do besides computing: keep a record for backward(), or for a graph, and for whom;
// and how they may compute.

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

/// Switches recording in this thread for good: torch.set_grad_enabled. A GradModeGuard puts it back by itself.
void set_grad_enabled(bool enabled);

/// Nothing that this thread computes during the guard's lifetime is recorded: for inference and updates of parameters.
class NoGradGuard : GradModeGuard {
 public:
  NoGradGuard() : GradModeGuard(false) {}
};

/// While it lives, backward of this thread looks at every gradient that it computes, and throws an Error that names the
/// operation whose gradient is the first NaN: to find where training went wrong. Slow.
class DetectAnomalyGuard {
 public:
  explicit DetectAnomalyGuard(bool enabled = true);
  ~DetectAnomalyGuard();
  DetectAnomalyGuard(const DetectAnomalyGuard&) = delete;
  DetectAnomalyGuard& operator=(const DetectAnomalyGuard&) = delete;

 private:
  bool previous_;
};

/// Whether conv2d of this thread, and backward() for its input, may use Winograd's method. Default: true.
bool is_winograd_enabled();

/// Allows or forbids Winograd's method to conv2d in this thread for the guard's lifetime, and to the gradient of its
/// input. It is for 3 x 3 kernels of stride 1 in float32 with 16 channels or more, where it is two to three times as
/// fast. The error of a result,
/// measured: below 1e-6 * sum |w| * max |x| over the 6 x 6 pixels around (2.6e-7 is the most that was seen; the direct
/// method: 1.4e-7), so a sum that cancels has fewer correct digits; a NaN or an infinity among these pixels reaches all
/// results of its tile of 4 x 4. An InferenceSession has an option for it.
class WinogradGuard {
 public:
  explicit WinogradGuard(bool enabled);
  ~WinogradGuard();
  WinogradGuard(const WinogradGuard&) = delete;
  WinogradGuard& operator=(const WinogradGuard&) = delete;

 private:
  bool previous_;
};

/// Whether this thread is capturing a graph.
bool is_capturing();

/// Whether a checkpoint's function (checkpoint.h) is being run again for backward(): what counts calls does not count
/// this one.
bool is_recomputing();

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
