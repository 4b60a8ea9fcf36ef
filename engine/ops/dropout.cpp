// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/random.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Binary;

struct DropoutOptions {
  double p = 0.5;
  bool training = true;
  static void fields(auto& self, auto&& field) {
    field("p", self.p);
    field("training", self.training);
  }
};

/// One noise for each element, or for each channel; and whether what is dropped becomes 0, or selu's lower limit.
struct Dropouts {
  std::string_view name;
  bool channels, alpha;
};
constexpr Dropouts kDropout{"dropout", false, false}, kDropout2d{"dropout2d", true, false},
    kAlphaDropout{"alpha_dropout", false, true}, kFeatureAlphaDropout{"feature_alpha_dropout", true, true};

void check_dropout(const Dropouts& kind, double p, std::span<const TensorType> inputs) {
  detail::check_arity(kind.name, inputs, 1);
  ops::check_computable(kind.name, inputs);
  if (!(p >= 0 && p <= 1)) ops::fail<ValueError>(kind.name, "a probability p in [0, 1], got ", p);
  if (kind.channels && inputs[0].shape.size() < 2) {
    ops::fail<ShapeError>(kind.name, "input [N, C, ...], got input ", inputs[0].shape);
  }
}

/// What an element is multiplied with: 1 / (1 - p) with probability 1 - p, else 0. In PyTorch's two steps, for the same
/// bits. For alpha dropout it is a instead of 1 / (1 - p), and y = x * noise + shift.
struct Drawn {
  Tensor noise, shift;
};

Drawn draw(const Dropouts& kind, TensorType type, double p) {
  for (std::size_t i = 2; kind.channels && i < type.shape.size(); ++i) type.shape[i] = 1;
  Drawn drawn{detail::make_tensor(type), {}};
  ops::visit_computable(type.dtype, [&](auto zero) {
    using T = decltype(zero);
    bernoulli_(drawn.noise.data<T>(), drawn.noise.numel(), 1 - p, default_generator());
  });
  if (!kind.alpha) {
    ops::compute(Binary::div, drawn.noise, 1 - p, drawn.noise);
    return drawn;
  }
  constexpr double kAlpha = 1.7580993408473766;
  const double a = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
  drawn.shift = detail::make_tensor(type);
  ops::visit_computable(type.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *noise = drawn.noise.data<T>(), *shift = drawn.shift.data<T>();
    for (std::int64_t i = 0; i < drawn.noise.numel(); ++i) {
      shift[i] = (noise[i] - 1) * static_cast<T>(kAlpha * a) + static_cast<T>(kAlpha * a * p);
      noise[i] *= static_cast<T>(a);
    }
  });
  return drawn;
}

/// y = x * noise, dX = dY * noise
template <const Dropouts& kKind>
class Dropout : public OpWith<Dropout<kKind>, DropoutOptions> {
 public:
  static constexpr std::string_view kName = kKind.name;
  using OpWith<Dropout, DropoutOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    check_dropout(kKind, this->options_.p, inputs);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    if (keeps_all()) return detail::alias(x, x.shape());
    Tensor y = context.make_result();
    if (drops_all()) {
      detail::fill(y, 0);
      return y;
    }
    const Drawn drawn = draw(kKind, context.output, this->options_.p);
    context.save(drawn.noise);
    if (!kKind.alpha) {
      ops::compute(Binary::mul, x, drawn.noise, y);
      return y;
    }
    const Tensor product = detail::make_tensor(context.output);
    ops::compute(Binary::mul, x, drawn.noise, product);
    ops::compute(Binary::add, product, drawn.shift, y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    if (keeps_all()) return {context.grad};
    if (drops_all()) return {ops::new_zeros(context.grad.type())};
    return {mul(context.grad, context.saved[0])};
  }

  bool saves_input(std::size_t) const override { return false; }
  bool is_view(std::span<const TensorType>) const override { return keeps_all(); }
  bool forwards_input() const override { return keeps_all(); }

 private:
  bool keeps_all() const { return !this->options_.training || this->options_.p == 0; }
  bool drops_all() const { return this->options_.p == 1; }
};

struct RReluOptions {
  double lower = 1.0 / 8, upper = 1.0 / 3;
  bool training = false;
  static void fields(auto& self, auto&& field) {
    field("lower", self.lower);
    field("upper", self.upper);
    field("training", self.training);
  }
};

/// y = x * slope, dX = dY * slope, where the slope is 1 above 0
class RRelu : public OpWith<RRelu, RReluOptions> {
 public:
  static constexpr std::string_view kName = "rrelu";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    const double lower = options_.lower, upper = options_.upper;
    if (!(lower <= upper) || !std::isfinite(lower) || !std::isfinite(upper)) {
      ops::fail<ValueError>(kName, "finite lower <= upper, got ", lower, " and ", upper);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const Tensor y = context.make_result(), slopes = context.recording() ? detail::make_tensor(context.output) : y;
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = x.data<T>();
      T *kept = slopes.data<T>(), *to = y.data<T>();
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        double slope = (options_.lower + options_.upper) / 2;
        if (from[i] <= 0 && options_.training) {
          uniform_(&slope, 1, options_.lower, options_.upper, default_generator());
        }
        const T value = from[i], factor = value <= 0 ? static_cast<T>(slope) : T(1);
        kept[i] = factor;
        to[i] = value * factor;
      }
    });
    context.save(slopes);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override { return {mul(context.grad, context.saved[0])}; }

  bool saves_input(std::size_t) const override { return false; }
};

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) { return apply(Dropout<kDropout>({p, training}), {x}); }
Tensor dropout2d(const Tensor& x, double p, bool training) { return apply(Dropout<kDropout2d>({p, training}), {x}); }
Tensor alpha_dropout(const Tensor& x, double p, bool training) {
  return apply(Dropout<kAlphaDropout>({p, training}), {x});
}
Tensor feature_alpha_dropout(const Tensor& x, double p, bool training) {
  return apply(Dropout<kFeatureAlphaDropout>({p, training}), {x});
}
Tensor rrelu(const Tensor& x, double lower, double upper, bool training) {
  return apply(RRelu({lower, upper, training}), {x});
}

std::span<const OpEntry> ops::dropout_ops() {
  static const OpEntry entries[] = {op_entry<Dropout<kDropout>>(), op_entry<Dropout<kDropout2d>>(),
                                    op_entry<Dropout<kAlphaDropout>>(), op_entry<Dropout<kFeatureAlphaDropout>>(),
                                    op_entry<RRelu>()};
  return entries;
}

}  // namespace teff
