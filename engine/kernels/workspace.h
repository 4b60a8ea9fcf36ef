// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "teff/engine/allocator.h"

namespace teff::kernels {

/// Uninitialised scratch memory for one call, 64-byte aligned, from the caching allocator.
template <class T>
class Workspace {
 public:
  explicit Workspace(std::size_t count) : bytes_(count * sizeof(T)), data_(static_cast<T*>(allocate(bytes_))) {}
  ~Workspace() { deallocate(data_, bytes_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace teff::kernels
