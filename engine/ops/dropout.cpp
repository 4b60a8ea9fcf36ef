// SPDX-License-Identifier: MIT
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

/// y = x * noise, dX = dY * noise, where noise is 1 / (1 - p) with probability 1 - p, else 0; kChannels: one noise for
/// each channel
template <bool kChannels>
class Dropout : public OpWith<Dropout<kChannels>, DropoutOptions> {
 public:
  static constexpr std::string_view kName = kChannels ? "dropout2d" : "dropout";
  using OpWith<Dropout, DropoutOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    const double p = this->options_.p;
    if (!(p >= 0 && p <= 1)) ops::fail<ValueError>(kName, "a probability p in [0, 1], got ", p);
    if (kChannels && inputs[0].shape.size() < 2) {
      ops::fail<ShapeError>(kName, "input [N, C, ...], got input ", inputs[0].shape);
    }
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
    const Tensor noise = draw(context.output);
    context.save(noise);
    ops::compute(Binary::mul, x, noise, y);
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

  /// In PyTorch's two steps, for the same bits.
  Tensor draw(TensorType type) const {
    for (std::size_t i = 2; kChannels && i < type.shape.size(); ++i) type.shape[i] = 1;
    const double kept = 1 - this->options_.p;
    Tensor noise = detail::make_tensor(type);
    ops::visit_computable(type.dtype, [&](auto zero) {
      using T = decltype(zero);
      bernoulli_(noise.data<T>(), noise.numel(), kept, default_generator());
    });
    ops::compute(Binary::div, noise, kept, noise);
    return noise;
  }
};

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) { return apply(Dropout<false>({p, training}), {x}); }
Tensor dropout2d(const Tensor& x, double p, bool training) { return apply(Dropout<true>({p, training}), {x}); }

std::span<const OpEntry> ops::dropout_ops() {
  static const OpEntry entries[] = {op_entry<Dropout<false>>(), op_entry<Dropout<true>>()};
  return entries;
}

}  // namespace teff
