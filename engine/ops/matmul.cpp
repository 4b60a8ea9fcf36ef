// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/folding.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/products.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Matrices in one tensor: as stored, and whether the product takes them transposed.
struct Matrices {
  const Tensor& tensor;
  Shape batch;
  std::int64_t rows, columns;
  bool transposed = false;
};

/// C = A B for one pair of matrices.
template <class T>
kernels::Gemm<T> gemm_of(const Matrices& a, const T* a_data, const Matrices& b, const T* b_data, T* c) {
  const std::int64_t n = b.transposed ? b.rows : b.columns;
  return {.m = a.transposed ? a.columns : a.rows,
          .n = n,
          .k = a.transposed ? a.rows : a.columns,
          .a = a_data,
          .lda = a.columns,
          .transpose_a = a.transposed,
          .b = b_data,
          .ldb = b.columns,
          .transpose_b = b.transposed,
          .c = c,
          .ldc = n};
}

/// C[i] = A[i] B[i] for a stretch of the batch: large ones one after the other, each on all threads.
template <class T>
void multiply_run(const Matrices& a, const Matrices& b, const ops::BroadcastRun& r, const Tensor& c) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 20;  // multiplications
  const kernels::Gemm<T> first = gemm_of<T>(a, a.tensor.data<T>(), b, b.tensor.data<T>(), c.data<T>());
  const auto multiply = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      kernels::Gemm<T> gemm = first;
      gemm.a += (r.a_begin + i * r.a_step) * a.rows * a.columns;
      gemm.b += (r.b_begin + i * r.b_step) * b.rows * b.columns;
      gemm.c += (r.out_begin + i) * first.m * first.n;
      kernels::gemm_kernels<T>().gemm(gemm);
    }
  };
  const std::int64_t work = std::min(kLarge, first.m * first.n) * std::min(kLarge, first.k);
  if (work >= kLarge) return multiply(0, r.count);
  parallel_ranges(r.count, kLarge / work, multiply);
}

/// C becomes the products, of shape `batch` + [rows of A, columns of B], which is its shape but for sizes of 1.
void multiply(const Matrices& a, const Matrices& b, const Shape& batch, const Tensor& c) {
  if (c.numel() == 0) return;
  if (a.tensor.numel() == 0 || b.tensor.numel() == 0) return detail::fill(c, 0);
  ops::visit_computable(c.dtype(), [&](auto zero) {
    ops::Broadcast(batch, a.batch, b.batch).for_each_run([&](const ops::BroadcastRun& r) {
      multiply_run<decltype(zero)>(a, b, r, c);
    });
  });
}

/// The same in a new tensor of shape `shape`.
Tensor product(const Matrices& a, const Matrices& b, const Shape& batch, const Shape& shape) {
  Tensor c = detail::make_tensor({shape, a.tensor.dtype()});
  multiply(a, b, batch, c);
  return c;
}

/// A product of PyTorch's matmul as one of batches of matrices: [batch, n, k] x [batch, k, m]. Vectors become
/// matrices of one row (a) or column (b).
struct Product {
  Shape a_batch, b_batch, batch;
  std::int64_t n = 1, k = 1, m = 1;
  Shape shape;  // of the result

  Product(const Shape& a, const Shape& b) {
    k = a.back();
    if (a.size() >= 2) n = a[a.size() - 2];
    if (b.size() >= 2) m = b.back();
    if (a.size() > 2) a_batch = IntList(std::span(a.begin(), a.size() - 2));
    if (b.size() > 2) b_batch = IntList(std::span(b.begin(), b.size() - 2));
    batch = shape = ops::broadcast_shape("matmul", a_batch, b_batch);
    if (a.size() >= 2) shape.push_back(n);
    if (b.size() >= 2) shape.push_back(m);
    fold();
  }

  Matrices a(const Tensor& tensor, bool transposed = false) const { return {tensor, a_batch, n, k, transposed}; }
  Matrices b(const Tensor& tensor, bool transposed = false) const { return {tensor, b_batch, k, m, transposed}; }
  Matrices c(const Tensor& tensor) const { return {tensor, batch, n, m}; }

 private:
  /// With one B for all, the batch of A is but more rows.
  void fold() {
    if (numel(b_batch) != 1 || numel(a_batch) != numel(batch)) return;
    n *= numel(batch);
    a_batch = b_batch = batch = {};
  }
};

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

/// C = A B, dA = dC B^T, dB = A^T dC; both summed over what was broadcast.
class Matmul : public OpWith<Matmul> {
 public:
  static constexpr std::string_view kName = "matmul";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    const Shape &a = inputs[0].shape, &b = inputs[1].shape;
    if (a.empty() || b.empty()) {
      ops::fail<ShapeError>(kName, "tensors of at least 1 dimension, got ", a, " and ", b, "; use mul for a number");
    }
    const std::int64_t b_rows = b.size() == 1 ? b[0] : b[b.size() - 2];
    if (a.back() != b_rows) {
      ops::fail<ShapeError>(kName, "[..., n, k] x [..., k, m] with equal k, got ", a, " x ", b);
    }
    return {ops::check_result(kName, Product(a, b).shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1];
    const Product p(a.shape(), b.shape());
    Tensor c = context.make_result();
    multiply(p.a(a), p.b(b), p.batch, c);
    return c;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    return 2.0 * static_cast<double>(numel(output.shape)) * static_cast<double>(inputs[0].shape.back());
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1], &grad = context.grad;
    const Product p(a.shape(), b.shape());
    if (grad.numel() == 0) return {ops::new_zeros(a.type()), ops::new_zeros(b.type())};
    TensorList grads(2);
    if (context.wanted[0]) {
      const Tensor all = product(p.c(grad), p.b(b, true), p.batch, with_matrix(p.batch, p.n, p.k));
      grads[0] = detail::alias(ops::sum_to(all, with_matrix(p.a_batch, p.n, p.k)), a.shape());
    }
    if (context.wanted[1]) {
      const Tensor all = product(p.a(a, true), p.c(grad), p.batch, with_matrix(p.batch, p.k, p.m));
      grads[1] = detail::alias(ops::sum_to(all, with_matrix(p.b_batch, p.k, p.m)), b.shape());
    }
    return grads;
  }
};

struct BmmOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  static void fields(auto& self, auto&& field) {
    field("transpose_a", self.transpose_a);
    field("transpose_b", self.transpose_b);
  }
};

/// C = A B of each pair, either taken transposed: of A^T B, dA = B dC^T; of A B^T, dB = dC^T A.
class Bmm : public OpWith<Bmm, BmmOptions> {
 public:
  static constexpr std::string_view kName = "bmm";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    const Shape &a = inputs[0].shape, &b = inputs[1].shape;
    const bool are_batches = a.size() == 3 && b.size() == 3 && a[0] == b[0];
    if (!are_batches || a[options_.transpose_a ? 1 : 2] != b[options_.transpose_b ? 2 : 1]) {
      ops::fail<ShapeError>(kName, "[B, n, k] x [B, k, m] with equal B and k, got ", a,
                            options_.transpose_a ? " (transposed) x " : " x ", b,
                            options_.transpose_b ? " (transposed)" : "");
    }
    const Shape shape{a[0], a[options_.transpose_a ? 2 : 1], b[options_.transpose_b ? 1 : 2]};
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor c = context.make_result();
    multiply(matrices(context.inputs[0], options_.transpose_a), matrices(context.inputs[1], options_.transpose_b),
             {c.size(0)}, c);
    return c;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    return 2.0 * static_cast<double>(numel(output.shape)) *
           static_cast<double>(inputs[0].shape[options_.transpose_a ? 1 : 2]);
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1], &grad = context.grad;
    const auto [turn_a, turn_b] = options_;
    const Shape batch{grad.size(0)};
    TensorList grads(2);
    if (context.wanted[0]) {
      grads[0] = turn_a ? product(matrices(b, turn_b), matrices(grad, true), batch, a.shape())
                        : product(matrices(grad, false), matrices(b, !turn_b), batch, a.shape());
    }
    if (context.wanted[1]) {
      grads[1] = turn_b ? product(matrices(grad, true), matrices(a, turn_a), batch, b.shape())
                        : product(matrices(a, !turn_a), matrices(grad, false), batch, b.shape());
    }
    return grads;
  }

 private:
  static Matrices matrices(const Tensor& tensor, bool transposed) {
    return {tensor, {tensor.size(0)}, tensor.size(1), tensor.size(2), transposed};
  }
};

/// Y = X W^T + b, dX = dY W, dW = dY^T X, db = sum over the rows of dY. x [..., in] counts as [rows, in]. For inference
/// Y may be clamped at last.
class Linear : public OpWith<Linear> {
 public:
  static constexpr std::string_view kName = "linear";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 2, 3);
    ops::check_computable(kName, inputs);
    const Shape &x = inputs[0].shape, &weight = inputs[1].shape;
    if (weight.size() != 2) ops::fail<ShapeError>(kName, "weight [out, in], got weight ", weight);
    if (x.empty() || x.back() != weight[1]) {
      ops::fail<ShapeError>(kName, "input [..., ", weight[1], "] to match weight ", weight, ", got input ", x);
    }
    if (inputs.size() == 3) {
      ops::check_matches(kName, "bias", inputs[2].shape, {weight[0]}, "weight", weight);
    }
    Shape shape = x;
    shape[shape.size() - 1] = weight[0];
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &weight = context.inputs[1];
    const bool has_bias = context.inputs.size() == 3;
    const Clamping clamp = clamp_.value_or(Clamping{});
    Tensor y = context.make_result();
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if (x.numel() == 0 || weight.numel() == 0) return set_to_bias<T>(context, clamp, y);
      auto gemm =
          gemm_of<T>(as_rows(x, weight.size(1)), x.data<T>(), stored(weight, true), weight.data<T>(), y.data<T>());
      if (has_bias) gemm.column_bias = context.inputs[2].data<T>();
      gemm.clamp = {static_cast<T>(clamp.low), static_cast<T>(clamp.high)};
      kernels::gemm_kernels<T>().gemm(gemm);
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &x = context.inputs[0], &weight = context.inputs[1];
    const std::int64_t in = weight.size(1), out = weight.size(0);
    const Matrices grad = as_rows(context.grad, out);
    TensorList grads(context.inputs.size());
    if (context.wanted[0]) grads[0] = product(grad, stored(weight, false), {}, x.shape());
    if (context.wanted[1]) {
      const Matrices transposed{context.grad, {}, grad.rows, out, true};
      grads[1] = product(transposed, as_rows(x, in), {}, weight.shape());
    }
    if (grads.size() == 3 && context.wanted[2]) grads[2] = ops::sum_to(context.grad, {out});
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    return 2.0 * static_cast<double>(numel(output.shape)) * static_cast<double>(inputs[1].shape[1]);
  }

  std::string_view name() const override { return clamp_ ? "linear_clamp" : kName; }
  bool differentiable() const override { return !clamp_; }
  bool saves_input(std::size_t i) const override { return i < 2; }

  std::shared_ptr<const Op> fuse(const Op& next) const override {
    if (clamp_ || !next.clamping()) return nullptr;
    Linear op = *this;
    op.clamp_ = next.clamping();
    return op.share();
  }

  TensorList fold(const ChannelAffine& next, std::span<const TensorType> types,
                  std::span<const Tensor> constants) const override {
    if (clamp_ || types[0].shape.size() != 2) return {};  // what it gives are the channels only there
    return ops::fold(next, constants, {1, 1, types[1].shape[0], types[1].shape[1]});
  }

 private:
  /// Y where there is nothing to multiply.
  template <class T>
  static void set_to_bias(const ForwardContext& context, const Clamping& clamp, const Tensor& y) {
    if (context.inputs.size() < 3) {
      detail::fill(y, 0);
    } else {
      ops::broadcast_to(context.inputs[2], y);
    }
    for (T& value : y.span<T>()) {
      value = std::min(std::max(value, static_cast<T>(clamp.low)), static_cast<T>(clamp.high));
    }
  }
  static Matrices as_rows(const Tensor& x, std::int64_t columns) {
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < x.shape().size(); ++i) rows *= x.shape()[i];
    return {x, {}, rows, columns};
  }
  static Matrices stored(const Tensor& weight, bool transposed) {
    return {weight, {}, weight.size(0), weight.size(1), transposed};
  }

  std::optional<Clamping> clamp_;
};

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) { return apply(Matmul(), {a, b}); }

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return bias.defined() ? apply(Linear(), {x, weight, bias}) : apply(Linear(), {x, weight});
}

Tensor ops::batch_product(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return apply(Bmm({transpose_a, transpose_b}), {a, b});
}

std::span<const OpEntry> ops::matmul_ops() {
  static const OpEntry entries[] = {op_entry<Matmul>(), op_entry<Bmm>(), op_entry<Linear>()};
  return entries;
}

}  // namespace teff
