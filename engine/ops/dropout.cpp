// SPDX-License-Identifier: MIT
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/strided_copy.h"
#include "teff/engine/random.h"
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

/// y = x * noise, dX = dY * noise, where noise is 1 / (1 - p) with probability 1 - p, else 0
class Dropout : public OpWith<Dropout, DropoutOptions> {
 public:
  static constexpr std::string_view kName = "dropout";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    if (!(options_.p >= 0 && options_.p <= 1)) {
      ops::fail<ValueError>(kName, "a probability p in [0, 1], got ", options_.p);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    if (keeps_all()) return detail::alias(x, x.shape());
    if (drops_all()) return ops::new_zeros(context.output);
    const Tensor noise = draw(context.output);
    context.save(noise);
    return ops::compute(Binary::mul, x, noise, context.output);
  }

  TensorList backward(const BackwardContext& context) const override {
    if (keeps_all()) return {context.grad};
    if (drops_all()) return {ops::new_zeros(context.grad.type())};
    return {mul(context.grad, context.saved[0])};
  }

  bool saves_input(std::size_t) const override { return false; }

 private:
  bool keeps_all() const { return !options_.training || options_.p == 0; }
  bool drops_all() const { return options_.p == 1; }

  /// In PyTorch's two steps, for the same bits.
  Tensor draw(const TensorType& type) const {
    Tensor noise = detail::make_tensor(type);
    ops::visit_computable(type.dtype, [&](auto zero) {
      bernoulli_(noise.data<decltype(zero)>(), noise.numel(), 1 - options_.p, default_generator());
    });
    ops::compute(Binary::div, noise, 1 - options_.p, noise);
    return noise;
  }
};

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) { return apply(Dropout({p, training}), {x}); }

std::span<const OpEntry> ops::dropout_ops() {
  static const OpEntry entries[] = {op_entry<Dropout>()};
  return entries;
}

}  // namespace teff
