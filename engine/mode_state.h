// SPDX-License-Identifier: MIT
#pragma once

// Private: the state behind modes.h, and the guards that only the engine uses.

namespace teff::detail {

/// The modes of a thread.
struct Modes {
  bool grad_enabled = true;
  bool winograd_enabled = true;
  bool detect_anomaly = false;
  bool checkpointing = false;          // inside of a checkpoint's function
  bool recomputing = false;            // which is run again: what it updates in place stays as it is
  int capturing = 0;                   // captures under way, in each other
  bool types_only = false;             // what is captured is not computed
  const void* scope = nullptr;         // owner of the innermost ScopeGuard
  const void* failed_scope = nullptr;  // the innermost that an exception left during the last capture
};
Modes& modes();

/// Capturing records every call, whether or not a gradient is asked for.
class CaptureGuard {
 public:
  CaptureGuard();
  ~CaptureGuard();
  CaptureGuard(const CaptureGuard&) = delete;
  CaptureGuard& operator=(const CaptureGuard&) = delete;

  /// The innermost scope that an exception left during the last capture of this thread; null if there was none.
  static const void* failed();
};

/// What is captured in its lifetime is not computed: results have types and no values. A graph that comes from
/// elsewhere is recorded so, and nothing in it costs more than its record.
class TypesOnlyGuard {
 public:
  TypesOnlyGuard();
  ~TypesOnlyGuard();
  TypesOnlyGuard(const TypesOnlyGuard&) = delete;
  TypesOnlyGuard& operator=(const TypesOnlyGuard&) = delete;

 private:
  bool previous_;
};

/// What happens in its lifetime is not captured: an operation's own affair.
class NotCapturing {
 public:
  NotCapturing();
  ~NotCapturing();
  NotCapturing(const NotCapturing&) = delete;
  NotCapturing& operator=(const NotCapturing&) = delete;

 private:
  int previous_;
};

}  // namespace teff::detail
