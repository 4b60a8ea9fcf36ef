// SPDX-License-Identifier: MIT
#include "teff/engine/ops/copy.h"

#include <cstring>

#include "teff/engine/convert.h"
#include "teff/engine/error.h"
#include "teff/engine/graph.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// y = x with elements of its own; dx = dy
class Clone : public OpWith<Clone> {
 public:
  static constexpr std::string_view kName = "clone";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor result = context.make_result();
    if (result.nbytes() > 0) std::memcpy(result.raw_data(), context.inputs[0].raw_data(), result.nbytes());
    return result;
  }

  TensorList backward(const BackwardContext& context) const override { return {context.grad}; }

  bool saves_input(std::size_t) const override { return false; }
  bool forwards_input() const override { return true; }
};

/// y = x on the same elements, without a gradient. Recorded only for capture.
class Detach : public OpWith<Detach> {
 public:
  static constexpr std::string_view kName = "detach";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    return detail::alias(context.inputs[0], context.output.shape);
  }

  TensorList backward(const BackwardContext&) const override { return {Tensor()}; }

  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }
  bool is_view(std::span<const TensorType>) const override { return true; }
  bool forwards_input() const override { return true; }
};

struct ToOptions {
  DType dtype = DType::float32;
  static void fields(auto& self, auto&& field) { field("dtype", self.dtype); }
};

/// y = x in another dtype; dx = dy in that of x.
class To : public OpWith<To, ToOptions> {
 public:
  static constexpr std::string_view kName = "to";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return {inputs[0].shape, options_.dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    convert_all(context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    convert_all(context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  static void convert_all(const Tensor& x, const Tensor& y) {
    convert_elements(x.raw_data(), x.dtype(), y.raw_data(), y.dtype(), x.numel());
  }
};

}  // namespace

Tensor Tensor::detach() const {
  if (!defined()) throw TypeError("detach: expected a defined tensor, got an undefined one");
  if (is_capturing()) return apply(Detach(), {*this});
  return detail::alias(*this, shape());
}

Tensor Tensor::clone() const { return apply(Clone(), {*this}); }

Tensor to(const Tensor& x, DType dtype) { return x.defined() && x.dtype() == dtype ? x : apply(To({dtype}), {x}); }

std::shared_ptr<const Op> ops::clone_op() { return Clone().share(); }

std::span<const OpEntry> ops::copy_ops() {
  static const OpEntry entries[] = {op_entry<Clone>(), op_entry<Detach>(), op_entry<To>()};
  return entries;
}

}  // namespace teff
