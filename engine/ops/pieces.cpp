// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Pieces of the input, one after the other along a dimension; dX is the pieces' gradients put together, 0 where none
/// came. Derived::result_count checks, and Derived::size_of(i, size) is the size of piece i of a dimension of that
/// size.
template <class Derived, class Options>
class PiecesOp : public OpWith<Derived, Options, MultiOp> {
 public:
  using OpWith<Derived, Options, MultiOp>::OpWith;

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    const auto& self = static_cast<const Derived&>(*this);
    constexpr std::size_t kMaxPieces = 1 << 20;  // none of which need have elements
    const std::size_t count = self.result_count(inputs), dim = place_of(inputs[0].shape);
    if (count > kMaxPieces) ops::fail<ShapeError>(Derived::kName, "at most 2^20 pieces, got ", count);
    std::vector<TensorType> types(count, inputs[0]);
    for (std::size_t i = 0; i < count; ++i) types[i].shape[dim] = self.size_of(i, inputs[0].shape[dim]);
    return types;
  }

  void forward_all(const MultiForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const std::size_t dim = place_of(x.shape());
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < context.outputs.size(); ++i) {
      const Shape& shape = context.outputs[i].shape;
      const ops::StridedCopy copy = box(x.shape(), begin, shape);
      if (dim == 0 && !context.results[i].defined()) {
        context.results[i] = detail::alias(x, shape, numel(shape) == 0 ? 0 : copy.from_begin);
      } else {
        ops::strided_copy(copy, x, context.make_result(i));
      }
      begin += shape[dim];
    }
  }

  TensorList backward_all(const MultiBackwardContext& context) const override {
    const auto& self = static_cast<const Derived&>(*this);
    const TensorType type = context.inputs[0].type();
    const bool complete =
        std::all_of(context.grads.begin(), context.grads.end(), [](const Tensor& grad) { return grad.defined(); });
    Tensor grad_x = complete ? detail::make_tensor(type) : ops::new_zeros(type);
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < context.grads.size(); ++i) {
      const Tensor& grad = context.grads[i];
      if (grad.defined()) ops::strided_copy(box(type.shape, begin, grad.shape()).reversed(), grad, grad_x);
      begin += self.size_of(i, type.shape[place_of(type.shape)]);
    }
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return false; }

 protected:
  /// Where the dimension is, of an input that has it.
  std::size_t place_of(const Shape& shape) const {
    return ops::check_real_dim(Derived::kName, this->options_.dim, shape);
  }

  /// Its size.
  std::int64_t check_input(std::span<const TensorType> inputs) const {
    detail::check_arity(Derived::kName, inputs, 1);
    return inputs[0].shape[place_of(inputs[0].shape)];
  }

 private:
  ops::StridedCopy box(const Shape& whole, std::int64_t begin, const Shape& piece) const {
    const ops::Strides strides = ops::contiguous_strides(whole);
    return {piece, strides, ops::contiguous_strides(piece), begin * strides[place_of(whole)]};
  }
};

struct SplitOptions {
  std::int64_t split_size = 1;
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) {
    field("split_size", self.split_size);
    field("dim", self.dim);
  }
};

class SplitEvenly : public PiecesOp<SplitEvenly, SplitOptions> {
 public:
  static constexpr std::string_view kName = "split";
  using PiecesOp::PiecesOp;
  Widening widening() const override { return Widening::none; }

  std::size_t result_count(std::span<const TensorType> inputs) const override {
    const std::int64_t size = check_input(inputs);
    if (options_.split_size < (size == 0 ? 0 : 1)) {
      ops::fail<ValueError>(kName, "a split_size of at least ", size == 0 ? 0 : 1, " for dimension ", options_.dim,
                            " of input ", inputs[0].shape, ", got ", options_.split_size);
    }
    return size == 0 ? 1 : static_cast<std::size_t>((size - 1) / options_.split_size) + 1;
  }

  std::int64_t size_of(std::size_t i, std::int64_t whole) const {
    if (whole == 0) return 0;
    return std::min(options_.split_size, whole - static_cast<std::int64_t>(i) * options_.split_size);
  }
};

struct SplitWithSizesOptions {
  std::vector<std::int64_t> sizes;
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) {
    field("sizes", self.sizes);
    field("dim", self.dim);
  }
};

class SplitWithSizes : public PiecesOp<SplitWithSizes, SplitWithSizesOptions> {
 public:
  static constexpr std::string_view kName = "split_with_sizes";
  using PiecesOp::PiecesOp;
  Widening widening() const override { return Widening::none; }

  std::size_t result_count(std::span<const TensorType> inputs) const override {
    const std::int64_t whole = check_input(inputs);
    if (options_.sizes.empty()) ops::fail<ValueError>(kName, "at least 1 size, got none");
    std::int64_t sum = 0;
    for (const std::int64_t size : options_.sizes) {
      if (size < 0) ops::fail<ValueError>(kName, "sizes of at least 0, got ", size);
      if (__builtin_add_overflow(sum, size, &sum)) sum = std::numeric_limits<std::int64_t>::max();
    }
    if (sum != whole) {
      ops::fail<ShapeError>(kName, "sizes with the sum ", whole, " for dimension ", options_.dim, " of input ",
                            inputs[0].shape, ", got the sum ", sum);
    }
    return options_.sizes.size();
  }

  std::int64_t size_of(std::size_t i, std::int64_t) const { return options_.sizes[i]; }
};

std::vector<Tensor> pieces(const Op& op, const Tensor& x) {
  const TensorList results = apply_all(op, {x});
  return {results.begin(), results.end()};
}

}  // namespace

std::vector<Tensor> split(const Tensor& x, Integer split_size, Integer dim) {
  return pieces(SplitEvenly({split_size, dim}), x);
}

std::vector<Tensor> split(const Tensor& x, std::span<const std::int64_t> sizes, Integer dim) {
  return pieces(SplitWithSizes({{sizes.begin(), sizes.end()}, dim}), x);
}

std::vector<Tensor> chunk(const Tensor& x, Integer chunks, Integer dim) {
  if (!x.defined()) ops::fail<TypeError>("chunk", "a defined tensor, got an undefined one");
  if (chunks < 1) ops::fail<ValueError>("chunk", "at least 1 chunk, got ", chunks);
  if (chunks >= ops::kMaxOption) ops::fail<ValueError>("chunk", "less than 2^31 chunks, got ", chunks);
  const std::int64_t size = x.shape()[ops::check_real_dim("chunk", dim, x.shape())];
  if (size == 0) return split(x, std::vector<std::int64_t>(static_cast<std::size_t>(chunks)), dim);
  return split(x, (size - 1) / chunks + 1, dim);
}

std::span<const OpEntry> ops::pieces_ops() {
  static const OpEntry entries[] = {op_entry<SplitEvenly>(), op_entry<SplitWithSizes>()};
  return entries;
}

}  // namespace teff
