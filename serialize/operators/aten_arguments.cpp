// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/aten_arguments.h"

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/folding.h"

namespace teff::serialize {
namespace {

/// As PyTorch ranks dtypes: bool, whole numbers, floating-point numbers.
int category(DType dtype) { return is_floating_point(dtype) ? 2 : dtype == DType::bool_ ? 0 : 1; }

DType promoted_type(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return a.dtype();
  const int x = category(a.dtype()), y = category(b.dtype());
  if (x != y) return x > y ? a.dtype() : b.dtype();
  if ((a.dim() == 0) != (b.dim() == 0)) return a.dim() == 0 ? b.dtype() : a.dtype();
  const bool both_halves = x == 2 && size_of(a.dtype()) == 2 && size_of(b.dtype()) == 2;
  if (both_halves) return DType::float32;
  if (size_of(a.dtype()) == 1 && size_of(b.dtype()) == 1) return DType::int16;  // uint8 and int8
  return size_of(a.dtype()) >= size_of(b.dtype()) ? a.dtype() : b.dtype();
}

}  // namespace

AtenNumbers aten_numbers(const OperatorCall& c, std::string_view name, AtenNumbers otherwise) {
  const std::optional<Value> value = c.option(name);
  if (!value) return otherwise;
  if (!value->is_list()) return {value->as_int()};
  AtenNumbers numbers;
  for (const Value& item : value->as_list()) {
    numbers.push_back(item.is_tensor() ? integers_of(item.as_tensor()).at(0) : item.as_int());
  }
  return numbers;
}

IntList aten_list(const OperatorCall& c, std::string_view name) {
  const AtenNumbers numbers = aten_numbers(c, name);
  expect_supported(numbers.size() <= 2 * kMaxRank, "expected at most 16 numbers, got more");
  return list_of(numbers);
}

namespace {

[[noreturn]] void refuse_count(std::size_t count) {
  throw FormatError("expected a number for each dimension of the image, got " + std::to_string(count));
}

}  // namespace

std::int64_t one_of(const AtenNumbers& values) {
  if (values.size() != 1) refuse_count(values.size());
  return values[0];
}

Pair pair_of(const AtenNumbers& values) {
  if (values.size() == 1) return Pair(values[0]);
  if (values.size() != 2) refuse_count(values.size());
  return Pair(values[0], values[1]);
}

Triple triple_of(const AtenNumbers& values) {
  if (values.size() == 1) return Triple(values[0]);
  if (values.size() != 3) refuse_count(values.size());
  return Triple(values[0], values[1], values[2]);
}

std::optional<std::int64_t> aten_integer(const OperatorCall& c, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  return value ? std::optional(value->as_int()) : std::nullopt;
}

std::optional<double> aten_number(const OperatorCall& c, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  return value ? std::optional(value->as_float()) : std::nullopt;
}

Scalar aten_scalar(const Value& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_int()) return value.as_int();
  if (value.is_float()) return value.as_float();
  throw UnsupportedError("expected a number, got " + std::string(to_string(value.kind())));
}

std::optional<Scalar> aten_scalar(const OperatorCall& c, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  return value ? std::optional(aten_scalar(*value)) : std::nullopt;
}

std::vector<Tensor> aten_tensors(const OperatorCall& c, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  std::vector<Tensor> tensors;
  if (!value) return tensors;
  for (const Value& item : value->as_list()) tensors.push_back(item.as_tensor());
  return tensors;
}

std::optional<DType> aten_dtype_of(const OperatorCall& c, std::string_view name) {
  const std::optional<std::int64_t> code = aten_integer(c, name);
  return code ? std::optional(aten_dtype(*code)) : std::nullopt;
}

Tensor aten_to(const Tensor& x, std::optional<DType> dtype) {
  return !dtype || x.dtype() == *dtype ? x : to(x, *dtype);
}

bool is_tensor(const OperatorCall& c, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  return value && value->is_tensor();
}

Tensor aten_index(const OperatorCall& c, std::size_t i) {
  const Tensor index = c.tensor(i);
  return index.dtype() == DType::int32 ? to(index, DType::int64) : index;
}

std::optional<Scalar> number_beside(const OperatorCall& c, std::string_view name, std::size_t i, const Tensor& other) {
  const std::optional<Value> value = c.option(name);
  if (value && !value->is_tensor()) return aten_scalar(*value);
  const Tensor tensor = c.tensor(i);
  if (tensor.dim() != 0 || !c.is_known(i)) return std::nullopt;
  // Constants of TorchScript's code have no say, as PyTorch has it: tracing makes some of numbers.
  const bool has_say = other.dim() == 0 || category(tensor.dtype()) > category(other.dtype());
  if (has_say && !is_constant(tensor)) return std::nullopt;
  const Tensor known = c.known(i);
  if (is_floating_point(known.dtype())) return numbers_of(known)[0];
  if (known.dtype() == DType::bool_) return integers_of(known)[0] != 0;
  return integers_of(known)[0];
}

Tensor of_self_and_other(const OperatorCall& c, OfTensors of_tensors, OfNumber of_number) {
  const Tensor self = c.tensor(0);
  if (const std::optional<Scalar> number = number_beside(c, "other", 1, self)) return of_number(self, *number);
  const auto [a, b] = promoted(self, c.tensor(1));
  return of_tensors(a, b);
}

std::pair<Tensor, Tensor> promoted(const Tensor& a, const Tensor& b) {
  const DType dtype = promoted_type(a, b);
  return {aten_to(a, dtype), aten_to(b, dtype)};
}

Tensor aten_filled(const Shape& shape, double value, DType dtype) {
  const Tensor one = full({}, value, {.dtype = dtype});
  return shape.empty() ? one : expand(one, shape);
}

Tensor aten_range(std::int64_t count) { return sub(cumsum(aten_filled({count}, 1, DType::int64), 0), std::int64_t{1}); }

}  // namespace teff::serialize
