// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace teff::kernels {

// Each thread keeps a block of scratch memory, as large as its kernels have needed at once, and hands it out from the
// bottom up: in a steady state a kernel gets its scratch without a lock and without the system. What does not fit for
// now comes from the caching allocator.

struct Scratch {
  void* data;
  std::size_t bytes;
  bool in_block;
};

/// The product of sizes of at least 0, for scratch memory that has more in it than the elements of a tensor: what
/// options ask for, as padding and dilation do, is among them. See "sizes" in ops/checks.h.
/// @throws ShapeError beyond 2^48.
std::int64_t scratch_size(std::initializer_list<std::int64_t> factors);

/// `count` values of `size` bytes. @throws ResourceError if there is no memory for them; no count wraps.
Scratch acquire_scratch(std::size_t count, std::size_t size);
void release_scratch(const Scratch& scratch) noexcept;

/// Uninitialised scratch memory for one call, 64-byte aligned. Given back in the reverse order, by the thread that
/// asked for it; the tasks of a parallel_for may use it meanwhile.
template <class T>
class Workspace {
 public:
  explicit Workspace(std::size_t count) : scratch_(acquire_scratch(count, sizeof(T))) {}
  ~Workspace() { release_scratch(scratch_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() { return static_cast<T*>(scratch_.data); }

 private:
  Scratch scratch_;
};

}  // namespace teff::kernels
