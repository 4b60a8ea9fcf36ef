// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// 64-byte aligned, uninitialised memory from the caching allocator: blocks that were given back are kept by size
/// and used again, so work that repeats itself asks the system for nothing. Safe to call from any thread; a block may
/// be given back by another thread than the one that got it. Zero bytes give a valid pointer.
/// @throws std::bad_alloc if the system has no memory even after every kept block was returned to it.
void* allocate(std::size_t bytes);

/// Gives back what allocate(bytes) returned. A null pointer is ignored.
void deallocate(void* pointer, std::size_t bytes) noexcept;

/// What the caching allocator holds and has done since the process began.
struct MemoryStats {
  std::size_t bytes_in_use;          // handed out now, rounded up to block sizes
  std::size_t peak_bytes_in_use;     // the most that was ever in use, or since reset_peak_memory_stats()
  std::size_t bytes_cached;          // kept for use again
  std::uint64_t system_allocations;  // times the system was asked for memory
};
MemoryStats memory_stats();
void reset_peak_memory_stats();

/// Returns every kept block to the system.
void empty_cache();

/// The caching allocator for standard containers.
template <class T>
struct CachingAllocator {
  using value_type = T;
  CachingAllocator() = default;
  template <class U>
  CachingAllocator(const CachingAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) { return static_cast<T*>(teff::allocate(count * sizeof(T))); }
  void deallocate(T* pointer, std::size_t count) noexcept { teff::deallocate(pointer, count * sizeof(T)); }
  template <class U>
  bool operator==(const CachingAllocator<U>&) const noexcept {
    return true;
  }
};

}  // namespace teff
