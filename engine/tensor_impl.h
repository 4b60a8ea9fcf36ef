// SPDX-License-Identifier: MIT
#pragma once

// Private: what stands behind a Tensor.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "teff/engine/op.h"
#include "teff/engine/tensor.h"

namespace teff {

/// Memory that tensors share. `version` counts changes in place, so that backward can tell that a value it kept is no
/// longer what it was.
struct Storage {
  explicit Storage(std::size_t bytes);  // from the caching allocator
  Storage(void* external, std::size_t bytes, std::function<void(void*)> deleter);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  bool external() const { return external_; }

  std::byte* data;
  std::size_t bytes;
  std::atomic<std::uint32_t> version{0};

 private:
  bool external_;
  std::function<void(void*)> deleter_;
};

struct Node;

struct TensorImpl {
  std::shared_ptr<Storage> storage;  // null: shape and dtype only, the values were not kept
  std::size_t offset = 0;            // bytes
  TensorType type;
  std::int64_t numel = 0;
  bool requires_grad = false;
  Tensor grad;
  std::shared_ptr<Node> node;  // how it was computed, if recorded
};

/// A recorded call: see op.h.
struct Node {
  std::shared_ptr<const Op> op;
  TensorList inputs;  // without values where the op does not need them
  TensorList saved;
  std::vector<std::uint32_t, CachingAllocator<std::uint32_t>> versions;  // of inputs, then saved, when recorded
  TensorType type;                                                       // of the result
  std::uint64_t sequence = 0;  // grows with time: greater than that of every node it uses
  const void* scope = nullptr;
  bool requires_grad = false;
  bool released = false;  // backward has let go of inputs and saved
  Tensor grad;            // backward in progress: sum of what has arrived
  Node* next_to_delete = nullptr;
};

namespace detail {

/// A new tensor on the elements of `source` from `offset` (in elements) on. Not recorded.
Tensor alias(const Tensor& source, const Shape& shape, std::int64_t offset = 0);

/// Whether this handle is the only way to the elements, and they are in memory of our own: then nobody sees a change.
bool owned_alone(const Tensor& tensor);

/// An uninitialised tensor.
Tensor make_tensor(const TensorType& type);

/// A tensor of which only shape and dtype are known: reading or writing its values is an error.
Tensor make_without_values(const TensorType& type);

using TensorTypes = std::vector<TensorType, CachingAllocator<TensorType>>;

/// Size of inputs and result, each once.
double moved_bytes(std::span<const TensorType> inputs, const TensorType& output);

/// Whether an operation, in either direction, is so short that threads far from each other gain nothing.
bool is_short(const Op& op, std::span<const TensorType> inputs, const TensorType& output);

/// Sets all elements of a tensor that nobody else has seen yet.
void fill(const Tensor& tensor, double value);

/// Notes that the elements change. @throws Error if a gradient is being recorded for the tensor, or while capturing.
void begin_in_place(const char* function, const Tensor& tensor);

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

}  // namespace detail
}  // namespace teff
