// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace teff::kernels {

// Each thread keeps a block of scratch memory, as large as its kernels have needed at once, and hands it out from the
// bottom up: in a steady state a kernel gets its scratch without a lock and without the system. What does not fit for
// now comes from the caching allocator.

struct Scratch {
  void* data;
  std::size_t bytes;
  bool in_block;
};

Scratch acquire_scratch(std::size_t bytes);
void release_scratch(const Scratch& scratch) noexcept;

/// Uninitialised scratch memory for one call, 64-byte aligned. Given back in the reverse order, by the thread that
/// asked for it; the tasks of a parallel_for may use it meanwhile.
template <class T>
class Workspace {
 public:
  explicit Workspace(std::size_t count) : scratch_(acquire_scratch(count * sizeof(T))) {}
  ~Workspace() { release_scratch(scratch_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() { return static_cast<T*>(scratch_.data); }

 private:
  Scratch scratch_;
};

}  // namespace teff::kernels
