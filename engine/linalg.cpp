// SPDX-License-Identifier: MIT

// Products and distances that are made of other operations.

#include "teff/engine/linalg_ops.h"

#include <algorithm>
#include <cmath>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

void check_dims(std::string_view op, const char* what, const Tensor& a, std::int64_t dims_a, const Tensor& b,
                std::int64_t dims_b) {
  const auto shape_of = [&](const Tensor& x) -> const Shape& {
    if (!x.defined()) ops::fail<TypeError>(op, "defined tensors, got an undefined one");
    return x.shape();
  };
  const Shape &first = shape_of(a), &second = shape_of(b);
  if (a.dim() == dims_a && b.dim() == dims_b) return;
  ops::fail<ShapeError>(op, what, ", got ", first, " and ", second);
}

Tensor scaled(const Tensor& x, double factor) { return factor == 1 ? x : mul(x, factor); }

Tensor plus_product(std::string_view op, const Tensor& x, const Tensor& product, const AddProductOptions& options) {
  return detail::with_name(op, [&] {
    const Tensor scaled_product = scaled(product, options.alpha);
    if (ops::broadcast_shape(op, product.shape(), x.shape()) != product.shape()) {
      ops::fail<ShapeError>(op, "an input that broadcasts to ", product.shape(), ", got input ", x.shape());
    }
    return options.beta == 0 ? scaled_product : add(scaled(x, options.beta), scaled_product);
  });
}

/// The given dimensions behind the others (or before them), and both joined: [others, given].
struct Joined {
  Tensor matrix;
  Shape others;
  std::int64_t size = 1;

  Joined(const Tensor& x, const IntList& dims, bool behind) {
    IntList order, given;
    for (const std::int64_t dim : dims) {
      given.push_back(static_cast<std::int64_t>(ops::check_real_dim("tensordot", dim, x.shape())));
      size *= x.size(dim);
    }
    for (std::int64_t d = 0; d < x.dim(); ++d) {
      if (given.contains(d)) continue;
      order.push_back(d);
      others.push_back(x.size(d));
    }
    std::size_t place = behind ? order.size() : 0;
    for (const std::int64_t dim : given) order.insert(place++, dim);
    const Tensor turned = std::is_sorted(order.begin(), order.end()) ? x : permute(x, order);
    matrix = view(turned, behind ? Shape{numel(others), size} : Shape{size, numel(others)});
  }
};

/// The p-norm over a dimension, at least eps. Its gradient is 0 where all is 0.
Tensor norm_over(const Tensor& x, double p, std::int64_t dim, double eps) {
  if (p == 1) return clamp(sum(abs(x), dim, true), eps);
  if (p == 2) return sqrt(clamp(sum(x * x, dim, true), eps * eps));
  if (std::isinf(p)) return clamp(amax(abs(x), dim, true), eps);
  return pow(clamp(sum(pow(abs(x), p), dim, true), std::pow(eps, p)), 1 / p);
}

}  // namespace

Tensor mm(const Tensor& a, const Tensor& b) {
  check_dims("mm", "matrices [n, k] and [k, m]", a, 2, b, 2);
  return detail::with_name("mm", [&] { return matmul(a, b); });
}

Tensor mv(const Tensor& a, const Tensor& x) {
  check_dims("mv", "a matrix [n, k] and a vector [k]", a, 2, x, 1);
  return detail::with_name("mv", [&] { return matmul(a, x); });
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check_dims("bmm", "batches of matrices [B, n, k] and [B, k, m]", a, 3, b, 3);
  if (a.size(0) != b.size(0)) {
    ops::fail<ShapeError>("bmm", "batches of equal size, got ", a.shape(), " and ", b.shape());
  }
  return detail::with_name("bmm", [&] { return matmul(a, b); });
}

Tensor dot(const Tensor& a, const Tensor& b) {
  check_dims("dot", "vectors of equal size", a, 1, b, 1);
  return detail::with_name("dot", [&] { return matmul(a, b); });
}

Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  return plus_product("addmm", x, mm(a, b), options);
}

Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  return plus_product("addmv", x, mv(a, b), options);
}

Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options) {
  return plus_product("baddbmm", x, bmm(a, b), options);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check_dims("outer", "vectors [n] and [m]", a, 1, b, 1);
  return detail::with_name("outer", [&] { return mul(unsqueeze(a, 1), b); });
}

Tensor inner(const Tensor& a, const Tensor& b) {
  return detail::with_name("inner", [&] {
    if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
    if (a.size(-1) != b.size(-1)) {
      ops::fail<ShapeError>("inner", "last dimensions of equal size, got ", a.shape(), " and ", b.shape());
    }
    return tensordot(a, b, IntList{-1}, IntList{-1});
  });
}

Tensor tensordot(const Tensor& a, const Tensor& b, Integer dims) {
  return detail::with_name("tensordot", [&] {
    if (dims < 0 || dims > a.dim() || dims > b.dim()) {
      ops::fail<ValueError>("tensordot", "dims between 0 and the number of dimensions of ", a.shape(), " and ",
                            b.shape(), ", got ", dims);
    }
    IntList of_a, of_b;
    for (std::int64_t d = 0; d < dims; ++d) {
      of_a.push_back(a.dim() - dims + d);
      of_b.push_back(d);
    }
    return tensordot(a, b, of_a, of_b);
  });
}

Tensor tensordot(const Tensor& a, const Tensor& b, const IntList& dims_a, const IntList& dims_b) {
  return detail::with_name("tensordot", [&] {
    if (dims_a.size() != dims_b.size()) {
      ops::fail<ValueError>("tensordot", "as many dimensions of one as of the other, got ", dims_a, " and ", dims_b);
    }
    for (std::size_t i = 0; i < dims_a.size(); ++i) {
      if (a.size(dims_a[i]) == b.size(dims_b[i])) continue;
      ops::fail<ShapeError>("tensordot", "pairs of dimensions of equal size, got dimensions ", dims_a, " of ",
                            a.shape(), " and ", dims_b, " of ", b.shape());
    }
    const Joined left(a, dims_a, true), right(b, dims_b, false);
    Shape shape = left.others;
    for (const std::int64_t size : right.others) shape.push_back(size);
    return view(matmul(left.matrix, right.matrix), shape);
  });
}

Tensor kron(const Tensor& a, const Tensor& b) {
  return detail::with_name("kron", [&] {
    Shape of_a = a.shape(), of_b = b.shape(), shape, apart_a, apart_b;
    while (of_a.size() < of_b.size()) of_a.insert(0, 1);
    while (of_b.size() < of_a.size()) of_b.insert(0, 1);
    if (of_a.size() > kMaxRank / 2) {
      ops::fail<ShapeError>("kron", "at most ", kMaxRank / 2, " dimensions, got ", a.shape(), " and ", b.shape());
    }
    for (std::size_t d = 0; d < of_a.size(); ++d) {
      apart_a.push_back(of_a[d]);
      apart_a.push_back(1);
      apart_b.push_back(1);
      apart_b.push_back(of_b[d]);
      shape.push_back(of_a[d] * of_b[d]);
    }
    return view(mul(view(a, apart_a), view(b, apart_b)), shape);
  });
}

Tensor cross(const Tensor& a, const Tensor& b, std::optional<Integer> dim) {
  return detail::with_name("cross", [&] {
    const Shape shape = ops::broadcast_shape("cross", a.shape(), b.shape());
    const auto size_3 = std::find(shape.begin(), shape.end(), 3);
    if (!dim && size_3 == shape.end()) ops::fail<ShapeError>("cross", "a dimension of size 3, got ", shape);
    const std::size_t place =
        dim ? ops::check_real_dim("cross", *dim, shape) : static_cast<std::size_t>(size_3 - shape.begin());
    if (shape[place] != 3) {
      ops::fail<ShapeError>("cross", "dimension ", place, " of size 3, got ", a.shape(), " and ", b.shape());
    }
    const auto at = static_cast<std::int64_t>(place);
    const Tensor x = a.shape() == shape ? a : expand(a, shape), y = b.shape() == shape ? b : expand(b, shape);
    // (y z' - z y', z x' - x z', x y' - y x'), with the coordinates turned around once and twice
    return roll(x, -1, at) * roll(y, -2, at) - roll(x, -2, at) * roll(y, -1, at);
  });
}

Tensor normalize(const Tensor& x, const NormalizeOptions& options) {
  return detail::with_name("normalize", [&] { return x / norm_over(x, options.p, options.dim, options.eps); });
}

Tensor cosine_similarity(const Tensor& a, const Tensor& b, Integer dim, double eps) {
  return detail::with_name("cosine_similarity", [&] {
    const Shape shape = ops::broadcast_shape("cosine_similarity", a.shape(), b.shape());
    const auto place = static_cast<std::int64_t>(ops::check_real_dim("cosine_similarity", dim, shape));
    const Tensor x = a.shape() == shape ? a : expand(a, shape), y = b.shape() == shape ? b : expand(b, shape);
    return sum((x / norm_over(x, 2, place, eps)) * (y / norm_over(y, 2, place, eps)), place);
  });
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& options) {
  return detail::with_name("pairwise_distance", [&] {
    const Tensor norm = norm_over(a - b + options.eps, options.p, -1, 0);
    return options.keepdim ? norm : squeeze(norm, -1);
  });
}

Tensor Tensor::mm(const Tensor& other) const { return teff::mm(*this, other); }
Tensor Tensor::mv(const Tensor& other) const { return teff::mv(*this, other); }
Tensor Tensor::bmm(const Tensor& other) const { return teff::bmm(*this, other); }
Tensor Tensor::dot(const Tensor& other) const { return teff::dot(*this, other); }
Tensor Tensor::outer(const Tensor& other) const { return teff::outer(*this, other); }

}  // namespace teff
