// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/saved_array.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// What both norms say of themselves beside what they normalise: the inputs after x are weight and bias.
struct NormOptions {
  double eps = 1e-5;
  bool has_weight = true, has_bias = true;

  static void fields(auto& self, auto&& field) {
    field("eps", self.eps);
    field("has_weight", self.has_weight);
    field("has_bias", self.has_bias);
  }
  std::size_t bias() const { return has_weight ? 2 : 1; }
  std::size_t input_count() const { return bias() + has_bias; }
};

struct GroupNormOptions : NormOptions {
  std::int64_t num_groups = 1;

  static void fields(auto& self, auto&& field) {
    field("num_groups", self.num_groups);
    NormOptions::fields(self, field);
  }
};

struct LayerNormOptions : NormOptions {
  Shape normalized_shape;

  static void fields(auto& self, auto&& field) {
    field("normalized_shape", self.normalized_shape);
    NormOptions::fields(self, field);
  }
};

/// z = (x - mean) * inverse_std, y = z * weight + bias, with mean and inverse_std of each row. With n values in a row
///   dX = inverse_std * (w * dY - mean(w * dY) - z * mean(w * dY * z)),  dweight = sum(dY * z),  dbias = sum(dY)
/// Saved: mean and inverse_std. Derived: rows(shape of x) and check_options(shape of x) -> shape of weight and bias.
template <class Derived, class Options>
class Norm : public OpWith<Derived, Options> {
 public:
  using OpWith<Derived, Options>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, this->options_.input_count());
    ops::check_computable(Derived::kName, inputs);
    const double eps = this->options_.eps;
    if (!std::isfinite(eps) || eps < 0) {
      ops::fail<ValueError>(Derived::kName, "a finite eps of at least 0, got ", eps);
    }
    const Shape& x = inputs[0].shape;
    const Shape affine = derived().check_options(x);
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const char* const name = i == this->options_.bias() ? "bias" : "weight";
      ops::check_matches(Derived::kName, name, inputs[i].shape, affine, "input", x);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const kernels::GroupNorm<T> rows = rows_of<T>(context.inputs, true);
      const ops::SavedArray<T> mean(context, rows.rows), inverse_std(context, rows.rows);
      kernels::group_norm_kernels<T>().group_norm(rows, this->options_.eps, x.data<T>(), y.data<T>(), mean.data(),
                                                  inverse_std.data());
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const bool empty = context.grad.numel() == 0;
    TensorList grads(context.inputs.size());
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!context.wanted[i]) continue;
      const TensorType& type = context.inputs[i].type();
      grads[i] = empty ? ops::new_zeros(type) : detail::make_tensor(type);
    }
    if (empty) return grads;
    ops::visit_computable(context.grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto result = [&](bool there, std::size_t i) {
        return there && grads[i].defined() ? grads[i].data<T>() : nullptr;
      };
      kernels::group_norm_kernels<T>().group_norm_backward(
          rows_of<T>(context.inputs, false), context.grad.data<T>(), context.inputs[0].data<T>(),
          context.saved[0].data<T>(), context.saved[1].data<T>(), result(true, 0), result(this->options_.has_weight, 1),
          result(this->options_.has_bias, this->options_.bias()));
    });
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i == 0 || (this->options_.has_weight && i == 1); }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }

  template <class T>
  kernels::GroupNorm<T> rows_of(std::span<const Tensor> inputs, bool with_bias) const {
    kernels::GroupNorm<T> rows = derived().template rows<T>(inputs[0].shape());
    rows.weight = this->options_.has_weight ? inputs[1].template data<T>() : nullptr;
    rows.bias = with_bias && this->options_.has_bias ? inputs[this->options_.bias()].template data<T>() : nullptr;
    return rows;
  }
};

class GroupNorm : public Norm<GroupNorm, GroupNormOptions> {
 public:
  static constexpr std::string_view kName = "group_norm";
  using Norm::Norm;

  Shape check_options(const Shape& x) const {
    if (x.size() < 2) ops::fail<ShapeError>(kName, "input [N, C, ...], got input ", x);
    if (options_.num_groups < 1 || x[1] % options_.num_groups != 0) {
      ops::fail<ValueError>(kName, "num_groups that divide the ", x[1], " channels of input ", x,
                            ", got num_groups = ", options_.num_groups);
    }
    return {x[1]};
  }
  template <class T>
  kernels::GroupNorm<T> rows(const Shape& x) const {
    const ops::Split s(x, 1);
    const std::int64_t groups = options_.num_groups;
    return {s.outer * groups, groups, s.size / groups, s.inner, nullptr, nullptr};
  }
};

class LayerNorm : public Norm<LayerNorm, LayerNormOptions> {
 public:
  static constexpr std::string_view kName = "layer_norm";
  using Norm::Norm;

  Shape check_options(const Shape& x) const {
    const Shape& last = options_.normalized_shape;
    const bool fits =
        !last.empty() && last.size() <= x.size() && last == IntList(std::span(x.end() - last.size(), last.size()));
    if (!fits) ops::fail<ShapeError>(kName, "input [..., ", last, "] as normalized_shape says, got input ", x);
    return last;
  }
  template <class T>
  kernels::GroupNorm<T> rows(const Shape& x) const {
    const std::int64_t length = numel(options_.normalized_shape);
    return {numel(x) / length, 1, length, 1, nullptr, nullptr};
  }
};

TensorList with_affine(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  TensorList inputs{x};
  if (weight.defined()) inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  return inputs;
}

}  // namespace

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps) {
  const GroupNorm op({{eps, weight.defined(), bias.defined()}, num_groups});
  return teff::apply(op, with_affine(x, weight, bias));
}

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  const LayerNorm op({{eps, weight.defined(), bias.defined()}, normalized_shape});
  return teff::apply(op, with_affine(x, weight, bias));
}

std::span<const OpEntry> ops::group_norm_ops() {
  static const OpEntry entries[] = {op_entry<GroupNorm>(), op_entry<LayerNorm>()};
  return entries;
}

}  // namespace teff
