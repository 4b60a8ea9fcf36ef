// SPDX-License-Identifier: MIT
#include "teff/engine/tensor_index.h"

#include <algorithm>
#include <vector>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/advanced_index.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using indexing::EllipsisIndex;
using indexing::TensorIndex;
using Places = std::span<const TensorIndex>;

/// What a list says, one entry for each dimension of x, and the new ones.
struct Entry {
  enum Kind { whole, none, number, slice, tensor } kind = whole;
  std::int64_t number_ = 0;
  indexing::Slice slice_ = {};
  Tensor tensor_ = {};
};

std::int64_t dims_of(const TensorIndex& index) {
  if (index.is_none() || index.as<EllipsisIndex>() != nullptr) return 0;
  const Tensor* tensor = index.as<Tensor>();
  return tensor != nullptr && tensor->dtype() == DType::bool_ ? tensor->dim() : 1;
}

/// A mask becomes as many tensors of indices as it has dimensions, the first of which is dimension `dim` of x.
void add_mask(std::string_view function, const Shape& shape, std::size_t dim, const Tensor& mask,
              std::vector<Entry>& entries) {
  if (mask.dim() == 0) ops::fail<ShapeError>(function, "a mask of at least 1 dimension, got one of shape []");
  for (std::size_t d = 0; d < mask.shape().size(); ++d) {
    if (mask.shape()[d] == shape[dim + d]) continue;
    ops::fail<IndexError>(function, "a mask of the sizes of the dimensions from ", dim, " of input ", shape,
                          " on, got mask ", mask.shape());
  }
  const Tensor places = transpose(nonzero(mask), 0, 1);
  for (std::int64_t d = 0; d < mask.dim(); ++d) entries.push_back({Entry::tensor, 0, {}, places[d]});
}

std::vector<Entry> read(std::string_view function, const Shape& shape, Places list) {
  std::int64_t named = 0;
  std::size_t dots = 0;
  for (const TensorIndex& index : list) {
    named += dims_of(index);
    dots += index.as<EllipsisIndex>() != nullptr ? 1 : 0;
  }
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (dots > 1) ops::fail<IndexError>(function, "at most one Ellipsis, got ", dots);
  if (named > rank) ops::fail<IndexError>(function, "at most ", rank, " indices for input ", shape, ", got ", named);
  std::vector<Entry> entries;
  std::int64_t dim = 0;
  const auto fill = [&] { entries.resize(entries.size() + static_cast<std::size_t>(rank - named)); };
  for (const TensorIndex& index : list) {
    if (index.is_none()) {
      entries.push_back({Entry::none});
    } else if (index.as<EllipsisIndex>() != nullptr) {
      fill();
      dim += rank - named;
    } else if (const auto* number = index.as<std::int64_t>()) {
      entries.push_back({Entry::number, *number});
    } else if (const auto* slice = index.as<indexing::Slice>()) {
      const bool is_whole = slice->start.value_or(0) == 0 && !slice->stop && slice->step.value_or(1) == 1;
      entries.push_back(is_whole ? Entry{} : Entry{Entry::slice, 0, *slice});
    } else {
      const Tensor& tensor = *index.as<Tensor>();
      if (tensor.dtype() == DType::bool_) {
        add_mask(function, shape, static_cast<std::size_t>(dim), tensor, entries);
      } else {
        entries.push_back({Entry::tensor, 0, {}, tensor});
      }
    }
    dim += dims_of(index);
  }
  if (dots == 0) fill();
  return entries;
}

/// Numbers, slices and new dimensions; what tensors are left, by dimension of the result.
Tensor basic(Tensor x, const std::vector<Entry>& entries, std::vector<std::pair<std::int64_t, Tensor>>& tensors) {
  std::int64_t dim = 0;
  for (const Entry& entry : entries) {
    switch (entry.kind) {
      case Entry::number:
        x = select(x, dim, entry.number_);
        continue;
      case Entry::slice:
        x = slice(x, dim, entry.slice_.start.value_or(0), entry.slice_.stop, entry.slice_.step.value_or(1));
        break;
      case Entry::none:
        x = unsqueeze(x, dim);
        break;
      case Entry::tensor:
        tensors.emplace_back(dim, entry.tensor_);
        break;
      case Entry::whole:
        break;
    }
    ++dim;
  }
  return x;
}

/// Tensors of indices as dimensions of x that are neighbours: where others stand between them, they come to the front.
struct Advanced {
  std::int64_t dim = 0;
  TensorList indices;
  IntList order;  // of x's dimensions; empty if they stay

  Advanced(const Tensor& x, const std::vector<std::pair<std::int64_t, Tensor>>& tensors) {
    bool are_neighbours = true;
    for (const auto& [place, tensor] : tensors) {
      are_neighbours = are_neighbours && place == tensors[0].first + static_cast<std::int64_t>(indices.size());
      indices.push_back(tensor);
    }
    dim = are_neighbours ? tensors[0].first : 0;
    if (are_neighbours) return;
    for (const auto& [place, tensor] : tensors) order.push_back(place);
    for (std::int64_t d = 0; d < x.dim(); ++d) {
      if (!order.contains(d)) order.push_back(d);
    }
  }
};

Tensor at(const Tensor& x, const std::vector<Entry>& entries) {
  std::vector<std::pair<std::int64_t, Tensor>> tensors;
  const Tensor part = basic(x, entries, tensors);
  if (tensors.empty()) return part;
  const Advanced advanced(part, tensors);
  return ops::index_at(advanced.order.empty() ? part : permute(part, advanced.order), advanced.dim, advanced.indices);
}

/// How a list of places becomes neighbouring dimensions of x, or of x as a vector.
struct Target {
  bool is_flat = false;
  std::int64_t dim = 0;
  TensorList indices;
  Shape shape;  // of the values

  Target(std::string_view function, const Tensor& x, Places list) {
    const std::vector<Entry> entries = read(function, x.shape(), list);
    std::vector<std::pair<std::int64_t, Tensor>> tensors;
    const bool are_whole = std::all_of(entries.begin(), entries.end(), [](const Entry& entry) {
      return entry.kind == Entry::whole || entry.kind == Entry::tensor;
    });
    if (are_whole) basic(x, entries, tensors);
    if (!tensors.empty()) {
      Advanced advanced(x, tensors);
      if (advanced.order.empty()) {
        dim = advanced.dim;
        indices = std::move(advanced.indices);
        std::vector<TensorType> types;
        for (const Tensor& index : indices) types.push_back(index.type());
        shape = ops::index_shape(function, x.shape(), dim, types);
        return;
      }
    }
    is_flat = true;
    indices.push_back(at(view(arange(x.numel()), x.shape()), entries));
    shape = indices[0].shape();
  }
};

/// `values` as the target takes them. As in PyTorch sizes of 1 in front may be too many.
Tensor spread(const Tensor& values, const Shape& shape) {
  Tensor fitting = values;
  while (fitting.dim() > static_cast<std::int64_t>(shape.size()) && fitting.size(0) == 1) fitting = squeeze(fitting, 0);
  return fitting.shape() == shape ? fitting : expand(fitting, shape);
}

Places as_span(std::initializer_list<TensorIndex> list) { return {list.begin(), list.size()}; }

void check_defined(std::string_view function, const Tensor& x) {
  if (!x.defined()) ops::fail<TypeError>(function, "a defined tensor, got an undefined one");
}

/// Numbers, slices and new dimensions of x: where the elements lie, for a copy of values of that shape.
ops::StridedCopy box_of(std::string_view function, const Shape& shape, const std::vector<Entry>& entries) {
  ops::StridedCopy copy{{}, {}, {}};
  const ops::Strides strides = ops::contiguous_strides(shape);
  std::size_t d = 0;
  for (const Entry& entry : entries) {
    std::int64_t size = entry.kind == Entry::none ? 1 : shape[d], stride = entry.kind == Entry::none ? 0 : strides[d];
    if (entry.kind == Entry::number) {
      const std::int64_t i = entry.number_;
      if (i < -size || i >= size) {
        ops::fail<IndexError>(function, "an index in [", -size, ", ", size, ") for dimension ", d, " of input ", shape,
                              ", got ", i);
      }
      copy.to_begin += (i < 0 ? i + size : i) * stride;
      ++d;
      continue;
    }
    if (entry.kind == Entry::slice) {
      const std::int64_t step = entry.slice_.step.value_or(1);
      if (step < 1) ops::fail<ValueError>(function, "a step of at least 1, got ", step);
      const auto place = [&](std::int64_t bound) {
        return std::clamp<std::int64_t>(bound < 0 ? bound + size : bound, 0, size);
      };
      const std::int64_t begin = place(entry.slice_.start.value_or(0));
      const std::int64_t end = std::max(begin, entry.slice_.stop ? place(*entry.slice_.stop) : size);
      copy.to_begin += end == begin ? 0 : begin * stride;
      size = end == begin ? 0 : (end - begin - 1) / step + 1;
      if (size > 1) stride *= step;
    }
    copy.to_strides[copy.shape.size()] = stride;
    copy.shape.push_back(size);
    if (entry.kind != Entry::none) ++d;
  }
  return copy;
}

/// Without tensors of indices: a copy of a box.
void put_box(const Tensor& x, const std::vector<Entry>& entries, const Tensor& values) {
  ops::StridedCopy copy = box_of("index_put_", x.shape(), entries);
  const Tensor all = detail::with_name("index_put_", [&] { return spread(values, copy.shape); });
  const Tensor source = all.shares_memory_with(x) ? all.clone() : all;
  copy.from_strides = ops::contiguous_strides(copy.shape);
  detail::begin_in_place("index_put_", x);
  ops::strided_copy(copy, source, x);
}

void put(const Tensor& x, Places list, const Tensor& values, bool accumulate) {
  detail::check_in_place("index_put_", x);
  check_defined("index_put_", values);
  if (is_grad_enabled() && values.requires_grad()) {
    throw Error(
        "index_put_: expected values whose gradient is not recorded, got some that require grad; use index_put, "
        "NoGradGuard or detach()");
  }
  const NoGradGuard no_grad;
  const Tensor converted = values.to(x.dtype());
  const std::vector<Entry> entries = read("index_put_", x.shape(), list);
  const bool has_tensors =
      std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.kind == Entry::tensor; });
  if (!has_tensors && !accumulate) return put_box(x, entries, converted);
  const Target target("index_put_", x, list);
  const Tensor all = detail::with_name("index_put_", [&] { return spread(converted, target.shape); });
  ops::index_put_into("index_put_", target.is_flat ? detail::alias(x, {x.numel()}) : x, target.dim, target.indices, all,
                      accumulate);
}

}  // namespace

indexing::TensorIndex::TensorIndex(const char* dots) : what_(EllipsisIndex{}) {
  if (dots == nullptr || std::string_view(dots) != "...") {
    throw ValueError("index: expected \"...\", got \"" + std::string(dots == nullptr ? "" : dots) + '"');
  }
}

Tensor index(const Tensor& x, Places places) {
  check_defined("index", x);
  return detail::with_name("index", [&] { return at(x, read("index", x.shape(), places)); });
}

Tensor index(const Tensor& x, std::initializer_list<TensorIndex> places) { return index(x, as_span(places)); }

Tensor index_put(const Tensor& x, Places places, const Tensor& values, bool accumulate) {
  check_defined("index_put", x);
  check_defined("index_put", values);
  return detail::with_name("index_put", [&] {
    const Target target("index_put", x, places);
    const Tensor all = spread(values, target.shape);
    if (!target.is_flat) return ops::index_put_at(x, target.dim, target.indices, all, accumulate);
    return view(ops::index_put_at(view(x, {x.numel()}), 0, target.indices, all, accumulate), x.shape());
  });
}

Tensor index_put(const Tensor& x, std::initializer_list<TensorIndex> places, const Tensor& values, bool accumulate) {
  return index_put(x, as_span(places), values, accumulate);
}

Tensor Tensor::index(std::initializer_list<TensorIndex> places) const { return teff::index(*this, places); }
Tensor Tensor::index(Places places) const { return teff::index(*this, places); }

const Tensor& Tensor::index_put_(Places places, const Tensor& values, bool accumulate) const {
  put(*this, places, values, accumulate);
  return *this;
}
const Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> places, const Tensor& values,
                                 bool accumulate) const {
  return index_put_(as_span(places), values, accumulate);
}
const Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> places, double value) const {
  return index_put_(as_span(places), full({}, value, {.dtype = dtype()}));
}

}  // namespace teff
