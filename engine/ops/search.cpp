// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct SearchOptions {
  bool right = false;
  static void fields(auto& self, auto&& field) { field("right", self.right); }
};

/// Where the values would stand in sorted rows, before equal ones or (right) behind them.
class Searchsorted : public OpWith<Searchsorted, SearchOptions> {
 public:
  static constexpr std::string_view kName = "searchsorted";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_numeric(kName, inputs);
    const Shape &sorted = inputs[0].shape, &values = inputs[1].shape;
    bool fits = !sorted.empty() && (sorted.size() == 1 || sorted.size() == values.size());
    for (std::size_t d = 0; fits && d + 1 < sorted.size(); ++d) fits = sorted[d] == values[d];
    if (!fits) {
      ops::fail<ShapeError>(kName, "sorted [n], or sorted [..., n] and values [..., m] of as many rows, got sorted ",
                            sorted, " and values ", values);
    }
    return {values, DType::int64};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &sorted = context.inputs[0], &values = context.inputs[1];
    Tensor y = context.make_result();
    const std::int64_t size = sorted.size(-1), per_row = sorted.dim() == 1 ? values.numel() : values.size(-1);
    if (y.numel() == 0) return y;
    ops::visit_numeric(values.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_ranges(values.numel(), kernels::kGrain / 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const T* const row = sorted.data<T>() + i / per_row * size;
          const T value = values.data<T>()[i];
          // NaN stands behind all numbers, as in PyTorch.
          const T* const place = options_.right
                                     ? std::partition_point(row, row + size, [=](T x) { return !(x > value); })
                                     : std::partition_point(row, row + size, [=](T x) { return !(x >= value); });
          y.data<std::int64_t>()[i] = place - row;
        }
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext&) const override { return {Tensor(), Tensor()}; }
  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }
  double flop(std::span<const TensorType>, const TensorType& output) const override {
    return 32.0 * static_cast<double>(numel(output.shape));
  }
};

struct OneHotOptions {
  std::int64_t num_classes = 1;
  static void fields(auto& self, auto&& field) { field("num_classes", self.num_classes); }
};

/// 1 at the index in a new last dimension, and 0 elsewhere.
class OneHot : public OpWith<OneHot, OneHotOptions> {
 public:
  static constexpr std::string_view kName = "one_hot";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    if (inputs[0].dtype != DType::int64) {
      ops::fail<TypeError>(kName, "indices of int64, got ", to_string(inputs[0].dtype),
                           "; convert them with to(DType::int64)");
    }
    if (options_.num_classes < 1) ops::fail<ValueError>(kName, "at least 1 class, got ", options_.num_classes);
    Shape shape = inputs[0].shape;
    shape.push_back(options_.num_classes);
    return {ops::check_result(kName, shape), DType::int64};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& index = context.inputs[0];
    Tensor y = context.make_result();
    const std::int64_t classes = options_.num_classes;
    std::int64_t* row = y.data<std::int64_t>();
    for (const std::int64_t value : index.span<std::int64_t>()) {
      if (value < 0 || value >= classes) {
        ops::fail<IndexError>(kName, "indices in [0, ", classes, "), got ", value, " at place ",
                              (row - y.data<std::int64_t>()) / classes);
      }
      std::fill_n(row, classes, 0);
      row[value] = 1;
      row += classes;
    }
    return y;
  }

  TensorList backward(const BackwardContext&) const override { return {Tensor()}; }
  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }
};

}  // namespace

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  return apply(Searchsorted({right}), {sorted, values});
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right) {
  return detail::with_name("bucketize", [&] {
    if (boundaries.dim() != 1) {
      ops::fail<ShapeError>("bucketize", "boundaries [n], got boundaries ", boundaries.shape());
    }
    return searchsorted(boundaries, x, right);
  });
}

Tensor one_hot(const Tensor& index, std::optional<Integer> num_classes) {
  if (num_classes) return apply(OneHot({*num_classes}), {index});
  return detail::with_name("one_hot", [&] {
    if (index.numel() == 0) ops::fail<ValueError>("one_hot", "num_classes for no indices, got none");
    return one_hot(index, max(index).item<std::int64_t>() + 1);
  });
}

std::span<const OpEntry> ops::search_ops() {
  static const OpEntry entries[] = {op_entry<Searchsorted>(), op_entry<OneHot>()};
  return entries;
}

}  // namespace teff
