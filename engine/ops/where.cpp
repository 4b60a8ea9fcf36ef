// SPDX-License-Identifier: MIT
#include <cstdint>

#include "teff/engine/error_text.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/promotion.h"
#include "teff/engine/ops/repeated.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// A tensor as an array of as many elements as the result: repeated by a step of 0, or by a copy.
class Operand {
 public:
  Operand(const Tensor& tensor, const Shape& shape)
      : step_(tensor.numel() == 1 ? 0 : 1), repeated_(tensor, step_ == 0 ? tensor.shape() : shape) {}
  template <class T>
  const T* data() const {
    return static_cast<const T*>(repeated_.data());
  }
  std::int64_t step() const { return step_; }

 private:
  std::int64_t step_;
  ops::Repeated repeated_;
};

/// For elements of the size of T.
template <class T>
void choose(const Operand& condition, const Operand& a, const Operand& b, const Tensor& result) {
  const auto* where = condition.data<unsigned char>();
  const T *from_a = a.data<T>(), *from_b = b.data<T>();
  T* out = static_cast<T*>(result.raw_data());
  const std::int64_t step = condition.step(), a_step = a.step(), b_step = b.step();
  parallel_ranges(result.numel(), kernels::kGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T u = from_a[i * a_step], v = from_b[i * b_step];
      out[i] = where[i * step] != 0 ? u : v;
    }
  });
}

/// Y = C ? A : B, broadcast; dA = C ? dY : 0, dB = C ? 0 : dY
class Where : public OpWith<Where> {
 public:
  static constexpr std::string_view kName = "where";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 3);
    if (inputs[0].dtype != DType::bool_) {
      ops::fail<TypeError>(kName, "a condition of bool, got ", to_string(inputs[0].dtype),
                           "; make one with a comparison or to(DType::bool_)");
    }
    ops::check_one_dtype(kName, inputs.subspan(1));
    const Shape both = ops::broadcast_shape(kName, inputs[1].shape, inputs[2].shape);
    return {ops::broadcast_shape(kName, inputs[0].shape, both), inputs[1].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    const Shape& shape = context.output.shape;
    const Operand condition(context.inputs[0], shape), a(context.inputs[1], shape), b(context.inputs[2], shape);
    switch (size_of(y.dtype())) {
      case 1:
        choose<std::uint8_t>(condition, a, b, y);
        break;
      case 2:
        choose<std::uint16_t>(condition, a, b, y);
        break;
      case 4:
        choose<std::uint32_t>(condition, a, b, y);
        break;
      default:
        choose<std::uint64_t>(condition, a, b, y);
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(3);
    const Tensor &condition = context.inputs[0], &grad = context.grad;
    const Tensor zero = ops::number_for(grad, 0);
    for (std::size_t i = 1; i < 3; ++i) {
      if (!context.wanted[i]) continue;
      const Tensor part = i == 1 ? where(condition, grad, zero) : where(condition, zero, grad);
      grads[i] = ops::sum_to(part, context.inputs[i].shape());
    }
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i == 0; }
};

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) { return apply(Where(), {condition, a, b}); }

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  return a.defined() ? where(condition, ops::promoted(a, b), ops::number_for(a, b)) : where(condition, a, a);
}

Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  return b.defined() ? where(condition, ops::number_for(b, a), ops::promoted(b, a)) : where(condition, b, b);
}

Tensor where(const Tensor& condition, Scalar a, Scalar b) {
  return where(condition, ops::promoted(ops::number_for(empty({0}, {.dtype = DType::bool_}), a), b), b);
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value) {
  if (value.defined() && value.numel() != 1) {
    ops::fail<ShapeError>("masked_fill", "a value of one element, got ", value.shape());
  }
  return detail::with_name("masked_fill", [&] { return where(mask, value.defined() ? view(value, {}) : value, x); });
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  if (x.defined() && ops::promoted(x.dtype(), value) != x.dtype()) {
    ops::fail<TypeError>("masked_fill", "a number to go with ", to_string(x.dtype()), ", got ", value.to_double(),
                         "; convert the tensor with to()");
  }
  return detail::with_name("masked_fill", [&] { return where(mask, value, x); });
}

std::span<const OpEntry> ops::where_ops() {
  static const OpEntry entries[] = {op_entry<Where>()};
  return entries;
}

}  // namespace teff
