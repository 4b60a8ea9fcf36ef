// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>

#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/batch_norm.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct InstanceNormFields : InstanceNormFuncOptions {
  bool has_weight = true, has_bias = true;

  static void fields(auto& self, auto&& field) {
    field("training", self.training);
    field("momentum", self.momentum);
    field("eps", self.eps);
    field("has_weight", self.has_weight);
    field("has_bias", self.has_bias);
  }
  std::size_t bias() const { return has_weight ? 4 : 3; }
  std::size_t input_count() const { return bias() + has_bias; }
};

/// running = (1 - momentum) * running + momentum * mean over the images of what each says
template <class T>
void update_statistics(const ops::Split& s, const T* x, double momentum, T* mean, T* variance) {
  const auto images = static_cast<double>(s.outer), n = static_cast<double>(s.inner);
  for (std::int64_t c = 0; c < s.size; ++c) {
    double means = 0, variances = 0;
    for (std::int64_t image = 0; image < s.outer; ++image) {
      const T* values = x + (image * s.size + c) * s.inner;
      double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < s.inner; ++i) sum += static_cast<double>(values[i]);
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const double difference = static_cast<double>(values[i]) - sum / n;
        squares += difference * difference;
      }
      means += sum / n;
      variances += squares / (n - 1);
    }
    mean[c] = static_cast<T>(momentum * means / images + (1 - momentum) * static_cast<double>(mean[c]));
    variance[c] = static_cast<T>(momentum * variances / images + (1 - momentum) * static_cast<double>(variance[c]));
  }
}

/// group_norm of groups of one channel in training, batch_norm by the running statistics otherwise. The inputs after
/// x: running_mean, running_var, weight, bias.
class InstanceNorm : public OpWith<InstanceNorm, InstanceNormFields> {
 public:
  static constexpr std::string_view kName = "instance_norm";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, options_.input_count());
    ops::check_computable(kName, inputs);
    if (!std::isfinite(options_.eps) || options_.eps < 0) {
      ops::fail<ValueError>(kName, "a finite eps of at least 0, got ", options_.eps);
    }
    if (!std::isfinite(options_.momentum)) {
      ops::fail<ValueError>(kName, "a finite momentum, got ", options_.momentum);
    }
    const Shape& x = inputs[0].shape;
    if (x.size() < 3) ops::fail<ShapeError>(kName, "input [N, C, ...] of at least 3 dimensions, got input ", x);
    constexpr const char* kNames[] = {"input", "running_mean", "running_var", "weight"};
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const char* const name = i == options_.bias() ? "bias" : kNames[i];
      ops::check_matches(kName, name, inputs[i].shape, {x[1]}, "input", x);
    }
    if (options_.training && ops::Split(x, 1).inner == 1) {
      ops::fail<ShapeError>(kName, "more than 1 value per channel of an image when training, got input ", x);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    if (!options_.training) {
      ops::normalize_into(context.inputs, options_.has_weight, options_.has_bias, options_.eps, y);
      return y;
    }
    const Tensor result = compute(context.inputs);
    std::memcpy(y.raw_data(), result.raw_data(), y.nbytes());
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      update_statistics(ops::Split(y.shape(), 1), context.inputs[0].data<T>(), options_.momentum,
                        context.inputs[1].data<T>(), context.inputs[2].data<T>());
    });
    for (const std::size_t i : {1, 2})
      context.inputs[i].impl()->storage->version.fetch_add(1, std::memory_order_relaxed);
    return y;
  }

  /// Computes once more, recorded.
  TensorList backward(const BackwardContext& context) const override {
    const GradModeGuard recorded(true);
    TensorList leaves(context.inputs.size()), grads(context.inputs.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      leaves[i] = context.inputs[i].detach();
      if (context.wanted[i] && !is_statistic(i)) leaves[i].requires_grad_();
    }
    compute(leaves).backward(context.grad);
    for (std::size_t i = 0; i < leaves.size(); ++i) grads[i] = leaves[i].grad();
    return grads;
  }

  bool saves_input(std::size_t i) const override { return !is_statistic(i) || !options_.training; }
  bool updates_input(std::size_t i) const override { return is_statistic(i); }

 private:
  static bool is_statistic(std::size_t i) { return i == 1 || i == 2; }

  Tensor compute(std::span<const Tensor> inputs) const {
    const Tensor weight = options_.has_weight ? inputs[3] : Tensor();
    const Tensor bias = options_.has_bias ? inputs[options_.bias()] : Tensor();
    if (options_.training) return group_norm(inputs[0], inputs[0].size(1), weight, bias, options_.eps);
    return batch_norm(inputs[0], inputs[1], inputs[2], weight, bias, {.training = false, .eps = options_.eps});
  }
};

}  // namespace

Tensor instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                     const Tensor& bias, const InstanceNormFuncOptions& options) {
  if (running_mean.defined() != running_var.defined() || (!options.training && !running_mean.defined())) {
    ops::fail<ValueError>("instance_norm", "running_mean and running_var both, or neither in training, got ",
                          running_mean.defined()  ? "running_mean only"
                          : running_var.defined() ? "running_var only"
                                                  : "neither in evaluation");
  }
  if (!running_mean.defined()) {  // nothing to remember: a group_norm, in every mode
    if (!x.defined()) ops::fail<TypeError>("instance_norm", "a defined input, got an undefined one");
    if (x.dim() < 3 || (x.numel() > 0 && ops::Split(x.shape(), 1).inner == 1)) {
      ops::fail<ShapeError>("instance_norm",
                            "input [N, C, ...] with more than 1 value per channel of an image, got input ", x.shape());
    }
    return group_norm(x, x.size(1), weight, bias, options.eps);
  }
  TensorList inputs{x, running_mean, running_var};
  if (weight.defined()) inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  return teff::apply(InstanceNorm({options, weight.defined(), bias.defined()}), inputs);
}

std::span<const OpEntry> ops::instance_norm_ops() {
  static const OpEntry entries[] = {op_entry<InstanceNorm>()};
  return entries;
}

}  // namespace teff
