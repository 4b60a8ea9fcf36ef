// SPDX-License-Identifier: MIT
#include "teff/engine/allocator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <utility>

#include "teff/engine/process.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEFF_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TEFF_ADDRESS_SANITIZER
#endif
#ifdef TEFF_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace teff {
namespace {

constexpr std::size_t kAlignment = 64;
/// From this on blocks begin with a huge page and prefer them: 256 MB are then 128 faults of pages instead of 65536.
constexpr std::size_t kLargeBlock = 2 * detail::kHugePage;
constexpr std::size_t kMaxCachedBytes = std::size_t{1} << 30;  // beyond this, blocks go back to the system

/// AddressSanitizer cannot know by itself which bytes of a block nobody may touch: what a size class adds to the size
/// that was asked for, and all of a kept block.
void forbid([[maybe_unused]] void* pointer, [[maybe_unused]] std::size_t from, [[maybe_unused]] std::size_t to) {
#ifdef TEFF_ADDRESS_SANITIZER
  if (from < to) __asan_poison_memory_region(static_cast<std::byte*>(pointer) + from, to - from);
#endif
}
void permit([[maybe_unused]] void* pointer, [[maybe_unused]] std::size_t bytes) {
#ifdef TEFF_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(pointer, bytes);
#endif
}

/// Size classes: four to each power of two, so at most a quarter of a block is unused.
struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

constexpr std::size_t kClasses = 4 * 64;
constexpr std::size_t kMaxBytes = std::size_t{1} << (sizeof(std::size_t) >= 8 ? 48 : 30);

SizeClass size_class(std::size_t bytes) {
  if (bytes > kMaxBytes) throw std::bad_alloc();
  const std::size_t units = std::max<std::size_t>(1, (bytes + kAlignment - 1) / kAlignment);
  if (units <= 4) return {units - 1, units * kAlignment};
  const auto power = static_cast<std::size_t>(std::bit_width(units - 1)) - 1;  // 2^power < units <= 2^(power+1)
  const std::size_t step = std::size_t{1} << (power - 2);
  const std::size_t rounded = (units + step - 1) / step * step;
  return {4 * (power - 1) + (rounded / step - 5), rounded * kAlignment};
}

std::align_val_t alignment_of(std::size_t bytes) {
  return std::align_val_t{bytes < kLargeBlock ? kAlignment : detail::kHugePage};
}

void* take_from_system(std::size_t bytes) {
  void* const pointer = ::operator new(bytes, alignment_of(bytes), std::nothrow);
  if (pointer != nullptr && bytes >= kLargeBlock) detail::prefer_huge_pages(pointer, bytes);
  return pointer;
}
void give_to_system(void* pointer, std::size_t bytes) { ::operator delete(pointer, alignment_of(bytes)); }

/// The size of the blocks of a class, as size_class gives it.
std::size_t bytes_of_class(std::size_t index) {
  if (index < 4) return (index + 1) * kAlignment;
  return (index % 4 + 5) * (std::size_t{1} << (index / 4 - 1)) * kAlignment;
}

/// Kept blocks form a list through their own first bytes.
struct FreeBlock {
  FreeBlock* next;
};

class Cache {
 public:
  void* get(SizeClass size) {
    {
      std::lock_guard lock(mutex_);
      in_use_ += size.bytes;
      peak_ = std::max(peak_, in_use_);
      if (FreeBlock* block = free_[size.index]) {
        free_[size.index] = block->next;
        cached_ -= size.bytes;
        return block;
      }
      ++system_allocations_;
    }
    void* pointer = take_from_system(size.bytes);
    if (pointer == nullptr) {
      clear();
      pointer = take_from_system(size.bytes);
    }
    if (pointer == nullptr) {
      std::lock_guard lock(mutex_);
      in_use_ -= size.bytes;
      throw std::bad_alloc();
    }
    return pointer;
  }

  void put(void* pointer, SizeClass size) noexcept {
    permit(pointer, size.bytes);
    {
      std::lock_guard lock(mutex_);
      in_use_ -= size.bytes;
      if (cached_ + size.bytes <= kMaxCachedBytes) {
        free_[size.index] = new (pointer) FreeBlock{free_[size.index]};
        cached_ += size.bytes;
        forbid(pointer, sizeof(FreeBlock), size.bytes);
        return;
      }
    }
    give_to_system(pointer, size.bytes);
  }

  void clear() noexcept {
    std::lock_guard lock(mutex_);
    for (std::size_t index = 0; index < kClasses; ++index) {
      for (FreeBlock* block = std::exchange(free_[index], nullptr); block != nullptr;) {
        give_to_system(std::exchange(block, block->next), bytes_of_class(index));
      }
    }
    cached_ = 0;
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return {in_use_, peak_, cached_, system_allocations_};
  }

  void reset_peak() {
    std::lock_guard lock(mutex_);
    peak_ = in_use_;
  }

 private:
  detail::ProcessMutex mutex_;
  std::array<FreeBlock*, kClasses> free_{};
  std::size_t in_use_ = 0;
  std::size_t peak_ = 0;
  std::size_t cached_ = 0;
  std::uint64_t system_allocations_ = 0;
};

/// Never destroyed: tensors in static variables may outlive any object of ours.
Cache& cache() {
  static Cache* instance = new Cache;
  return *instance;
}

}  // namespace

void* allocate(std::size_t bytes) {
  const SizeClass size = size_class(bytes);
  void* pointer = cache().get(size);
  permit(pointer, size.bytes);
  forbid(pointer, bytes, size.bytes);
  return pointer;
}

void deallocate(void* pointer, std::size_t bytes) noexcept {
  if (pointer != nullptr) cache().put(pointer, size_class(bytes));
}

MemoryStats memory_stats() { return cache().stats(); }

void reset_peak_memory_stats() { cache().reset_peak(); }

void empty_cache() { cache().clear(); }

}  // namespace teff
