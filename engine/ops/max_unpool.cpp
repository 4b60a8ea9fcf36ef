// SPDX-License-Identifier: MIT
#include "teff/engine/indexed_pool_ops.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows_and_volumes.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct MaxUnpoolFields {
  IntList output_size{1, 1, 1};
  static void fields(auto& self, auto&& field) { field("output_size", self.output_size); }
};

/// Y[indices] = X plane by plane, dX = dY[indices]
class MaxUnpool : public OpWith<MaxUnpool, MaxUnpoolFields> {
 public:
  static constexpr std::string_view kName = "max_unpool";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs.first(1));
    const Shape& x = inputs[0].shape;
    ops::check_volumes(kName, x);
    ops::check_sides(kName, "output_size", options_.output_size, 1);
    if (inputs[1].dtype != DType::int64) {
      ops::fail<TypeError>(kName, "indices of int64, got ", to_string(inputs[1].dtype));
    }
    ops::check_matches(kName, "indices", inputs[1].shape, x, "input", x);
    const IntList& size = options_.output_size;
    return {ops::check_result(kName, {x[0], x[1], size[0], size[1], size[2]}), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &indices = context.inputs[1];
    const Tensor y = context.make_result();
    detail::fill(y, 0);
    for_each(indices, y.shape(), [&](std::int64_t i, std::int64_t place) {
      ops::visit_computable(y.dtype(), [&](auto zero) {
        using T = decltype(zero);
        y.data<T>()[place] = x.data<T>()[i];
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &grad = context.grad, grad_x = detail::make_tensor(context.inputs[0].type());
    for_each(context.inputs[1], grad.shape(), [&](std::int64_t i, std::int64_t place) {
      ops::visit_computable(grad.dtype(), [&](auto zero) {
        using T = decltype(zero);
        grad_x.data<T>()[i] = grad.data<T>()[place];
      });
    });
    return {grad_x, Tensor()};
  }

  bool saves_input(std::size_t i) const override { return i == 1; }

 private:
  template <class Function>
  static void for_each(const Tensor& indices, const Shape& output, const Function& function) {
    const std::int64_t volume = ops::volume_of(output), count = ops::volume_of(indices.shape());
    std::int64_t i = 0;
    for (const std::int64_t index : indices.span<std::int64_t>()) {
      if (index < 0 || index >= volume) {
        ops::fail<IndexError>(kName, "indices in [0, ", volume, ") for a result ", output, ", got ", index,
                              " at index ", i);
      }
      function(i, i / count * volume + index);
      ++i;
    }
  }
};

}  // namespace

Tensor max_unpool1d(const Tensor& x, const Tensor& indices, Integer output_size) {
  constexpr const char* kName = "max_unpool1d";
  const Tensor volumes = ops::as_volumes(kName, x, 3), places = ops::as_volumes(kName, indices, 3);
  return detail::with_name(kName, [&] {
    return squeeze(squeeze(apply(MaxUnpool({{1, 1, output_size}}), {volumes, places}), 2), 2);
  });
}

Tensor max_unpool2d(const Tensor& x, const Tensor& indices, const Pair& output_size) {
  constexpr const char* kName = "max_unpool2d";
  const Tensor volumes = ops::as_volumes(kName, x, 4), places = ops::as_volumes(kName, indices, 4);
  return detail::with_name(kName, [&] {
    return squeeze(apply(MaxUnpool({{1, output_size.height, output_size.width}}), {volumes, places}), 2);
  });
}

Tensor max_unpool3d(const Tensor& x, const Tensor& indices, const Triple& output_size) {
  constexpr const char* kName = "max_unpool3d";
  const Tensor volumes = ops::as_volumes(kName, x, 5), places = ops::as_volumes(kName, indices, 5);
  return detail::with_name(kName, [&] {
    return teff::apply(MaxUnpool({{output_size.depth, output_size.height, output_size.width}}), {volumes, places});
  });
}

std::span<const OpEntry> ops::max_unpool_ops() {
  static const OpEntry entries[] = {op_entry<MaxUnpool>()};
  return entries;
}

}  // namespace teff
