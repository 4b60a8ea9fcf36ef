// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/workspace.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "teff/engine/allocator.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"

namespace teff::kernels {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxBlockBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxScratchBytes = std::size_t{1} << (sizeof(std::size_t) >= 8 ? 52 : 31);

class Block {
 public:
  Block() = default;
  ~Block() { deallocate(data_, bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  bool is_used() const { return used_ > 0 || outside_ > 0; }

  Scratch acquire(std::size_t wanted) {
    const std::size_t bytes = (wanted + kAlignment - 1) / kAlignment * kAlignment;
    peak_ = std::max(peak_, used_ + outside_ + bytes);
    if (bytes <= bytes_ - used_) {
      used_ += bytes;
      return {data_ + used_ - bytes, bytes, true};
    }
    void* const data = allocate(bytes);
    outside_ += bytes;
    return {data, bytes, false};
  }

  void release(const Scratch& scratch) noexcept {
    if (scratch.in_block) {
      used_ -= scratch.bytes;
    } else {
      deallocate(scratch.data, scratch.bytes);
      outside_ -= scratch.bytes;
    }
    if (!is_used() && bytes_ < std::min(peak_, kMaxBlockBytes)) grow();
  }

 private:
  /// While nobody uses it. Without memory it stays as it is.
  void grow() noexcept {
    const std::size_t bytes = std::min(peak_, kMaxBlockBytes);
    try {
      void* const data = allocate(bytes);
      deallocate(data_, bytes_);
      data_ = static_cast<std::byte*>(data);
      bytes_ = bytes;
    } catch (const std::bad_alloc&) {
      peak_ = bytes_;
    }
  }

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t used_ = 0;
  std::size_t outside_ = 0;  // bytes from the caching allocator
  std::size_t peak_ = 0;     // most bytes that were ever asked for at once
};

/// The blocks of all threads. Each goes when its thread ends, by a key and not by the destructor of a thread_local
/// variable: that would keep a plugin with the library in it in memory for as long as the thread lives.
class Blocks {
 public:
  Blocks() {
    has_key_ = pthread_key_create(&key_, [](void* block) { delete static_cast<Block*>(block); }) == 0;
  }
  /// At the end of the program, or when the plugin is unloaded. Other threads may go on; they leave their blocks
  /// behind.
  ~Blocks() {
    if (!has_key_) return;
    const Block* const block = find();
    if (block != nullptr && !block->is_used()) delete block;
    has_key_ = false;
    pthread_key_delete(key_);
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  /// Null if the thread has none, or before and after the life of this object.
  Block* find() { return has_key_ ? static_cast<Block*>(pthread_getspecific(key_)) : nullptr; }

  /// Null before and after the life of this object. @throws std::bad_alloc
  Block* find_or_make() {
    Block* const found = find();
    if (found != nullptr || !has_key_) return found;
    auto made = std::make_unique<Block>();
    if (pthread_setspecific(key_, made.get()) == 0) return made.release();
    if (!has_key_) return nullptr;  // the program has begun to end meanwhile
    throw std::bad_alloc();
  }

 private:
  pthread_key_t key_;
  std::atomic<bool> has_key_;
};

Blocks blocks;

}  // namespace

std::int64_t scratch_size(std::initializer_list<std::int64_t> factors) {
  constexpr std::int64_t kMost = std::int64_t{1} << (sizeof(std::size_t) >= 8 ? 48 : 30);
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (!__builtin_mul_overflow(product, factor, &product) && product >= 0 && product <= kMost) continue;
    throw ShapeError(
        "memory: expected stride, padding and dilation that ask for at most 2^48 values of scratch memory, got more");
  }
  return product;
}

Scratch acquire_scratch(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > kMaxScratchBytes) detail::refuse_memory(count, size);
  try {
    if (Block* block = blocks.find_or_make()) return block->acquire(bytes);
    return {allocate(bytes), bytes, false};
  } catch (const std::bad_alloc&) {
    detail::refuse_memory(count, size);
  }
}

void release_scratch(const Scratch& scratch) noexcept {
  if (Block* block = blocks.find()) {
    block->release(scratch);
  } else if (!scratch.in_block) {
    deallocate(scratch.data, scratch.bytes);
  }
}

}  // namespace teff::kernels
