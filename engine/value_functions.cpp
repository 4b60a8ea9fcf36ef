// SPDX-License-Identifier: MIT

// Functions whose result's size depends on values that they read: outside of graphs.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "teff/engine/convert.h"
#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/ops/sort_rows.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// The values of x, which are read here and now.
const Tensor& read(std::string_view function, const Tensor& x, const char* cure = "compute with tensors instead") {
  if (!x.defined()) ops::fail<TypeError>(function, "a defined tensor, got an undefined one");
  if (is_capturing()) {
    throw Error(std::string(function) +
                ": expected no values to be read while a graph is captured: what depends on them would be frozen; " +
                cure);
  }
  return x;
}

bool is_nonzero(const Tensor& x, std::int64_t i) {
  return visit_dtype(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      return static_cast<const unsigned char*>(x.raw_data())[i] != 0;  // in a file it may be any byte
    } else {
      return convert<bool>(x.data<T>()[i]);
    }
  });
}

/// One byte for each element: whether it is not 0.
std::vector<unsigned char> nonzero_bytes(const Tensor& x) {
  std::vector<unsigned char> bytes(static_cast<std::size_t>(x.numel()));
  if (x.dtype() == DType::bool_ || x.dtype() == DType::uint8) {
    if (!bytes.empty()) std::memcpy(bytes.data(), x.raw_data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = is_nonzero(x, static_cast<std::int64_t>(i)) ? 1 : 0;
  return bytes;
}

/// Whether entries a and b of [outer, size, inner] are equal; a NaN never is.
class Equal {
 public:
  Equal(const Tensor& x, const ops::Split& s) : x_(x), s_(s) {}
  bool operator()(std::int64_t a, std::int64_t b) const {
    return visit_dtype(x_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t o = 0; o < s_.outer; ++o) {
        const T* const block = static_cast<const T*>(x_.raw_data()) + o * s_.size * s_.inner;
        for (std::int64_t i = 0; i < s_.inner; ++i) {
          if constexpr (kIsStoredFloat<T>) {
            if (static_cast<float>(block[a * s_.inner + i]) != static_cast<float>(block[b * s_.inner + i]))
              return false;
          } else {
            if (block[a * s_.inner + i] != block[b * s_.inner + i]) return false;
          }
        }
      }
      return true;
    });
  }

 private:
  const Tensor& x_;
  const ops::Split& s_;
};

/// Groups of neighbours in `order` that are equal.
UniqueResult group(const Tensor& x, std::size_t dim, std::span<const std::int64_t> order) {
  const ops::Split s(x.shape(), dim);
  const Equal equal(x, s);
  std::vector<std::int64_t> firsts, counts, inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !equal(order[i - 1], order[i])) {
      firsts.push_back(order[i]);
      counts.push_back(0);
    }
    ++counts.back();
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(firsts.size()) - 1;
  }
  return {index_select(x, static_cast<std::int64_t>(dim), tensor(firsts)), tensor(inverse), tensor(counts)};
}

std::vector<std::int64_t> counted(std::int64_t size) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

/// The entries in the order of their first elements, of their second ones where those are equal, and so on: by stable
/// sorts from the last element to the first.
std::vector<std::int64_t> order_of_entries(const Tensor& x, std::size_t dim) {
  const ops::Split s(x.shape(), dim);
  if (s.size >= ops::kMaxSorted) ops::fail<ShapeError>("unique", "less than 2^32 entries, got input ", x.shape());
  std::vector<std::int64_t> order = counted(s.size), places(order.size()), next(order.size());
  Tensor column = detail::make_tensor({{s.size}, x.dtype()});
  const std::size_t bytes = size_of(x.dtype());
  const auto* const from = static_cast<const std::byte*>(x.raw_data());
  for (std::int64_t at = s.outer * s.inner; at-- > 0;) {
    const std::int64_t first = at / s.inner * s.size * s.inner + at % s.inner;
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::memcpy(static_cast<std::byte*>(column.raw_data()) + i * bytes,
                  from + static_cast<std::size_t>(first + order[i] * s.inner) * bytes, bytes);
    }
    ops::sort_row({column.raw_data(), x.dtype(), s.size, 1}, false, places.data(), 1);
    for (std::size_t i = 0; i < order.size(); ++i) next[i] = order[static_cast<std::size_t>(places[i])];
    order.swap(next);
  }
  return order;
}

}  // namespace

Tensor nonzero(const Tensor& x) {
  read("nonzero", x, "compute with the mask itself, as where does");
  const std::vector<unsigned char> bytes = nonzero_bytes(x);
  const auto count = static_cast<std::int64_t>(bytes.size()) - std::count(bytes.begin(), bytes.end(), 0);
  const Shape& shape = x.shape();
  Tensor places = detail::make_tensor({{count, x.dim()}, DType::int64});
  if (places.numel() == 0) return places;
  std::int64_t* to = places.data<std::int64_t>();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == 0) continue;
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) to[d] = rest % shape[d];
    to += shape.size();
  }
  return places;
}

UniqueResult unique(const Tensor& x, std::optional<Integer> dim) {
  read("unique", x);
  return detail::with_name("unique", [&] {
    const NoGradGuard no_grad;
    if (dim) {
      const std::size_t place = ops::check_real_dim("unique", *dim, x.shape());
      if (x.numel() == 0 && x.shape()[place] > 0) {
        ops::fail<ShapeError>("unique", "entries with elements, got input ", x.shape());
      }
      return group(x, place, order_of_entries(x, place));
    }
    const Tensor flat = view(x, {x.numel()});
    UniqueResult result = group(flat, 0, argsort(flat).span<std::int64_t>());
    result.inverse = view(result.inverse, x.shape());
    return result;
  });
}

UniqueResult unique_consecutive(const Tensor& x) {
  read("unique_consecutive", x);
  const NoGradGuard no_grad;
  UniqueResult result = group(view(x, {x.numel()}), 0, counted(x.numel()));
  result.inverse = view(result.inverse, x.shape());
  return result;
}

Tensor bincount(const Tensor& x, const Tensor& weights, Integer minlength) {
  read("bincount", x);
  if (x.dtype() != DType::int64 || x.dim() != 1) {
    ops::fail<TypeError>("bincount", "an int64 vector, got ", detail::describe(x.type()));
  }
  if (minlength < 0) ops::fail<ValueError>("bincount", "minlength >= 0, got ", minlength);
  std::int64_t length = minlength;
  for (const std::int64_t value : x.span<std::int64_t>()) {
    if (value < 0 || value >= ops::kMaxOption) {
      ops::fail<ValueError>("bincount", "values in [0, 2^31), got ", value);
    }
    length = std::max(length, value + 1);
  }
  if (weights.defined() && (weights.shape() != x.shape() || !is_computable(weights.dtype()))) {
    ops::fail<ShapeError>("bincount", "weights of float32 or float64 ", x.shape(), ", got ",
                          detail::describe(weights.type()));
  }
  const NoGradGuard no_grad;
  if (weights.defined()) {
    return scatter_add(zeros({length}, {.dtype = weights.dtype()}), 0, x, weights.detach());
  }
  const Tensor counts = zeros({length}, {.dtype = DType::int64});
  for (const std::int64_t value : x.span<std::int64_t>()) ++counts.data<std::int64_t>()[value];
  return counts;
}

Tensor histc(const Tensor& x, Integer bins, double low, double high) {
  read("histc", x);
  if (!is_computable(x.dtype())) ops::fail<TypeError>("histc", "float32 or float64, got ", to_string(x.dtype()));
  if (bins < 1 || bins >= ops::kMaxOption) ops::fail<ValueError>("histc", "bins in [1, 2^31), got ", bins);
  return ops::visit_computable(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if (low == high && x.numel() > 0) {
      const auto [least, most] = std::minmax_element(x.span<T>().begin(), x.span<T>().end());
      low = static_cast<double>(*least);
      high = static_cast<double>(*most);
    }
    if (low == high) {
      low -= 1;
      high += 1;
    }
    if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
      ops::fail<ValueError>("histc", "finite bounds with min below max, got ", low, " and ", high);
    }
    const Tensor counts = zeros({bins}, {.dtype = x.dtype()});
    for (const T value : x.span<T>()) {
      if (!(value >= static_cast<T>(low) && value <= static_cast<T>(high))) continue;
      const T place = (value - static_cast<T>(low)) / static_cast<T>(high - low) * static_cast<T>(bins);
      const auto bin = std::clamp<std::int64_t>(static_cast<std::int64_t>(place), 0, bins - 1);
      counts.data<T>()[bin] += 1;
    }
    return counts;
  });
}

Tensor Tensor::nonzero() const { return teff::nonzero(*this); }

}  // namespace teff
