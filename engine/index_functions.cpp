// SPDX-License-Identifier: MIT

// Functions of indices that are made of other operations.

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/advanced_index.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Of the functions that take an index [n] of a dimension of x (a tensor without dimensions counts as one of one).
struct Entries {
  Tensor x;
  std::int64_t dim = 0;
  Shape shape;  // of what is written

  Entries(std::string_view function, const Tensor& whole, std::int64_t of_dim, const Tensor& index) {
    detail::with_name(function, [&] {
      x = whole.dim() == 0 ? unsqueeze(whole, 0) : whole;
      dim = static_cast<std::int64_t>(ops::check_dim(function, of_dim, whole.shape()));
      if (index.dim() > 1 || index.dtype() != DType::int64) {
        ops::fail<TypeError>(function, "index int64 [n], got index ", detail::describe(index.type()));
      }
      shape = x.shape();
      shape[static_cast<std::size_t>(dim)] = index.numel();
    });
  }
  TensorList indices(const Tensor& index) const { return {view(index, {index.numel()})}; }
};

Tensor fitted(std::string_view function, const Tensor& source, const Shape& shape) {
  if (source.dim() == 0 && numel(shape) == 1) return view(source, shape);
  ops::check_matches(function, "source", source.shape(), shape, "index and input", shape);
  return source;
}

Tensor put(std::string_view function, const Tensor& x, Integer dim, const Tensor& index, const Tensor& source,
           bool accumulate) {
  const Entries entries(function, x, dim, index);
  return detail::with_name(function, [&] {
    return view(ops::index_put_at(entries.x, entries.dim, entries.indices(index),
                                  fitted(function, source, entries.shape), accumulate),
                x.shape());
  });
}

const Tensor& put_into(const char* function, const Tensor& x, Integer dim, const Tensor& index, const Tensor& source,
                       bool accumulate) {
  detail::check_in_place(function, x);
  const NoGradGuard no_grad;
  const Entries entries(function, x, dim, index);
  detail::with_name(function, [&] {
    ops::index_put_into(function, entries.x, entries.dim, entries.indices(index),
                        fitted(function, source, entries.shape), accumulate);
  });
  return x;
}

Tensor filled(const char* function, const Tensor& x, Integer dim, const Tensor& index, double value) {
  const Entries entries(function, x, dim, index);
  return expand(full({}, value, {.dtype = x.dtype()}), entries.shape);
}

}  // namespace

Tensor index_add(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source, double alpha) {
  return put("index_add", x, dim, index, alpha == 1 ? source : mul(source, alpha), true);
}
Tensor index_copy(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source) {
  return put("index_copy", x, dim, index, source, false);
}
Tensor index_fill(const Tensor& x, Integer dim, const Tensor& index, double value) {
  return put("index_fill", x, dim, index, filled("index_fill", x, dim, index, value), false);
}

Tensor take(const Tensor& x, const Tensor& index) {
  return detail::with_name("take", [&] { return ops::index_at(view(x, {x.numel()}), 0, TensorList{index}); });
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<Integer> dim) {
  constexpr std::string_view kName = "take_along_dim";
  return detail::with_name(kName, [&] {
    if (!dim) return gather(view(x, {x.numel()}), 0, view(index, {index.numel()}));
    const std::size_t place = ops::check_real_dim(kName, *dim, x.shape());
    if (index.dim() != x.dim()) {
      ops::fail<ShapeError>(kName, "an index of as many dimensions as input ", x.shape(), ", got index ",
                            index.shape());
    }
    Shape of_x = x.shape(), of_index = index.shape();
    of_x[place] = of_index[place] = 1;
    const Shape others = ops::broadcast_shape(kName, of_x, of_index);
    of_x = of_index = others;
    of_x[place] = x.shape()[place];
    of_index[place] = index.shape()[place];
    return gather(of_x == x.shape() ? x : expand(x, of_x), *dim,
                  of_index == index.shape() ? index : expand(index, of_index));
  });
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  return detail::with_name("masked_select", [&] {
    if (mask.dtype() != DType::bool_) {
      ops::fail<TypeError>("masked_select", "a mask of bool, got ", detail::describe(mask.type()));
    }
    const Shape shape = ops::broadcast_shape("masked_select", x.shape(), mask.shape());
    const auto flat = [&](const Tensor& t) { return view(t.shape() == shape ? t : expand(t, shape), {numel(shape)}); };
    return ops::index_at(flat(x), 0, TensorList{view(nonzero(flat(mask)), {-1})});
  });
}

Tensor Tensor::index_select(Integer dim, const Tensor& index) const { return teff::index_select(*this, dim, index); }
Tensor Tensor::index_add(Integer dim, const Tensor& index, const Tensor& source, double alpha) const {
  return teff::index_add(*this, dim, index, source, alpha);
}
const Tensor& Tensor::index_add_(Integer dim, const Tensor& index, const Tensor& source, double alpha) const {
  return put_into("index_add_", *this, dim, index, alpha == 1 ? source : source.detach() * alpha, true);
}
const Tensor& Tensor::index_copy_(Integer dim, const Tensor& index, const Tensor& source) const {
  return put_into("index_copy_", *this, dim, index, source, false);
}
const Tensor& Tensor::index_fill_(Integer dim, const Tensor& index, double value) const {
  return put_into("index_fill_", *this, dim, index, filled("index_fill_", *this, dim, index, value), false);
}
Tensor Tensor::take(const Tensor& index) const { return teff::take(*this, index); }
Tensor Tensor::masked_select(const Tensor& mask) const { return teff::masked_select(*this, mask); }

}  // namespace teff
