// SPDX-License-Identifier: MIT
#include "teff/engine/graph_attributes.h"

#include "teff/engine/error.h"

namespace teff::detail {
namespace {

constexpr const char* kBatch = "batch";

bool is_multiple(const Value& value) {
  return value.is_dict() && value.as_dict().size() == 1 && value.as_dict().contains(kBatch);
}

bool follows_batch(const Value& value) {
  if (is_multiple(value)) return true;
  if (!value.is_list()) return false;
  for (const Value& element : value.as_list()) {
    if (follows_batch(element)) return true;
  }
  return false;
}

Value resolve(const Value& value, std::int64_t batch) {
  if (is_multiple(value)) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(value.as_dict().at(kBatch).as_int(), batch, &product)) {
      throw ValueError("graph: expected a size below 2^63, got more at batch size " + std::to_string(batch));
    }
    return product;
  }
  if (!value.is_list()) return value;
  List list;
  for (const Value& element : value.as_list()) list.push_back(resolve(element, batch));
  return list;
}

std::optional<Value> unify_lists(const List& a, std::int64_t batch_a, const List& b, std::int64_t batch_b) {
  if (a.size() != b.size()) return std::nullopt;
  List list;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::optional<Value> element = unify(a[i], batch_a, b[i], batch_b);
    if (!element) return std::nullopt;
    list.push_back(std::move(*element));
  }
  return list;
}

}  // namespace

std::int64_t batch_of(const std::vector<TensorType>& types) {
  return types.empty() || types[0].shape.empty() ? 1 : types[0].shape[0];
}

bool follows_batch(const Dict& attributes) {
  for (const DictItem& item : attributes) {
    if (follows_batch(item.value)) return true;
  }
  return false;
}

Dict resolve_batch(const Dict& attributes, std::int64_t batch) {
  Dict result;
  for (const DictItem& item : attributes) result.insert(item.key, resolve(item.value, batch));
  return result;
}

std::optional<Value> unify(const Value& a, std::int64_t batch_a, const Value& b, std::int64_t batch_b) {
  if (a == b) return a;
  if (a.is_list() && b.is_list()) return unify_lists(a.as_list(), batch_a, b.as_list(), batch_b);
  if (!a.is_int() || !b.is_int() || a.as_int() % batch_a != 0) return std::nullopt;
  const std::int64_t multiple = a.as_int() / batch_a;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(multiple, batch_b, &product) || b.as_int() != product) return std::nullopt;
  return Dict{{kBatch, multiple}};
}

}  // namespace teff::detail
