// SPDX-License-Identifier: MIT
#include "teff/engine/ops/batch_norm.h"

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

/// The public options, and which of the inputs after x there are; their order is running_mean, running_var,
/// weight, bias. Without running statistics the batch's own are used in evaluation, too, as PyTorch's module
/// does.
struct BatchNormFields : BatchNormOptions {
  bool has_running_stats = true, has_weight = true, has_bias = true;

  static void fields(auto& self, auto&& field) {
    BatchNormOptions::fields(self, field);
    field("has_running_stats", self.has_running_stats);
    field("has_weight", self.has_weight);
    field("has_bias", self.has_bias);
  }

  bool uses_batch_stats() const { return training || !has_running_stats; }

  // Places among the inputs.
  std::size_t weight() const { return has_running_stats ? 3 : 1; }
  std::size_t bias() const { return weight() + has_weight; }
  std::size_t input_count() const { return bias() + has_bias; }
};

const char* name_of_input(const BatchNormFields& options, std::size_t i) {
  if (options.has_weight && i == options.weight()) return "weight";
  if (options.has_bias && i == options.bias()) return "bias";
  return i == 1 ? "running_mean" : "running_var";
}

void check_options(std::string_view op, const BatchNormOptions& options) {
  if (!std::isfinite(options.eps) || options.eps < 0) {
    ops::fail<ValueError>(op, "a finite eps of at least 0, got ", options.eps);
  }
  if (!std::isfinite(options.momentum)) ops::fail<ValueError>(op, "a finite momentum, got ", options.momentum);
}

/// running = (1 - momentum) * running + momentum * batch, with the unbiased variance
template <class T>
void update(const Tensor& running, const T* batch, double factor, double momentum) {
  T* values = running.data<T>();
  for (std::int64_t c = 0; c < running.numel(); ++c) {
    values[c] = static_cast<T>(momentum * (static_cast<double>(batch[c]) * factor) +
                               (1 - momentum) * static_cast<double>(values[c]));
  }
  running.impl()->storage->version.fetch_add(1, std::memory_order_relaxed);
}

template <class T>
void invert_std(std::int64_t count, const T* variance, double eps, T* inverse_std) {
  for (std::int64_t c = 0; c < count; ++c) {
    inverse_std[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance[c]) + eps));
  }
}

/// z = (x - mean) * inverse_std, y = z * weight + bias, per channel. With n values in a channel, in training
///   dX = inverse_std * weight * (dY - mean(dY) - z * mean(dY * z)),  dweight = sum(dY * z),  dbias = sum(dY)
/// and otherwise dX = inverse_std * weight * dY. Saved: mean (in training) and inverse_std.
class BatchNorm : public OpWith<BatchNorm, BatchNormFields> {
 public:
  static constexpr std::string_view kName = "batch_norm";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, options_.input_count());
    ops::check_computable(kName, inputs);
    check_options(kName, options_);
    const Shape& x = inputs[0].shape;
    if (x.size() < 2) ops::fail<ShapeError>(kName, "input [N, C, ...], got input ", x);
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      ops::check_matches(kName, name_of_input(options_, i), inputs[i].shape, {x[1]}, "input", x);
    }
    if (options_.uses_batch_stats() && x[1] > 0 && numel(x) == x[1]) {
      ops::fail<ShapeError>(kName, "more than 1 value per channel when training, got input size ", x);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    ops::visit_computable(y.dtype(), [&](auto zero) { compute<decltype(zero)>(context, y); });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const bool empty = context.grad.numel() == 0;
    TensorList grads(context.inputs.size());
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!context.wanted[i] || is_statistic(i)) continue;
      grads[i] = empty ? ops::new_zeros(context.inputs[i].type()) : detail::make_tensor(context.inputs[i].type());
    }
    if (empty) return grads;
    ops::visit_computable(context.grad.dtype(), [&](auto zero) { differentiate<decltype(zero)>(context, grads); });
    return grads;
  }

  bool saves_input(std::size_t i) const override {
    if (is_statistic(i)) return i == 1 && !options_.uses_batch_stats();
    return i == 0 || (options_.has_weight && i == options_.weight());
  }

  bool updates_input(std::size_t i) const override { return is_statistic(i); }

  /// x * w / sqrt(var + eps) + (b - mean * w / sqrt(var + eps)), in double: folding it adds no error to that of
  /// rounding the result.
  std::optional<ChannelAffine> channel_affine(std::span<const Tensor> constants) const override {
    if (options_.uses_batch_stats()) return std::nullopt;  // not known yet
    TensorList exact(1);                                   // by place among the inputs
    for (const Tensor& constant : constants.subspan(1)) {
      if (!constant.defined()) return std::nullopt;
      exact.push_back(constant.to(DType::float64));
    }
    const double *mean = exact[1].data<double>(), *variance = exact[2].data<double>();
    const double* weight = options_.has_weight ? exact[options_.weight()].data<double>() : nullptr;
    const double* bias = options_.has_bias ? exact[options_.bias()].data<double>() : nullptr;
    ChannelAffine affine{detail::make_tensor(exact[1].type()), detail::make_tensor(exact[1].type())};
    double *scale = affine.scale.data<double>(), *shift = affine.shift.data<double>();
    for (std::int64_t c = 0; c < exact[1].numel(); ++c) {
      scale[c] = 1 / std::sqrt(variance[c] + options_.eps) * (weight == nullptr ? 1 : weight[c]);
      shift[c] = (bias == nullptr ? 0 : bias[c]) - mean[c] * scale[c];
    }
    return affine;
  }

 private:
  bool is_statistic(std::size_t i) const { return options_.has_running_stats && (i == 1 || i == 2); }

  template <class T>
  kernels::BatchNorm<T> shape_of(std::span<const Tensor> inputs, bool with_bias) const {
    const ops::Split s(inputs[0].shape(), 1);
    return {.batch = s.outer,
            .channels = s.size,
            .spatial = s.inner,
            .weight = options_.has_weight ? inputs[options_.weight()].data<T>() : nullptr,
            .bias = with_bias && options_.has_bias ? inputs[options_.bias()].data<T>() : nullptr};
  }

  template <class T>
  void compute(const ForwardContext& context, const Tensor& y) const {
    const Tensor& x = context.inputs[0];
    const auto shape = shape_of<T>(context.inputs, true);
    const bool uses_batch_stats = options_.uses_batch_stats();
    std::optional<ops::SavedArray<T>> batch_mean;
    if (uses_batch_stats) batch_mean.emplace(context, shape.channels);
    const ops::SavedArray<T> inverse_std(context, shape.channels);
    const T* const mean = uses_batch_stats ? batch_mean->data() : context.inputs[1].data<T>();
    const T* const variance = uses_batch_stats ? inverse_std.data() : context.inputs[2].data<T>();
    if (uses_batch_stats) {
      kernels::batch_norm_kernels<T>().batch_norm_statistics(shape, x.data<T>(), batch_mean->data(),
                                                             inverse_std.data());
      if (options_.has_running_stats) {
        const auto n = static_cast<double>(shape.batch * shape.spatial);
        update(context.inputs[1], mean, 1, options_.momentum);
        update(context.inputs[2], variance, n / (n - 1), options_.momentum);
      }
    }
    invert_std(shape.channels, variance, options_.eps, inverse_std.data());
    kernels::batch_norm_kernels<T>().batch_norm(shape, x.data<T>(), mean, inverse_std.data(), y.data<T>());
  }

  template <class T>
  void differentiate(const BackwardContext& context, const TensorList& grads) const {
    const bool training = options_.uses_batch_stats();
    const Tensor& mean = training ? context.saved[0] : context.inputs[1];
    const Tensor& inverse_std = context.saved[training ? 1 : 0];
    const auto result = [&](bool there, std::size_t i) {
      return there && grads[i].defined() ? grads[i].data<T>() : nullptr;
    };
    kernels::batch_norm_kernels<T>().batch_norm_backward(
        shape_of<T>(context.inputs, false), training, context.grad.data<T>(), context.inputs[0].data<T>(),
        mean.data<T>(), inverse_std.data<T>(), result(true, 0), result(options_.has_weight, options_.weight()),
        result(options_.has_bias, options_.bias()));
  }
};

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, const BatchNormOptions& options) {
  if (running_mean.defined() != running_var.defined() || (!options.training && !running_mean.defined())) {
    ops::fail<ValueError>("batch_norm", "running_mean and running_var both, or neither in training, got ",
                          running_mean.defined()  ? "running_mean only"
                          : running_var.defined() ? "running_var only"
                                                  : "neither in evaluation");
  }
  TensorList inputs{x};
  for (const Tensor* input : {&running_mean, &running_var, &weight, &bias}) {
    if (input->defined()) inputs.push_back(*input);
  }
  return teff::apply(BatchNorm({options, running_mean.defined(), weight.defined(), bias.defined()}), inputs);
}

void ops::normalize_into(std::span<const Tensor> inputs, bool has_weight, bool has_bias, double eps, const Tensor& y) {
  BatchNormFields fields;
  fields.training = false;
  fields.eps = eps;
  fields.has_weight = has_weight;
  fields.has_bias = has_bias;
  BatchNorm(fields).forward({inputs, y.type(), nullptr, &y});
}

std::span<const OpEntry> ops::batch_norm_ops() {
  static const OpEntry entries[] = {op_entry<BatchNorm>()};
  return entries;
}

}  // namespace teff
