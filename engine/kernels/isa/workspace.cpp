// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/workspace.h"

#include <algorithm>
#include <new>

#include "teff/engine/allocator.h"

namespace teff::kernels {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxBlockBytes = std::size_t{64} << 20;

class Block {
 public:
  ~Block() { deallocate(data_, bytes_); }

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
    if (used_ == 0 && outside_ == 0 && bytes_ < std::min(peak_, kMaxBlockBytes)) grow();
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

thread_local Block block;

}  // namespace

Scratch acquire_scratch(std::size_t bytes) { return block.acquire(bytes); }

void release_scratch(const Scratch& scratch) noexcept { block.release(scratch); }

}  // namespace teff::kernels
