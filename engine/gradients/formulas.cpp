// SPDX-License-Identifier: MIT
#include "teff/engine/gradients/formulas.h"

#include <string>

#include "teff/engine/modes.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff::gradients {
namespace {

const std::shared_ptr<Node> kNoNode;

/// What backward reads of an input: not part of any computation.
Tensor constant(const Tensor& input) {
  return input.impl()->storage == nullptr ? teff::detail::make_without_values(input.type())
                                          : teff::detail::alias(input, input.shape());
}

/// dY -> dX of an op Y = A X, so A^T; and the gradient of that is A.
class Adjoint : public RecordedOp {
 public:
  Adjoint(const RecordedCall& call, std::size_t i)
      : op_(call.op.share()), name_(std::string(op_->name()) + "_backward"), place_(i), wanted_(call.inputs.size()) {
    for (std::size_t k = 0; k < call.inputs.size(); ++k) inputs_.push_back(constant(call.inputs[k]));
    saved_.assign(call.saved.begin(), call.saved.end());
    wanted_[i] = true;
  }

  std::string_view name() const override { return name_; }
  Dict attributes() const override { return op_->attributes(); }
  TensorType output_type(std::span<const TensorType> inputs) const override {
    teff::detail::check_arity(name_, inputs, 1);
    return inputs_[place_].type();
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor grad = context.inputs[0].detach();
    const auto wanted = std::make_unique<bool[]>(wanted_.size());
    std::copy(wanted_.begin(), wanted_.end(), wanted.get());
    return op_->backward({grad, inputs_, saved_, {wanted.get(), wanted_.size()}})[place_];
  }
  TensorList gradients(const RecordedCall& call) const override {
    TensorList inputs = inputs_;
    inputs[place_] = call.grad();
    return {teff::apply(op_, inputs)};
  }
  std::shared_ptr<const Op> share() const override { return std::make_shared<Adjoint>(*this); }

 private:
  std::shared_ptr<const Op> op_;
  std::string name_;
  std::size_t place_;
  TensorList inputs_, saved_;
  std::vector<bool> wanted_;
};

/// y[i] = x[places[i]], or the other way round.
class Move : public RecordedOp {
 public:
  Move(bool take, const Tensor& places, const TensorType& whole) : take_(take), places_(places), whole_(whole) {}

  std::string_view name() const override { return take_ ? "take" : "put"; }
  Dict attributes() const override { return {}; }
  TensorType output_type(std::span<const TensorType> inputs) const override {
    teff::detail::check_arity(name(), inputs, 1);
    return take_ ? TensorType{places_.shape(), whole_.dtype} : whole_;
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (!take_) teff::detail::fill(y, 0);
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = x.data<T>();
      T* to = y.data<T>();
      std::int64_t i = 0;
      for (const std::int64_t place : places_.span<std::int64_t>()) {
        if (take_) {
          to[i++] = from[place];
        } else {
          to[place] += from[i++];
        }
      }
    });
    return y;
  }
  TensorList gradients(const RecordedCall& call) const override {
    return {apply(Move(!take_, places_, whole_), {call.grad()})};
  }
  std::shared_ptr<const Op> share() const override { return std::make_shared<Move>(*this); }

 private:
  bool take_;
  Tensor places_;
  TensorType whole_;
};

}  // namespace

TensorList RecordedOp::backward(const BackwardContext& context) const {
  const NoGradGuard no_grad;
  return gradients({*this, context.inputs, context.saved, {&context.grad, 1}, context.wanted, kNoNode});
}

Tensor adjoint(const RecordedCall& call, std::size_t i) { return apply(Adjoint(call, i), {call.grad()}); }

TensorList linear(const RecordedCall& call) {
  TensorList grads(call.inputs.size());
  grads[0] = adjoint(call, 0);
  return grads;
}

Tensor put(const Tensor& x, const Tensor& places, const TensorType& type) {
  return apply(Move(false, places, type), {x});
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const std::size_t in_front = x.shape().size() - shape.size();
  IntList dims;
  for (std::size_t i = 0; i < x.shape().size(); ++i) {
    if (i < in_front || (shape[i - in_front] == 1 && x.shape()[i] != 1)) dims.push_back(static_cast<std::int64_t>(i));
  }
  return view(dims.empty() ? x : sum(x, dims, true), shape);
}

Tensor mask(const Tensor& condition, const Tensor& like) { return to(condition, like.dtype()); }

}  // namespace teff::gradients
