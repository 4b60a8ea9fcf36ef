// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct CatOptions {
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

/// Tensors one after the other along a dimension; each gets its part of the gradient.
class Cat : public OpWith<Cat, CatOptions> {
 public:
  static constexpr std::string_view kName = "cat";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (inputs.empty()) ops::fail<ShapeError>(kName, "at least 1 tensor, got none");
    ops::check_one_dtype(kName, inputs);
    const auto first =
        std::find_if(inputs.begin(), inputs.end() - 1, [](const auto& x) { return !is_left_out(x.shape); });
    TensorType result = *first;
    const std::size_t dim = ops::check_real_dim(kName, options_.dim, result.shape);
    for (auto input = first + 1; input != inputs.end(); ++input) {
      if (is_left_out(input->shape)) continue;
      check_fits(first->shape, input->shape, dim, static_cast<std::size_t>(input - inputs.begin()));
      result.shape[dim] += input->shape[dim];
      ops::check_result(kName, result.shape);
    }
    return result;
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor result = context.make_result();
    std::int64_t begin = 0;
    for (const Tensor& input : context.inputs) {
      if (is_left_out(input.shape())) continue;
      ops::strided_copy(part(result.shape(), begin, input.shape()).reversed(), input, result);
      begin += size(input);
    }
    return result;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < grads.size(); ++i) {
      const Tensor& input = context.inputs[i];
      if (context.wanted[i]) grads[i] = detail::make_tensor(input.type());
      if (is_left_out(input.shape())) continue;
      if (context.wanted[i]) {
        ops::strided_copy(part(context.grad.shape(), begin, input.shape()), context.grad, grads[i]);
      }
      begin += size(input);
    }
    return grads;
  }

  bool saves_input(std::size_t) const override { return false; }

 private:
  /// Tensors [0] go with others of any shape, as in PyTorch: an empty list to which parts are added.
  static bool is_left_out(const Shape& shape) { return shape == Shape{0}; }

  std::size_t dim(const Shape& shape) const { return ops::check_dim(kName, options_.dim, shape); }
  std::int64_t size(const Tensor& input) const { return input.shape()[dim(input.shape())]; }

  static void check_fits(const Shape& first, const Shape& other, std::size_t dim, std::size_t i) {
    Shape with_size = other;
    if (other.size() == first.size()) with_size[dim] = first[dim];
    if (with_size == first) return;
    ops::fail<ShapeError>(kName, "tensors of equal shape but for dimension ", dim, ", got ", first, " and, as tensor ",
                          i, ", ", other);
  }

  /// The copy of the part of `whole` that begins at `begin`.
  ops::StridedCopy part(const Shape& whole, std::int64_t begin, const Shape& shape) const {
    const ops::Strides strides = ops::contiguous_strides(whole);
    return {shape, strides, ops::contiguous_strides(shape), begin * strides[dim(whole)]};
  }
};

std::span<const Tensor> as_span(std::initializer_list<Tensor> tensors) { return {tensors.begin(), tensors.size()}; }

}  // namespace

Tensor cat(std::span<const Tensor> tensors, Integer dim) { return teff::apply(Cat({dim}), tensors); }
Tensor cat(std::initializer_list<Tensor> tensors, Integer dim) { return cat(as_span(tensors), dim); }

Tensor stack(std::span<const Tensor> tensors, Integer dim) {
  return detail::with_name("stack", [&] {
    TensorList parts;
    for (const Tensor& tensor : tensors) {
      if (tensor.shape() != tensors[0].shape()) {
        ops::fail<ShapeError>("stack", "tensors of equal shape, got ", tensors[0].shape(), " and, as tensor ",
                              parts.size(), ", ", tensor.shape());
      }
      parts.push_back(unsqueeze(tensor, dim));
    }
    return cat(std::span<const Tensor>(parts), dim);
  });
}
Tensor stack(std::initializer_list<Tensor> tensors, Integer dim) { return stack(as_span(tensors), dim); }

std::span<const OpEntry> ops::join_ops() {
  static const OpEntry entries[] = {op_entry<Cat>()};
  return entries;
}

}  // namespace teff
