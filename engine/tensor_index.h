// SPDX-License-Identifier: MIT
#pragma once

// The words of x.index({...}): `using namespace teff::indexing;`

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace indexing {

/// A new dimension of size 1; as a bound of a Slice: none.
inline constexpr std::nullopt_t None = std::nullopt;

/// As many whole dimensions as the other entries of the list leave; "..." is the same.
struct EllipsisIndex {};
inline constexpr EllipsisIndex Ellipsis{};

/// start:stop:step of Python. Slice() is a whole dimension. The step is at least 1.
struct Slice {
  std::optional<Integer> start, stop, step;
  Slice(std::optional<Integer> from = {}, std::optional<Integer> to = {}, std::optional<Integer> by = {})
      : start(from), stop(to), step(by) {}
};

/// One entry of a list: None, Ellipsis, a whole number, a Slice, or a tensor: int64 indices, or a bool mask, which
/// stands for as many dimensions as it has.
class TensorIndex {
 public:
  TensorIndex(std::nullopt_t) {}
  TensorIndex(EllipsisIndex) : what_(EllipsisIndex{}) {}
  /// @throws ValueError unless it is "...".
  TensorIndex(const char* dots);
  template <WholeNumber T>
  TensorIndex(T index) : what_(std::int64_t{Integer(index)}) {}
  TensorIndex(const Slice& slice) : what_(slice) {}
  TensorIndex(const Tensor& tensor) : what_(tensor) {}

  template <class T>
  const T* as() const {
    return std::get_if<T>(&what_);
  }
  bool is_none() const { return what_.index() == 0; }

 private:
  std::variant<std::monostate, EllipsisIndex, std::int64_t, Slice, Tensor> what_;
};

}  // namespace indexing

/// Places of tensors, as libtorch writes them: index(x, {Slice(), mask, 0, Ellipsis, None, rows}). Whole numbers and
/// slices are those of Python (a slice of dimension 0 alone shares elements); tensors of indices broadcast with each
/// other, and their dimensions stand where the first of them stood, or in front if others stand between them. Indices
/// may be negative. The gradient goes to where the values came from. Masks are read: refused while a graph is captured.
/// @throws IndexError for an index out of range, too many entries, or a mask of another shape than its dimensions.
Tensor index(const Tensor& x, std::span<const indexing::TensorIndex> places);
Tensor index(const Tensor& x, std::initializer_list<indexing::TensorIndex> places);

/// x with `values` (broadcast, of its dtype) at these places, or added to what is there. Of places named twice the
/// last counts, or each is added, in order. Gradients go to x and values.
Tensor index_put(const Tensor& x, std::span<const indexing::TensorIndex> places, const Tensor& values,
                 bool accumulate = false);
Tensor index_put(const Tensor& x, std::initializer_list<indexing::TensorIndex> places, const Tensor& values,
                 bool accumulate = false);

}  // namespace teff
