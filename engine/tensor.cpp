// SPDX-License-Identifier: MIT
#include "teff/engine/tensor.h"

#include <atomic>
#include <string>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/node.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

const TensorImpl& checked(const std::shared_ptr<TensorImpl>& impl, const char* function = "tensor") {
  if (impl == nullptr) throw TypeError(std::string(function) + ": expected a defined tensor, got an undefined one");
  return *impl;
}

Tensor make_tensor(std::shared_ptr<Storage> storage, std::size_t offset, const TensorType& type) {
  auto impl = std::allocate_shared<TensorImpl>(CachingAllocator<TensorImpl>());
  impl->numel = numel(type.shape);
  impl->storage = std::move(storage);
  impl->offset = offset;
  impl->type = type;
  return Tensor(std::move(impl));
}

std::byte* allocate_values(std::size_t bytes) {
  try {
    return static_cast<std::byte*>(allocate(bytes));
  } catch (const std::bad_alloc&) {
    detail::refuse_memory(bytes, 1);
  }
}

std::size_t bytes_of(const TensorType& type) {
  return static_cast<std::size_t>(numel(type.shape)) * size_of(type.dtype);
}

}  // namespace

Storage::Storage(std::size_t size) : data(allocate_values(size)), bytes(size), external_(false) {}

Storage::Storage(void* external, std::size_t size, std::function<void(void*)> deleter)
    : data(static_cast<std::byte*>(external)), bytes(size), external_(true), deleter_(std::move(deleter)) {}

Storage::~Storage() {
  if (!external_) {
    deallocate(data, bytes);
  } else if (deleter_) {
    deleter_(data);
  }
}

Tensor detail::make_tensor(const TensorType& type) {
  auto storage = std::allocate_shared<Storage>(CachingAllocator<Storage>(), bytes_of(type));
  return teff::make_tensor(std::move(storage), 0, type);
}

Tensor detail::make_without_values(const TensorType& type) { return teff::make_tensor(nullptr, 0, type); }

bool detail::owned_alone(const Tensor& tensor) {
  const std::shared_ptr<TensorImpl>& impl = tensor.impl();
  // use_count() is a relaxed load: whatever another thread did with the elements before it let go of them must have
  // happened before they are written over.
  if (impl.use_count() != 1 || impl->storage.use_count() != 1 || impl->storage->external()) return false;
#if defined(__SANITIZE_THREAD__)  // which knows no fences: letting go of a reference is an acquire, too
  static_cast<void>(std::shared_ptr<TensorImpl>(impl));
  static_cast<void>(std::shared_ptr<Storage>(impl->storage));
#else
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
  return true;
}

Tensor detail::alias(const Tensor& source, const Shape& shape, std::int64_t offset) {
  const TensorImpl& impl = checked(source.impl());
  const std::size_t bytes = static_cast<std::size_t>(offset) * size_of(impl.type.dtype);
  return teff::make_tensor(impl.storage, impl.offset + bytes, {shape, impl.type.dtype});
}

void detail::check_in_place(const char* function, const Tensor& tensor) {
  const TensorImpl& impl = checked(tensor.impl(), function);
  if (is_capturing()) {
    throw Error(std::string(function) +
                ": expected no change in place while a graph is captured, got one of a tensor " +
                describe(tensor.type()) + "; write the result to a new tensor");
  }
  if (is_grad_enabled() && (impl.requires_grad || impl.node != nullptr)) {
    throw Error(std::string(function) +
                ": expected a tensor whose gradient is not recorded, got one that requires grad; use NoGradGuard or "
                "detach()");
  }
  static_cast<void>(tensor.raw_data());  // throws if there are none
}

void detail::begin_in_place(const char* function, const Tensor& tensor) {
  check_in_place(function, tensor);
  tensor.impl()->storage->version.fetch_add(1, std::memory_order_relaxed);
}

Tensor Tensor::from_external(void* pointer, const TensorType& type, std::function<void(void*)> deleter) {
  const std::size_t bytes = detail::with_name("from_external", [&] { return bytes_of(type); });
  if (pointer == nullptr && bytes != 0) {
    throw ValueError("from_external: expected memory for " + detail::describe(type) + ", got a null pointer");
  }
  if (reinterpret_cast<std::uintptr_t>(pointer) % size_of(type.dtype) != 0) {
    throw ValueError("from_external: expected memory aligned to " + std::to_string(size_of(type.dtype)) +
                     " bytes for " + detail::describe(type) + ", got an address that is not");
  }
  auto storage = std::allocate_shared<Storage>(CachingAllocator<Storage>(), pointer, bytes, std::move(deleter));
  return teff::make_tensor(std::move(storage), 0, type);
}

const Shape& Tensor::shape() const { return checked(impl_).type.shape; }

std::int64_t Tensor::size(Integer dim) const {
  const Shape& sizes = shape();
  const auto rank = static_cast<std::int64_t>(sizes.size());
  if (dim < -rank || dim >= rank) {
    throw IndexError("size: expected a dimension of " + to_string(sizes) + ", got " +
                     std::to_string(std::int64_t{dim}));
  }
  return sizes[static_cast<std::size_t>(dim < 0 ? dim + rank : std::int64_t{dim})];
}

std::int64_t Tensor::numel() const { return checked(impl_).numel; }

DType Tensor::dtype() const { return checked(impl_).type.dtype; }

void* Tensor::raw_data() const {
  const TensorImpl& impl = checked(impl_);
  if (impl.storage == nullptr) {
    throw Error("tensor: expected values, got a tensor of which only shape and dtype are known");
  }
  return impl.storage->data + impl.offset;
}

void Tensor::check_dtype(DType expected) const {
  if (dtype() != expected) {
    throw TypeError("data: expected a tensor of dtype " + std::string(to_string(expected)) + ", got " +
                    detail::describe(type()));
  }
}

bool Tensor::shares_memory_with(const Tensor& other) const {
  return checked(impl_).storage == checked(other.impl_).storage;
}

bool Tensor::requires_grad() const { return checked(impl_).requires_grad; }

const Tensor& Tensor::requires_grad_(bool requires_grad) const {
  const TensorImpl& impl = checked(impl_, "requires_grad_");
  if (requires_grad && !is_computable(impl.type.dtype)) {
    throw TypeError("requires_grad_: expected float32 or float64, got " + std::string(to_string(impl.type.dtype)));
  }
  if (!is_leaf()) throw Error("requires_grad_: expected a leaf, got the result of a recorded operation; use detach()");
  impl_->requires_grad = requires_grad;
  return *this;
}

bool Tensor::is_leaf() const {
  const TensorImpl& impl = checked(impl_);
  return impl.node == nullptr || !impl.node->requires_grad;
}

const Tensor& Tensor::grad() const { return checked(impl_).grad; }

void Tensor::set_grad(const Tensor& grad) const {
  static_cast<void>(checked(impl_, "set_grad"));
  if (grad.defined() && grad.type() != type()) {
    const std::string text =
        "set_grad: expected a gradient " + detail::describe(type()) + ", got " + detail::describe(grad.type());
    if (grad.dtype() != dtype()) throw TypeError(text);
    throw ShapeError(text);
  }
  impl_->grad = grad;
}

void Tensor::set_data(const Tensor& other) const {
  const TensorImpl& source = checked(other.impl_, "set_data");
  static_cast<void>(checked(impl_, "set_data"));
  if (!is_leaf()) throw Error("set_data: expected a leaf, got the result of a recorded operation");
  if (impl_->requires_grad && !is_computable(source.type.dtype)) {
    throw TypeError("set_data: expected float32 or float64 for a tensor that requires grad, got " +
                    std::string(to_string(source.type.dtype)));
  }
  impl_->storage = source.storage;
  impl_->offset = source.offset;
  impl_->type = source.type;
  impl_->numel = source.numel;
  impl_->grad = Tensor();
}

std::string detail::describe(const TensorType& type) {
  return std::string(to_string(type.dtype)) + ' ' + to_string(type.shape);
}

}  // namespace teff
