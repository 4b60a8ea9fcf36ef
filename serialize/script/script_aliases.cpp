// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_aliases.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/node.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/tensor_index.h"

namespace teff::serialize {
namespace {

using ViewKind = ScriptView::Kind;

struct ViewName {
  std::string_view name;
  ViewKind kind;
};
constexpr ViewName kViewNames[] = {
    {"_reshape_alias", ViewKind::shape},
    {"_unsafe_view", ViewKind::shape},
    {"adjoint", ViewKind::unknown},
    {"alias", ViewKind::shape},
    {"atleast_1d", ViewKind::shape},
    {"atleast_2d", ViewKind::shape},
    {"atleast_3d", ViewKind::shape},
    {"broadcast_to", ViewKind::spread},
    {"contiguous", ViewKind::shape},
    {"detach", ViewKind::shape},
    {"diagonal", ViewKind::unknown},
    {"expand", ViewKind::spread},
    {"expand_as", ViewKind::spread},
    {"flatten", ViewKind::shape},
    {"mH", ViewKind::unknown},
    {"mT", ViewKind::unknown},
    {"matrix_H", ViewKind::unknown},
    {"moveaxis", ViewKind::unknown},
    {"movedim", ViewKind::unknown},
    {"narrow", ViewKind::slice},
    {"numpy_T", ViewKind::unknown},
    {"permute", ViewKind::order},
    {"ravel", ViewKind::shape},
    {"reshape", ViewKind::shape},
    {"reshape_as", ViewKind::shape},
    {"select", ViewKind::select},
    {"slice", ViewKind::slice},
    {"squeeze", ViewKind::shape},
    {"swapaxes", ViewKind::order},
    {"swapdims", ViewKind::order},
    {"t", ViewKind::order},
    {"transpose", ViewKind::order},
    {"unflatten", ViewKind::shape},
    {"unfold", ViewKind::unknown},
    {"unsqueeze", ViewKind::shape},
    {"view", ViewKind::shape},
    {"view_as", ViewKind::shape},
};

/// Operators whose results lie one behind the other along a dimension.
bool is_split(std::string_view name) {
  return name == "split" || name == "split_with_sizes" || name == "chunk" || name == "tensor_split" ||
         name == "unsafe_split" || name == "unsafe_chunk";
}

IntList order_of(std::string_view name, const OperatorCall& call, std::int64_t rank) {
  IntList dims;
  if (name == "permute") {
    for (const std::int64_t dim : call.integers("dims")) dims.push_back(call.axis(dim, rank));
    return dims;
  }
  for (std::int64_t i = 0; i < rank; ++i) dims.push_back(i);
  if (rank < 2) return dims;
  const bool is_axes = name == "swapaxes";
  const std::int64_t a = name == "t" ? 0 : call.axis(call.integer(is_axes ? "axis0" : "dim0", 0), rank);
  const std::int64_t b = name == "t" ? 1 : call.axis(call.integer(is_axes ? "axis1" : "dim1", 0), rank);
  std::swap(dims[static_cast<std::size_t>(a)], dims[static_cast<std::size_t>(b)]);
  return dims;
}

ScriptView slice_of(std::string_view name, const OperatorCall& call, const Tensor& whole) {
  ScriptView view{.kind = ViewKind::slice};
  view.dim = call.axis(call.integer("dim", 0), whole.dim());
  const std::int64_t size = whole.size(view.dim);
  const auto place = [&](const char* of, std::int64_t otherwise) {
    const std::optional<Value> value = call.option(of);
    const std::int64_t at = value && value->is_int() ? value->as_int() : otherwise;
    return std::clamp(at < 0 ? at + size : at, std::int64_t{0}, size);
  };
  view.start = place("start", 0);
  view.step = name == "slice" ? call.integer("step", 1) : 1;
  view.end = name == "slice" ? place("end", size) : std::min(size, view.start + call.integer("length", 0));
  return view;
}

ScriptView view_made_by(std::string_view name, const OperatorCall& call, const Tensor& whole) {
  const auto found = std::lower_bound(std::begin(kViewNames), std::end(kViewNames), name,
                                      [](const ViewName& view, std::string_view other) { return view.name < other; });
  if (found == std::end(kViewNames) || found->name != name) return {};
  if (found->kind == ViewKind::order) return {.kind = ViewKind::order, .dims = order_of(name, call, whole.dim())};
  if (found->kind == ViewKind::slice && whole.dim() > 0) return slice_of(name, call, whole);
  ScriptView view{.kind = found->kind};
  if (view.kind == ViewKind::select) {
    view.dim = call.axis(call.integer("dim", 0), whole.dim());
    const std::int64_t at = call.integer("index", 0);
    view.start = at < 0 ? at + whole.size(view.dim) : at;
  }
  return view;
}

constexpr int kMaxParts = 256;

[[noreturn]] void refuse_parts() {
  throw UnsupportedError(
      "expected tensors that are changed in place to be whole, or parts by slices, places and shapes, got one that "
      "shares elements with others in another way");
}

/// The values from `start` on along dim, between what is there before and behind them.
Tensor put_between(const Tensor& whole, std::int64_t dim, std::int64_t start, const Tensor& values) {
  const std::int64_t end = start + values.size(dim), size = whole.size(dim);
  std::vector<Tensor> pieces;
  if (start > 0) pieces.push_back(slice(whole, dim, 0, Integer(start)));
  if (end > start) pieces.push_back(values);
  if (end < size) pieces.push_back(slice(whole, dim, end, Integer(size)));
  return pieces.size() == 1 ? pieces[0] : cat(pieces, dim);
}

/// Each step-th place from `start` on along dim.
Tensor put_apart(const Tensor& whole, const ScriptView& view, const Tensor& values) {
  std::vector<indexing::TensorIndex> places(static_cast<std::size_t>(view.dim),
                                            indexing::TensorIndex(indexing::Slice()));
  const Tensor all = arange(whole.size(view.dim));  // a Slice would have places made for all elements of the whole
  places.emplace_back(slice(all, 0, view.start, Integer(view.end), view.step));
  return index_put(whole, places, values);
}

}  // namespace

ScriptAliases::Key ScriptAliases::key_of(const Tensor& tensor) {
  const TensorImpl& impl = *tensor.impl();
  if (impl.node == nullptr) return {&impl, 0};
  return {impl.node.get(), impl.result};
}

bool is_same_tensor(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return false;
  const TensorImpl &x = *a.impl(), &y = *b.impl();
  return &x == &y || (x.node != nullptr && x.node == y.node && x.result == y.result);
}

Tensor ScriptAliases::taken(const Tensor& whole, const ScriptView& view, const Shape& shape) {
  switch (view.kind) {
    case ViewKind::shape:
      return teff::view(whole, shape);
    case ViewKind::order:
      return permute(whole, view.dims);
    case ViewKind::slice:
      return slice(whole, view.dim, view.start, Integer(view.end), view.step);
    case ViewKind::select:
      return select(whole, view.dim, view.start);
    case ViewKind::spread:
      return expand(whole, shape);
    case ViewKind::none:
    case ViewKind::unknown:
      break;
  }
  refuse_parts();
}

Tensor ScriptAliases::put(const Tensor& whole, const ScriptView& view, const Tensor& values) {
  switch (view.kind) {
    case ViewKind::shape:
      return teff::view(values, whole.shape());
    case ViewKind::order: {
      IntList back = view.dims;
      for (std::size_t i = 0; i < view.dims.size(); ++i) {
        back[static_cast<std::size_t>(view.dims[i])] = static_cast<std::int64_t>(i);
      }
      return permute(values, back);
    }
    case ViewKind::slice:
      return view.step == 1 ? put_between(whole, view.dim, view.start, values) : put_apart(whole, view, values);
    case ViewKind::select:
      return put_between(whole, view.dim, view.start, unsqueeze(values, view.dim));
    case ViewKind::none:
    case ViewKind::spread:
    case ViewKind::unknown:
      break;
  }
  refuse_parts();
}

void ScriptAliases::add_results(std::string_view name, const OperatorCall& call, const Tensor& whole, const Tensor& now,
                                const TensorList& results) {
  const auto add = [&](const Tensor& result, const ScriptView& view) {
    if (!result.defined() || is_same_tensor(result, now)) return;
    kept_.push_back(result);
    kept_.push_back(whole);
    kept_.push_back(now);
    wholes_[key_of(whole)] = true;
    const auto outer = parts_.find(key_of(whole));
    const int depth = outer == parts_.end() ? 1 : outer->second.depth + 1;
    if (depth > kMaxParts) throw UnsupportedError("expected at most 256 parts of parts of a tensor, got more");
    parts_.insert_or_assign(key_of(result), Part{whole, view, result, key_of(now), depth});
  };
  if (is_split(name) || name == "unbind") {
    const std::int64_t dim = now.dim() == 0 ? 0 : call.axis(call.integer("dim", 0), now.dim());
    std::int64_t start = 0;
    for (const Tensor& result : results) {
      const std::int64_t length = name == "unbind" ? 1 : result.size(dim);
      const ViewKind kind = name == "unbind" ? ViewKind::select : ViewKind::slice;
      add(result, {.kind = kind, .dim = dim, .start = start, .end = start + length});
      start += length;
    }
    return;
  }
  if (results.size() != 1) return;
  ScriptView view = view_made_by(name, call, now);
  if (view.kind != ViewKind::none) add(results[0], view);
}

Tensor ScriptAliases::current(const Tensor& tensor) {
  if (!tensor.defined() || replaced_.empty()) return tensor;
  const Key key = key_of(tensor);
  if (const auto replaced = replaced_.find(key); replaced != replaced_.end()) return replaced->second;
  const auto found = parts_.find(key);
  if (found == parts_.end()) return tensor;
  const Tensor whole = current(found->second.whole);
  Part& part = found->second;
  if (key_of(whole) != part.seen) {
    part.value = taken(whole, part.view, tensor.shape());
    part.seen = key_of(whole);
    kept_.push_back(whole);
  }
  return part.value;
}

void ScriptAliases::write(const Tensor& tensor, const Tensor& values) {
  kept_.push_back(tensor);
  const auto found = parts_.find(key_of(tensor));
  if (found == parts_.end()) {
    replaced_.insert_or_assign(key_of(tensor), values);
    return;
  }
  const Tensor whole = found->second.whole;
  write(whole, put(current(whole), found->second.view, values));
  const Tensor now = current(whole);
  kept_.push_back(now);
  found->second.value = values;
  found->second.seen = key_of(now);
}

void ScriptAliases::replace(const Tensor& tensor, const Tensor& by) {
  if (parts_.contains(key_of(tensor)) || wholes_.contains(key_of(tensor))) refuse_parts();
  kept_.push_back(tensor);
  replaced_.insert_or_assign(key_of(tensor), by);
}

Tensor ScriptAliases::owner(const Tensor& tensor) const {
  const auto found = parts_.find(key_of(tensor));
  return found == parts_.end() ? tensor : owner(found->second.whole);
}

}  // namespace teff::serialize
