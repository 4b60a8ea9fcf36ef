// SPDX-License-Identifier: MIT
#include "teff/engine/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/op.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/random.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Binary;

/// The inputs: query, key, value and, if there are four, the mask.
struct AttentionAttributes {
  double dropout_p = 0;
  bool training = false, is_causal = false;
  std::optional<double> scale;

  static void fields(auto& self, auto&& field) {
    field("dropout_p", self.dropout_p);
    field("training", self.training);
    field("is_causal", self.is_causal);
    field("scale", self.scale);
  }
};

/// `batch` problems: query [L, E], key [S, E], value [S, V].
struct AttentionSizes {
  std::int64_t batch, queries, keys, size, value_size;
};

std::int64_t attention_batch(const Shape& x) {
  std::int64_t batch = 1;
  for (std::size_t i = 0; i + 2 < x.size(); ++i) batch *= x[i];
  return batch;
}

AttentionSizes attention_sizes(const Shape& query, const Shape& key, const Shape& value) {
  return {attention_batch(query), query[query.size() - 2], key[key.size() - 2], query.back(), value.back()};
}

/// Where the mask of a problem is: how far it is from row to row and from column to column, 0 where it is broadcast.
struct AttentionMask {
  Shape shape;  // of the weights
  Shape mask;
  std::int64_t row_step = 0, column_step = 0;

  AttentionMask() = default;
  AttentionMask(const Shape& its_mask, const AttentionSizes& s, const Shape& query) : shape(query), mask(its_mask) {
    shape[shape.size() - 1] = s.keys;
    if (!mask.empty() && mask.back() != 1) column_step = 1;
    if (mask.size() > 1 && mask[mask.size() - 2] != 1) row_step = mask.back();
  }

  /// The place of the first value of problem `index`.
  std::int64_t begin(std::int64_t index) const {
    if (mask.size() < 3) return 0;
    std::int64_t place = 0, stride = mask.back() * mask[mask.size() - 2];
    for (std::size_t i = 3; i <= mask.size(); ++i) {
      const std::int64_t size = shape[shape.size() - i], own = mask[mask.size() - i];
      if (own != 1) place += index % size * stride;
      stride *= own;
      index /= size;
    }
    return place;
  }
};

/// One call, for elements of type T: weights P = softmax(Q K^T * scale + mask), for some rows of a problem at a time.
template <class T>
class AttentionProblem {
 public:
  AttentionProblem(std::span<const Tensor> inputs, const AttentionAttributes& options, const T* noise)
      : s(attention_sizes(inputs[0].shape(), inputs[1].shape(), inputs[2].shape())),
        noise_(noise),
        causal_(options.is_causal),
        scale_(static_cast<T>(options.scale.value_or(1 / std::sqrt(static_cast<double>(s.size))))),
        q_(inputs[0].data<T>()),
        k_(inputs[1].data<T>()),
        v_(inputs[2].data<T>()) {
    if (inputs.size() < 4) return;
    mask_ = AttentionMask(inputs[3].shape(), s, inputs[0].shape());
    if (inputs[3].dtype() == DType::bool_) {
      may_ = inputs[3].data<bool>();
    } else {
      added_ = inputs[3].data<T>();
    }
  }

  /// Rows that are computed together: their weights fit into the second level cache, if the sequence is not long. In
  /// a causal problem few of them, for what is beyond their diagonal is left out.
  std::int64_t rows() const {
    constexpr std::int64_t kWeights = 1 << 16, kLeast = 16, kCausal = 64;
    const std::int64_t rows = std::max(kLeast, kWeights / s.keys);
    return std::min(s.queries, causal_ ? std::min(rows, kCausal) : rows);
  }
  std::int64_t blocks() const { return (s.queries + rows() - 1) / rows(); }

  void forward(T* y) const {
    const std::int64_t count = blocks();
    parallel_for(s.batch * count, [&](std::int64_t task) {
      const Block b = block(task / count, task % count);
      kernels::Workspace<T> scaled(size_of(b.rows, s.size)), weights(size_of(b.rows, b.keys));
      find_weights(b, scaled.data(), weights.data());
      drop(b, weights.data());
      multiply(b.rows, s.value_size, b.keys, weights.data(), b.keys, false, v_ + b.problem * s.keys * s.value_size,
               false, y + b.first(s) * s.value_size, false);
    });
  }

  /// dV = P^T dY, dP = dY V^T, dS = P * (dP - sum(dP * P)), dQ = dS K * scale, dK = dS^T Q * scale, and dS for the
  /// mask. All but the last are added up over the blocks of a problem, in their order.
  struct Gradients {
    const T* y;
    T *q, *k, *v, *mask;  // each may be null; mask: of all weights
  };
  void backward(const Gradients& g) const {
    parallel_for(s.batch, [&](std::int64_t problem) {
      const std::int64_t keys = problem * s.keys;
      if (g.k != nullptr) std::fill_n(g.k + keys * s.size, s.keys * s.size, T(0));
      if (g.v != nullptr) std::fill_n(g.v + keys * s.value_size, s.keys * s.value_size, T(0));
      for (std::int64_t i = 0; i < blocks(); ++i) backward(block(problem, i), g);
    });
  }

 private:
  struct Block {
    std::int64_t problem, row, rows, keys;  // keys: those that any of its rows looks at
    std::int64_t first(const AttentionSizes& sizes) const { return problem * sizes.queries + row; }
  };
  Block block(std::int64_t problem, std::int64_t index) const {
    const std::int64_t row = index * rows(), count = std::min(rows(), s.queries - row);
    return {problem, row, count, causal_ ? std::min(s.keys, row + count) : s.keys};
  }
  static std::size_t size_of(std::int64_t a, std::int64_t b) {
    return static_cast<std::size_t>(kernels::scratch_size({a, b}));
  }

  /// C[m, n] (+)= op(A) op(B), all without gaps.
  static void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, bool transpose_a,
                       const T* b, bool transpose_b, T* c, bool accumulate) {
    kernels::gemm_kernels<T>().gemm({.m = m,
                                     .n = n,
                                     .k = k,
                                     .a = a,
                                     .lda = lda,
                                     .transpose_a = transpose_a,
                                     .b = b,
                                     .ldb = transpose_b ? k : n,
                                     .transpose_b = transpose_b,
                                     .c = c,
                                     .ldc = n,
                                     .accumulate = accumulate});
  }

  /// The block's weights [rows, keys] and Q * scale.
  void find_weights(const Block& b, T* scaled, T* weights) const {
    const auto& elements = kernels::elementwise_kernels<T>();
    elements.binary(Binary::mul, b.rows * s.size, q_ + b.first(s) * s.size, 1, &scale_, 0, scaled);
    multiply(b.rows, b.keys, s.size, scaled, s.size, false, k_ + b.problem * s.keys * s.size, true, weights, false);
    for (std::int64_t i = 0; i < b.rows; ++i) mask_row(b, i, weights + i * b.keys);
    kernels::softmax_kernels<T>().softmax(b.rows, b.keys, 1, weights, weights);
  }

  void mask_row(const Block& b, std::int64_t i, T* row) const {
    constexpr T kNowhere = -std::numeric_limits<T>::infinity();
    const std::int64_t place = mask_.begin(b.problem) + (b.row + i) * mask_.row_step, step = mask_.column_step;
    if (added_ != nullptr) {
      const T* const from = added_ + place;
      for (std::int64_t j = 0; j < b.keys; ++j) row[j] += from[j * step];
    }
    if (may_ != nullptr) {
      const bool* const from = may_ + place;
      for (std::int64_t j = 0; j < b.keys; ++j) row[j] = from[j * step] ? row[j] : kNowhere;
    }
    if (causal_) std::fill(row + std::min(b.keys, b.row + i + 1), row + b.keys, kNowhere);
  }

  /// No gradient where nobody may look, also of a row that is NaN because it may look nowhere.
  void clear_masked(const Block& b, T* ds) const {
    for (std::int64_t i = 0; i < b.rows; ++i) {
      const bool* const from = may_ + mask_.begin(b.problem) + (b.row + i) * mask_.row_step;
      for (std::int64_t j = 0; j < b.keys; ++j)
        ds[i * b.keys + j] = from[j * mask_.column_step] ? ds[i * b.keys + j] : 0;
    }
  }

  void drop(const Block& b, T* weights) const {
    if (noise_ == nullptr) return;
    for (std::int64_t i = 0; i < b.rows; ++i) {
      const T* const noise = noise_ + (b.first(s) + i) * s.keys;
      for (std::int64_t j = 0; j < b.keys; ++j) weights[i * b.keys + j] *= noise[j];
    }
  }

  void backward(const Block& b, const Gradients& g) const {
    kernels::Workspace<T> scaled(size_of(b.rows, s.size)), p(size_of(b.rows, b.keys)), ds(size_of(b.rows, b.keys));
    find_weights(b, scaled.data(), p.data());
    const T* const dy = g.y + b.first(s) * s.value_size;
    const std::int64_t keys = b.problem * s.keys;
    if (g.v != nullptr) add_value_gradient(b, p.data(), dy, ds.data(), g.v + keys * s.value_size);
    if (g.q == nullptr && g.k == nullptr && g.mask == nullptr) return;
    multiply(b.rows, b.keys, s.value_size, dy, s.value_size, false, v_ + keys * s.value_size, true, ds.data(), false);
    drop(b, ds.data());
    kernels::softmax_kernels<T>().softmax_backward(b.rows, b.keys, 1, ds.data(), p.data(), ds.data());
    if (may_ != nullptr) clear_masked(b, ds.data());
    if (g.mask != nullptr) {
      for (std::int64_t i = 0; i < b.rows; ++i) {
        T* const row = g.mask + (b.first(s) + i) * s.keys;
        std::copy_n(ds.data() + i * b.keys, b.keys, row);
        std::fill(row + b.keys, row + s.keys, T(0));
      }
    }
    if (g.k != nullptr) {
      multiply(b.keys, s.size, b.rows, ds.data(), b.keys, true, scaled.data(), false, g.k + keys * s.size, true);
    }
    if (g.q == nullptr) return;
    T* const dq = g.q + b.first(s) * s.size;
    multiply(b.rows, s.size, b.keys, ds.data(), b.keys, false, k_ + keys * s.size, false, dq, false);
    kernels::elementwise_kernels<T>().binary(Binary::mul, b.rows * s.size, dq, 1, &scale_, 0, dq);
  }

  /// dV += (P * noise)^T dY
  void add_value_gradient(const Block& b, const T* p, const T* dy, T* scratch, T* dv) const {
    if (noise_ != nullptr) {
      std::copy_n(p, b.rows * b.keys, scratch);
      drop(b, scratch);
      p = scratch;
    }
    multiply(b.keys, s.value_size, b.rows, p, b.keys, true, dy, false, dv, true);
  }

  const AttentionSizes s;
  const T* noise_;
  const bool causal_;
  const T scale_;
  const T *q_, *k_, *v_;
  AttentionMask mask_;
  const bool* may_ = nullptr;
  const T* added_ = nullptr;
};

/// Saved: the noise of the dropout, if there is one.
class Attention : public OpWith<Attention, AttentionAttributes> {
 public:
  static constexpr std::string_view kName = "scaled_dot_product_attention";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 3, 4);
    ops::check_computable(kName, inputs.first(3));
    check_options();
    const Shape &q = inputs[0].shape, &k = inputs[1].shape, &v = inputs[2].shape;
    check_shapes(q, k, v);
    if (inputs.size() == 4) check_mask(inputs[3], inputs[0].dtype, q, k);
    const AttentionSizes s = attention_sizes(q, k, v);
    ops::check_work(kName, {s.batch, s.queries, s.keys, s.size + s.value_size});
    Shape shape = q;
    shape[shape.size() - 1] = s.value_size;
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    if (context.inputs[1].numel() == 0) {  // a sum of no values
      detail::fill(y, 0);
      return y;
    }
    Tensor noise;
    if (drops()) {
      Shape shape = context.inputs[0].shape();
      shape[shape.size() - 1] = context.inputs[1].size(-2);
      noise = draw({ops::check_result(kName, shape), y.dtype()});
      context.save(noise);
    }
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* const factors = noise.defined() ? noise.data<T>() : nullptr;
      AttentionProblem<T>(context.inputs, options_, factors).forward(y.data<T>());
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const std::span<const Tensor> inputs = context.inputs;
    TensorList grads(inputs.size());
    const bool empty = std::any_of(inputs.begin(), inputs.begin() + 3, [](const Tensor& x) { return x.numel() == 0; });
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!context.wanted[i]) continue;
      grads[i] = empty ? ops::new_zeros(inputs[i].type()) : detail::make_tensor(inputs[i].type());
    }
    if (empty) return grads;
    const bool mask = inputs.size() == 4 && context.wanted[3];
    Tensor all;  // the gradient of all weights
    if (mask) {
      Shape shape = inputs[0].shape();
      shape[shape.size() - 1] = inputs[1].size(-2);
      all = detail::make_tensor({ops::check_result(kName, shape), context.grad.dtype()});
    }
    ops::visit_computable(context.grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto result = [](const Tensor& grad) { return grad.defined() ? grad.data<T>() : nullptr; };
      const T* const noise = context.saved.empty() ? nullptr : context.saved[0].template data<T>();
      AttentionProblem<T>(inputs, options_, noise)
          .backward({context.grad.data<T>(), result(grads[0]), result(grads[1]), result(grads[2]), result(all)});
    });
    if (mask) grads[3] = ops::sum_to(all, inputs[3].shape());
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const AttentionSizes s = attention_sizes(inputs[0].shape, inputs[1].shape, inputs[2].shape);
    const double weights = static_cast<double>(s.batch) * static_cast<double>(s.queries) * static_cast<double>(s.keys);
    return 2 * weights * static_cast<double>(s.size + s.value_size + 4) + static_cast<double>(numel(output.shape));
  }

 private:
  bool drops() const { return options_.training && options_.dropout_p > 0; }

  void check_options() const {
    const double p = options_.dropout_p;
    if (!(p >= 0 && p <= 1)) ops::fail<ValueError>(kName, "dropout_p in [0, 1], got ", p);
    if (options_.scale && !std::isfinite(*options_.scale)) {
      ops::fail<ValueError>(kName, "a finite scale, got ", *options_.scale);
    }
  }

  static void check_shapes(const Shape& q, const Shape& k, const Shape& v) {
    const auto in_front = [](const Shape& x) { return IntList(std::span(x.begin(), x.size() - 2)); };
    const bool fits = q.size() >= 2 && k.size() == q.size() && v.size() == q.size() && in_front(k) == in_front(q) &&
                      in_front(v) == in_front(q) && k.back() == q.back() && v[v.size() - 2] == k[k.size() - 2];
    if (fits && q.back() > 0) return;
    ops::fail<ShapeError>(kName,
                          "query [..., L, E], key [..., S, E], value [..., S, V], equal in front, E of at least 1, "
                          "got query ",
                          q, ", key ", k, ", value ", v);
  }

  static void check_mask(const TensorType& mask, DType dtype, const Shape& q, const Shape& k) {
    Shape weights = q;
    weights[weights.size() - 1] = k[k.size() - 2];
    if (mask.dtype != DType::bool_ && mask.dtype != dtype) {
      ops::fail<TypeError>(kName, "attn_mask of bool or ", to_string(dtype), ", got ", to_string(mask.dtype));
    }
    bool fits = mask.shape.size() <= weights.size();
    for (std::size_t i = 1; fits && i <= mask.shape.size(); ++i) {
      const std::int64_t size = mask.shape[mask.shape.size() - i];
      fits = size == 1 || size == weights[weights.size() - i];
    }
    if (!fits) ops::fail<ShapeError>(kName, "attn_mask that goes with weights ", weights, ", got ", mask.shape);
  }

  /// In PyTorch's two steps, as dropout does.
  Tensor draw(const TensorType& type) const {
    Tensor noise = detail::make_tensor(type);
    if (options_.dropout_p == 1) {
      detail::fill(noise, 0);
      return noise;
    }
    const double kept = 1 - options_.dropout_p;
    ops::visit_computable(type.dtype, [&](auto zero) {
      using T = decltype(zero);
      bernoulli_(noise.data<T>(), noise.numel(), kept, default_generator());
    });
    ops::compute(Binary::div, noise, kept, noise);
    return noise;
  }
};

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  const Attention op({options.dropout_p, options.training, options.is_causal, options.scale});
  if (!options.attn_mask.defined()) return apply(op, {query, key, value});
  return apply(op, {query, key, value, options.attn_mask});
}

std::span<const OpEntry> ops::attention_ops() {
  static const OpEntry entries[] = {op_entry<Attention>()};
  return entries;
}

}  // namespace teff
