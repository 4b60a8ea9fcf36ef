// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <utility>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

constexpr std::int64_t kGrain = 16384;  // elements of one task

/// NaN is greater than, and less than, every number.
template <bool kMax, class T>
bool is_better(T value, T best) {
  return (kMax ? value > best : value < best) || (value != value && best == best);
}

/// The first extremum of a row, and where it is.
template <bool kMax, class T>
void find_in_row(std::int64_t size, const T* x, T& value, std::int64_t& place) {
  T best = x[0];
  std::int64_t found = 0;
  for (std::int64_t i = 1; i < size; ++i) {
    if (!is_better<kMax>(x[i], best)) continue;
    best = x[i];
    found = i;
  }
  value = best;
  place = found;
}

/// The same for each column of x [size, inner].
template <bool kMax, class T>
void find_in_columns(std::int64_t size, std::int64_t inner, const T* x, T* values, std::int64_t* places) {
  std::copy_n(x, inner, values);
  std::fill_n(places, inner, 0);
  for (std::int64_t r = 1; r < size; ++r) {
    const T* row = x + r * inner;
    for (std::int64_t i = 0; i < inner; ++i) {
      const bool better = is_better<kMax>(row[i], values[i]);
      values[i] = better ? row[i] : values[i];
      places[i] = better ? r : places[i];
    }
  }
}

enum class Choice { max, min, median };

/// The lower one of the middle elements: NaN before all, of equals the one that comes first.
template <class T>
void find_median(std::int64_t size, std::int64_t inner, const T* x, T& value, std::int64_t& place) {
  const auto at = [=](std::int64_t i) { return x[i * inner]; };
  std::int64_t found = 0;
  while (found < size && at(found) == at(found)) ++found;
  if (found == size) {  // no NaN
    kernels::Workspace<std::int64_t> room(static_cast<std::size_t>(size));
    std::int64_t *const order = room.data(), *const middle = order + (size - 1) / 2;
    std::iota(order, order + size, std::int64_t{0});
    std::nth_element(order, middle, order + size,
                     [&](std::int64_t i, std::int64_t j) { return at(i) < at(j) || (at(i) == at(j) && i < j); });
    found = *middle;
    // Of equals the first: what is before the middle in `order` may be equal, too.
    found = *std::min_element(order, middle + 1, [&](std::int64_t i, std::int64_t j) {
      return std::pair(at(i) != at(found), i) < std::pair(at(j) != at(found), j);
    });
  }
  value = at(found);
  place = found;
}

template <class T>
void find_medians(const ops::Split& s, const T* x, T* values, std::int64_t* places) {
  parallel_ranges(s.outer * s.inner, std::max<std::int64_t>(1, kGrain / s.size / 8),
                  [=](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const T* line = x + i / s.inner * s.size * s.inner + i % s.inner;
                      find_median(s.size, s.inner, line, values[i], places[i]);
                    }
                  });
}

/// Over the middle of x [outer, size, inner].
template <bool kMax, class T>
void find(const ops::Split& s, const T* x, T* values, std::int64_t* places) {
  if (s.inner == 0) return;
  parallel_ranges(s.outer, std::max<std::int64_t>(1, kGrain / (s.size * s.inner)),
                  [=](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t o = begin; o < end; ++o) {
                      const T* block = x + o * s.size * s.inner;
                      if (s.inner == 1) {
                        find_in_row<kMax>(s.size, block, values[o], places[o]);
                      } else {
                        find_in_columns<kMax>(s.size, s.inner, block, values + o * s.inner, places + o * s.inner);
                      }
                    }
                  });
}

struct ExtremumOptions {
  std::int64_t dim = 0;
  bool keepdim = false;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("keepdim", self.keepdim);
  }
};

/// values = x[indices] along a dimension; dX[indices] = d values, and 0 elsewhere
template <class Derived, Choice kChoice>
class ExtremumWithIndices : public OpWith<Derived, ExtremumOptions, MultiOp> {
 public:
  using OpWith<Derived, ExtremumOptions, MultiOp>::OpWith;

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    ops::check_numeric(Derived::kName, inputs);
    Shape shape = inputs[0].shape;
    const std::size_t dim = place_of(shape);
    if (!shape.empty()) {
      if (shape[dim] == 0) {
        ops::fail<ShapeError>(Derived::kName, "at least one element to choose from, got input ", shape,
                              " and dimension ", dim, " to reduce");
      }
      shape[dim] = 1;
      if (!this->options_.keepdim) shape.erase(dim);
    }
    return {{shape, inputs[0].dtype}, {shape, DType::int64}};
  }

  void forward_all(const MultiForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &values = context.make_result(0), &indices = context.make_result(1);
    ops::visit_numeric(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const ops::Split s = split(x.shape());
      if (values.numel() == 0) return;
      if constexpr (kChoice == Choice::median) {
        find_medians(s, x.data<T>(), values.data<T>(), indices.data<std::int64_t>());
      } else {
        find<kChoice == Choice::max>(s, x.data<T>(), values.data<T>(), indices.data<std::int64_t>());
      }
    });
    context.save(indices);
  }

  TensorList backward_all(const MultiBackwardContext& context) const override {
    const Tensor &grad = context.grads[0], &indices = context.saved[0];
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    const ops::Split s = split(grad_x.shape());
    const std::int64_t* places = indices.data<std::int64_t>();
    ops::visit_computable(grad_x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = grad.data<T>();
      T* to = grad_x.data<T>();
      for (std::int64_t o = 0; o < s.outer; ++o, to += s.size * s.inner) {
        for (std::int64_t i = 0; i < s.inner; ++i) to[*places++ * s.inner + i] = *from++;
      }
    });
    return {grad_x};
  }

  Widening widening() const override { return Widening::bools; }
  bool saves_input(std::size_t) const override { return false; }

 private:
  std::size_t place_of(const Shape& shape) const { return ops::check_dim(Derived::kName, this->options_.dim, shape); }
  ops::Split split(const Shape& shape) const { return {shape, place_of(shape)}; }
};

class MaxWithIndices : public ExtremumWithIndices<MaxWithIndices, Choice::max> {
 public:
  static constexpr std::string_view kName = "max_with_indices";
  using ExtremumWithIndices::ExtremumWithIndices;
};

class MinWithIndices : public ExtremumWithIndices<MinWithIndices, Choice::min> {
 public:
  static constexpr std::string_view kName = "min_with_indices";
  using ExtremumWithIndices::ExtremumWithIndices;
};

class MedianWithIndices : public ExtremumWithIndices<MedianWithIndices, Choice::median> {
 public:
  static constexpr std::string_view kName = "median_with_indices";
  using ExtremumWithIndices::ExtremumWithIndices;
};

ValuesAndIndices both(const TensorList& results) { return {results[0], results[1]}; }

}  // namespace

ValuesAndIndices max(const Tensor& x, Integer dim, bool keepdim) {
  return both(apply_all(MaxWithIndices({dim, keepdim}), {x}));
}

ValuesAndIndices min(const Tensor& x, Integer dim, bool keepdim) {
  return both(apply_all(MinWithIndices({dim, keepdim}), {x}));
}

ValuesAndIndices median(const Tensor& x, Integer dim, bool keepdim) {
  return both(apply_all(MedianWithIndices({dim, keepdim}), {x}));
}

std::span<const OpEntry> ops::extremum_ops() {
  static const OpEntry entries[] = {op_entry<MaxWithIndices>(), op_entry<MinWithIndices>(),
                                    op_entry<MedianWithIndices>()};
  return entries;
}

}  // namespace teff
