// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "teff/engine/indexing_ops.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct FlipOptions {
  IntList dims;
  static void fields(auto& self, auto&& field) { field("dims", self.dims); }
};

/// Dimensions the other way round; so is the gradient.
class Flip : public OpWith<Flip, FlipOptions> {
 public:
  static constexpr std::string_view kName = "flip";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    IntList seen;
    for (const std::int64_t dim : options_.dims) {
      const auto place = static_cast<std::int64_t>(ops::check_dim(kName, dim, inputs[0].shape));
      if (seen.contains(place)) ops::fail<ValueError>(kName, "each dimension once, got dims ", options_.dims);
      seen.push_back(place);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    flip(context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.grad.type());
    flip(context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  void flip(const Tensor& x, const Tensor& y) const {
    const Shape& shape = x.shape();
    ops::StridedCopy copy{shape, ops::contiguous_strides(shape), ops::contiguous_strides(shape)};
    for (const std::int64_t dim : options_.dims) {
      if (shape.empty()) continue;
      const std::size_t d = ops::check_dim(kName, dim, shape);
      copy.from_begin += (shape[d] - 1) * copy.from_strides[d];
      copy.from_strides[d] = -copy.from_strides[d];
    }
    ops::strided_copy(copy, x, y);
  }
};

struct TriangleOptions {
  std::int64_t diagonal = 0;
  static void fields(auto& self, auto&& field) { field("diagonal", self.diagonal); }
};

/// Matrices with 0 on one side of a diagonal; the gradient likewise.
template <class Derived, bool kLower>
class Triangle : public OpWith<Derived, TriangleOptions> {
 public:
  using OpWith<Derived, TriangleOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    if (inputs[0].shape.size() < 2) {
      ops::fail<ShapeError>(Derived::kName, "matrices [..., n, m], got input ", inputs[0].shape);
    }
    return inputs[0];
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    cut(context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = context.make_gradient();
    cut(context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  void cut(const Tensor& x, const Tensor& y) const {
    if (x.numel() == 0) return;
    const std::int64_t rows = x.size(-2), columns = x.size(-1), bytes = static_cast<std::int64_t>(size_of(x.dtype()));
    const std::int64_t diagonal = std::clamp(this->options_.diagonal, -rows, columns);
    const auto* const from = static_cast<const std::byte*>(x.raw_data());
    auto* const to = static_cast<std::byte*>(y.raw_data());
    const auto cut_rows = [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t edge = std::clamp<std::int64_t>(row % rows + diagonal + (kLower ? 1 : 0), 0, columns);
        const std::int64_t first = row * columns * bytes, middle = first + edge * bytes;
        const auto size = static_cast<std::size_t>(columns * bytes), left = static_cast<std::size_t>(edge * bytes);
        if (kLower) {
          std::memmove(to + first, from + first, left);
          std::memset(to + middle, 0, size - left);
        } else {
          std::memset(to + first, 0, left);
          std::memmove(to + middle, from + middle, size - left);
        }
      }
    };
    parallel_ranges(x.numel() / columns, std::max<std::int64_t>(1, kernels::kGrain / columns), cut_rows);
  }
};

class Tril : public Triangle<Tril, true> {
 public:
  static constexpr std::string_view kName = "tril";
  using Triangle::Triangle;
};

class Triu : public Triangle<Triu, false> {
 public:
  static constexpr std::string_view kName = "triu";
  using Triangle::Triangle;
};

struct DiagonalOptions {
  std::int64_t offset = 0;
  std::int64_t dim1 = 0;
  std::int64_t dim2 = 1;
  static void fields(auto& self, auto&& field) {
    field("offset", self.offset);
    field("dim1", self.dim1);
    field("dim2", self.dim2);
  }
};

/// Where the elements of a diagonal [..., n] lie in a tensor of shape `whole`.
ops::StridedCopy diagonal_of(std::string_view op, const DiagonalOptions& options, const Shape& whole) {
  const std::size_t first = ops::check_real_dim(op, options.dim1, whole),
                    second = ops::check_real_dim(op, options.dim2, whole);
  if (first == second) {
    ops::fail<ValueError>(op, "two different dimensions of input ", whole, ", got ", options.dim1, " and ",
                          options.dim2);
  }
  const ops::Strides strides = ops::contiguous_strides(whole);
  const std::int64_t rows = whole[first], columns = whole[second];
  const std::int64_t offset = std::clamp(options.offset, -rows, columns);
  ops::StridedCopy copy{{}, {}, {}, offset < 0 ? -offset * strides[first] : offset * strides[second]};
  for (std::size_t d = 0; d < whole.size(); ++d) {
    if (d == first || d == second) continue;
    copy.from_strides[copy.shape.size()] = strides[d];
    copy.shape.push_back(whole[d]);
  }
  copy.from_strides[copy.shape.size()] = strides[first] + strides[second];
  copy.shape.push_back(offset < 0 ? std::min(rows + offset, columns) : std::min(rows, columns - offset));
  copy.to_strides = ops::contiguous_strides(copy.shape);
  return copy;
}

void take_diagonal(const ops::StridedCopy& copy, const Tensor& whole, const Tensor& part) {
  ops::strided_copy(copy, whole, part);
}

void put_diagonal(const ops::StridedCopy& copy, const Tensor& part, const Tensor& whole) {
  if (whole.nbytes() > 0) std::memset(whole.raw_data(), 0, whole.nbytes());
  ops::strided_copy(copy.reversed(), part, whole);
}

/// The diagonal of two dimensions, which becomes the last one; the rest gets no gradient.
class Diagonal : public OpWith<Diagonal, DiagonalOptions> {
 public:
  static constexpr std::string_view kName = "diagonal";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return {diagonal_of(kName, options_, inputs[0].shape).shape, inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    take_diagonal(diagonal_of(kName, options_, context.inputs[0].shape()), context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    put_diagonal(diagonal_of(kName, options_, grad_x.shape()), context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }
};

/// The last dimension as the diagonal of two, and 0 elsewhere.
class DiagEmbed : public OpWith<DiagEmbed, DiagonalOptions> {
 public:
  static constexpr std::string_view kName = "diag_embed";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const Shape& part = inputs[0].shape;
    ops::check_real_dim(kName, 0, part);
    if (options_.offset <= -ops::kMaxOption || options_.offset >= ops::kMaxOption) {
      ops::fail<ValueError>(kName, "an offset between -2^31 and 2^31, got ", options_.offset);
    }
    const auto rank = static_cast<std::int64_t>(part.size()) + 1;
    const auto place = [&](std::int64_t dim) {
      if (dim < -rank || dim >= rank) {
        ops::fail<IndexError>(kName, "dimensions in [", -rank, ", ", rank, ") for input ", part, ", got ", dim);
      }
      return static_cast<std::size_t>(dim < 0 ? dim + rank : dim);
    };
    const std::size_t first = place(options_.dim1), second = place(options_.dim2);
    const std::int64_t size = part.back() + std::abs(options_.offset);
    Shape whole = part;
    whole.erase(part.size() - 1);
    whole.insert(std::min(first, second), size);
    if (first != second) whole.insert(std::max(first, second), size);
    diagonal_of(kName, options_, ops::check_result(kName, whole));  // refuses one dimension twice
    return {whole, inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    put_diagonal(diagonal_of(kName, options_, y.shape()), context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    take_diagonal(diagonal_of(kName, options_, context.grad.shape()), context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }
};

}  // namespace

Tensor flip(const Tensor& x, const IntList& dims) { return apply(Flip({dims}), {x}); }
Tensor tril(const Tensor& x, Integer diagonal) { return apply(Tril({diagonal}), {x}); }
Tensor triu(const Tensor& x, Integer diagonal) { return apply(Triu({diagonal}), {x}); }
Tensor diagonal(const Tensor& x, Integer offset, Integer dim1, Integer dim2) {
  return apply(Diagonal({offset, dim1, dim2}), {x});
}
Tensor diag_embed(const Tensor& x, Integer offset, Integer dim1, Integer dim2) {
  return apply(DiagEmbed({offset, dim1, dim2}), {x});
}

Tensor Tensor::flip(const IntList& dims) const { return teff::flip(*this, dims); }
Tensor Tensor::tril(Integer diagonal) const { return teff::tril(*this, diagonal); }
Tensor Tensor::triu(Integer diagonal) const { return teff::triu(*this, diagonal); }
Tensor Tensor::diagonal(Integer offset, Integer dim1, Integer dim2) const {
  return teff::diagonal(*this, offset, dim1, dim2);
}

std::span<const OpEntry> ops::rearrange_ops() {
  static const OpEntry entries[] = {op_entry<Flip>(), op_entry<Tril>(), op_entry<Triu>(), op_entry<Diagonal>(),
                                    op_entry<DiagEmbed>()};
  return entries;
}

}  // namespace teff
