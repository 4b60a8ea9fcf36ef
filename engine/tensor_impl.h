// SPDX-License-Identifier: MIT
#pragma once

// Private: what stands behind a Tensor.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

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

namespace detail {
template <class Function>
class HookList;
using GradientHooks = HookList<std::function<Tensor(const Tensor&)>>;
}  // namespace detail

struct TensorImpl {
  std::shared_ptr<Storage> storage;  // null: shape and dtype only, the values were not kept
  std::size_t offset = 0;            // bytes
  TensorType type;
  std::int64_t numel = 0;
  bool requires_grad = false;
  std::uint32_t result = 0;  // which of the results of `node` it is
  Tensor grad;
  std::shared_ptr<Node> node;                    // how it was computed, if recorded
  std::shared_ptr<detail::GradientHooks> hooks;  // of a leaf; those of others are with their node
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

/// Sets all elements of a tensor that nobody else has seen yet, converted as by to().
void fill(const Tensor& tensor, double value);
void fill_whole(const Tensor& tensor, std::int64_t value);
/// @throws ValueError if a dtype of whole numbers has no place for the value without its fraction.
void check_fill(const char* function, double value, DType dtype);
void check_fill(const char* function, std::int64_t value, DType dtype);

/// target = values, broadcast and converted. Everything that can fail has its turn before the target changes.
void assign(const char* function, const Tensor& values, const Tensor& target);

/// Notes that the elements change: to be called when nothing can fail any more. @throws TypeError for an undefined
/// tensor; Error if a gradient is being recorded for it, or while capturing.
void begin_in_place(const char* function, const Tensor& tensor);
/// The checks of it alone.
void check_in_place(const char* function, const Tensor& tensor);

}  // namespace detail
}  // namespace teff
