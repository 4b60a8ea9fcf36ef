// SPDX-License-Identifier: MIT
#pragma once

// Private: what a forward computes beside its result.

#include <cstdint>
#include <optional>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/op.h"
#include "teff/engine/tensor_impl.h"

namespace teff::ops {

/// An uninitialised array, saved for backward where somebody may ask for that, and scratch memory otherwise.
template <class T>
class SavedArray {
 public:
  SavedArray(const ForwardContext& context, std::int64_t count) {
    if (context.recording()) {
      const Tensor tensor = detail::make_tensor({{count}, detail::DTypeOf<T>::value});
      context.save(tensor);
      data_ = tensor.data<T>();
    } else {
      data_ = scratch_.emplace(static_cast<std::size_t>(count)).data();
    }
  }

  T* data() const { return data_; }

 private:
  std::optional<kernels::Workspace<T>> scratch_;
  T* data_;
};

}  // namespace teff::ops
