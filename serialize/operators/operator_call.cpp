// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/operator_call.h"

#include "teff/engine/error.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/ops.h"

namespace teff::serialize {

Tensor OperatorCall::tensor(std::size_t i) const {
  if (has(i)) return maybe(i);
  throw FormatError("expected input " + std::to_string(i) + ", got none");
}

std::int64_t OperatorCall::integer(std::string_view name, std::int64_t otherwise) const {
  const std::optional<Value> value = option(name);
  return value ? value->as_int() : otherwise;
}

bool OperatorCall::flag(std::string_view name, bool otherwise) const {
  const std::optional<Value> value = option(name);
  if (!value) return otherwise;
  return value->is_bool() ? value->as_bool() : value->as_int() != 0;
}

double OperatorCall::number(std::string_view name, double otherwise) const {
  const std::optional<Value> value = option(name);
  return value ? value->as_float() : otherwise;
}

std::string OperatorCall::text(std::string_view name, std::string_view otherwise) const {
  const std::optional<Value> value = option(name);
  return value ? value->as_text() : std::string(otherwise);
}

std::vector<std::int64_t> OperatorCall::integers(std::string_view name, std::vector<std::int64_t> otherwise) const {
  const std::optional<Value> value = option(name);
  if (!value) return otherwise;
  std::vector<std::int64_t> result;
  for (const Value& item : value->as_list()) result.push_back(item.as_int());
  return result;
}

std::vector<double> OperatorCall::numbers(std::string_view name) const {
  std::vector<double> result;
  const std::optional<Value> value = option(name);
  if (!value) return result;
  for (const Value& item : value->as_list()) result.push_back(item.as_float());
  return result;
}

std::vector<std::int64_t> OperatorCall::known_integers(std::size_t i) const { return integers_of(known(i)); }

std::int64_t OperatorCall::known_integer(std::size_t i) const {
  const std::vector<std::int64_t> values = known_integers(i);
  if (values.size() != 1) {
    throw FormatError("expected one number as input " + std::to_string(i) + ", got " + std::to_string(values.size()));
  }
  return values[0];
}

double OperatorCall::known_number(std::size_t i) const {
  const std::vector<double> values = numbers_of(known(i));
  if (values.size() != 1) {
    throw FormatError("expected one number as input " + std::to_string(i) + ", got " + std::to_string(values.size()));
  }
  return values[0];
}

std::vector<std::int64_t> OperatorCall::integers(std::size_t i, std::string_view name,
                                                 std::vector<std::int64_t> otherwise) const {
  return has(i) ? known_integers(i) : integers(name, std::move(otherwise));
}

std::int64_t OperatorCall::axis(std::int64_t dim, std::int64_t rank) const {
  if (dim < -rank || dim >= rank) {
    throw FormatError("expected a dimension of a tensor of " + std::to_string(rank) + ", got dimension " +
                      std::to_string(dim));
  }
  return dim < 0 ? dim + rank : dim;
}

TensorList Conversion::operator()(const OperatorCall& call) const {
  switch (kind_) {
    case Kind::by_value:
      return {by_value_(call.tensor(0))};
    case Kind::unary:
      return {unary_(call.tensor(0))};
    case Kind::binary: {
      const auto [a, b] = two_inputs(call);
      return {binary_(a, b)};
    }
    case Kind::single:
      return {single_(call)};
    case Kind::several:
      break;
  }
  return several_(call);
}

std::pair<Tensor, Tensor> two_inputs(const OperatorCall& call) {
  const Tensor a = call.tensor(0), b = call.tensor(1);
  if (call.opset() >= 7 || !call.flag("broadcast", false)) return {a, b};
  const std::int64_t rank = a.dim(), first = call.axis(call.integer("axis", rank - b.dim()), rank + 1);
  Shape shape = b.shape();
  for (std::int64_t i = first + b.dim(); i < rank; ++i) shape.push_back(1);
  return {a, view(b, shape)};
}

void expect_supported(bool supported, const std::string& what) {
  if (!supported) throw UnsupportedError(what);
}

std::vector<std::int64_t> integers_of(const Tensor& values) {
  const detail::NotCapturing now;
  const Tensor whole = values.to(DType::int64);
  const auto span = whole.span<std::int64_t>();
  return {span.begin(), span.end()};
}

std::vector<double> numbers_of(const Tensor& values) {
  const detail::NotCapturing now;
  const Tensor reals = values.to(DType::float64);
  const auto span = reals.span<double>();
  return {span.begin(), span.end()};
}

IntList list_of(const std::vector<std::int64_t>& values) { return IntList(std::span<const std::int64_t>(values)); }

const OperatorRow* find_onnx_operator(std::string_view name, std::int64_t opset) {
  for (const std::span<const OperatorRow>* table :
       {&operators::pointwise, &operators::constants, &operators::shapes, &operators::reductions, &operators::images,
        &operators::pooling, &operators::norms, &operators::indexing, &operators::resizing, &operators::losses,
        &operators::logic, &operators::gathering, &operators::recurrent}) {
    for (const OperatorRow& row : *table) {
      if (row.name == name && opset >= row.since && opset <= row.until) return &row;
    }
  }
  return nullptr;
}

}  // namespace teff::serialize
