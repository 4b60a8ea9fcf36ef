// SPDX-License-Identifier: MIT
#include "teff/engine/modes.h"

#include <exception>

#include "teff/engine/build.h"
#include "teff/engine/mode_state.h"

namespace teff {
namespace {

constinit thread_local detail::Modes thread_modes;

}  // namespace

detail::Modes& detail::modes() { return thread_modes; }

bool is_grad_enabled() { return kHasTraining && thread_modes.grad_enabled; }

GradModeGuard::GradModeGuard(bool enabled) : previous_(thread_modes.grad_enabled) {
  thread_modes.grad_enabled = enabled;
}
GradModeGuard::~GradModeGuard() { thread_modes.grad_enabled = previous_; }

void set_grad_enabled(bool enabled) { thread_modes.grad_enabled = enabled; }

DetectAnomalyGuard::DetectAnomalyGuard(bool enabled) : previous_(thread_modes.detect_anomaly) {
  thread_modes.detect_anomaly = enabled;
}
DetectAnomalyGuard::~DetectAnomalyGuard() { thread_modes.detect_anomaly = previous_; }

bool is_winograd_enabled() { return thread_modes.winograd_enabled; }

WinogradGuard::WinogradGuard(bool enabled) : previous_(thread_modes.winograd_enabled) {
  thread_modes.winograd_enabled = enabled;
}
WinogradGuard::~WinogradGuard() { thread_modes.winograd_enabled = previous_; }

bool is_capturing() { return thread_modes.capturing > 0; }

bool is_recomputing() { return thread_modes.recomputing; }

detail::CaptureGuard::CaptureGuard() {
  ++thread_modes.capturing;
  thread_modes.failed_scope = nullptr;
}
detail::CaptureGuard::~CaptureGuard() { --thread_modes.capturing; }
const void* detail::CaptureGuard::failed() { return thread_modes.failed_scope; }

detail::TypesOnlyGuard::TypesOnlyGuard() : previous_(thread_modes.types_only) { thread_modes.types_only = true; }
detail::TypesOnlyGuard::~TypesOnlyGuard() { thread_modes.types_only = previous_; }

detail::NotCapturing::NotCapturing() : previous_(thread_modes.capturing) { thread_modes.capturing = 0; }
detail::NotCapturing::~NotCapturing() { thread_modes.capturing = previous_; }

ScopeGuard::ScopeGuard(const void* owner) : previous_(thread_modes.scope) { thread_modes.scope = owner; }
ScopeGuard::~ScopeGuard() {
  detail::Modes& modes = thread_modes;
  if (modes.capturing > 0 && modes.failed_scope == nullptr && std::uncaught_exceptions() > 0) {
    modes.failed_scope = modes.scope;
  }
  modes.scope = previous_;
}

}  // namespace teff
