// SPDX-License-Identifier: MIT

// ATen's operators that make tensors of numbers.

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using MakeCall = OperatorCall;

Shape shape_named(const MakeCall& c) {
  const Shape shape = list_of(aten_numbers(c, "size"));
  for (const std::int64_t size : shape) {
    if (size < 0) throw FormatError("expected sizes of 0 or more, got " + to_string(shape));
  }
  return shape;
}

/// A number, or a tensor with one that is known.
Value number_named(const MakeCall& c, std::size_t place, std::string_view name) {
  const std::optional<Value> value = c.option(name);
  if (!value) throw FormatError("expected a number as \"" + std::string(name) + "\", got none");
  if (!value->is_tensor()) return *value;
  const Tensor known = c.known(place);
  if (is_floating_point(known.dtype())) return numbers_of(known).at(0);
  return integers_of(known).at(0);
}

DType dtype_for_number(const Value& value) {
  return value.is_float() ? DType::float32 : value.is_bool() ? DType::bool_ : DType::int64;
}

double plain_number(const Value& value) { return value.is_bool() ? (value.as_bool() ? 1 : 0) : value.as_float(); }

template <int value>
Tensor all_of(const MakeCall& c) {
  return aten_filled(shape_named(c), value, aten_dtype_of(c).value_or(DType::float32));
}

Tensor full_of(const MakeCall& c) {
  const Value value = number_named(c, 1, "fill_value");
  return aten_filled(shape_named(c), plain_number(value), aten_dtype_of(c).value_or(dtype_for_number(value)));
}

template <int value>
Tensor all_like(const MakeCall& c) {
  c.ignore("memory_format");
  const Tensor x = c.tensor(0);
  return aten_filled(x.shape(), value, aten_dtype_of(c).value_or(x.dtype()));
}

Tensor full_of_shape(const MakeCall& c) {
  c.ignore("memory_format");
  const Tensor x = c.tensor(0);
  return aten_filled(x.shape(), plain_number(number_named(c, 1, "fill_value")), aten_dtype_of(c).value_or(x.dtype()));
}

template <int value>
Tensor new_of(const MakeCall& c) {
  return aten_filled(shape_named(c), value, aten_dtype_of(c).value_or(c.tensor(0).dtype()));
}

Tensor new_full_of(const MakeCall& c) {
  const double value = plain_number(number_named(c, 2, "fill_value"));
  return aten_filled(shape_named(c), value, aten_dtype_of(c).value_or(c.tensor(0).dtype()));
}

/// In the place of self.
Tensor filled_over(const MakeCall& c) {
  const Tensor x = c.tensor(0);
  const std::optional<Value> value = c.option("value");
  if (value && value->is_tensor() && !c.is_known(1)) {
    const Tensor filler = aten_to(value->as_tensor(), x.dtype());
    return x.dim() == 0 ? filler : expand(filler, x.shape());
  }
  return aten_filled(x.shape(), plain_number(number_named(c, 1, "value")), x.dtype());
}

Tensor zeroed(const MakeCall& c) { return aten_filled(c.tensor(0).shape(), 0, c.tensor(0).dtype()); }

/// arange(end), arange(start, end), arange(start, end, step)
Tensor range_of(const MakeCall& c) {
  Value start = std::int64_t{0}, step = std::int64_t{1};
  Value end = number_named(c, 0, "start");
  if (c.option("end")) {
    start = end;
    end = number_named(c, 1, "end");
  }
  if (c.option("step")) step = number_named(c, 2, "step");
  const bool is_real = start.is_float() || end.is_float() || step.is_float();
  const double by = step.as_float();
  if (by == 0) throw FormatError("expected a step other than 0, got 0");
  const double count = std::ceil((end.as_float() - start.as_float()) / by);
  expect_supported(count < 0x1p40, "expected a range of less than 2^40 numbers, got more");
  const DType dtype = aten_dtype_of(c).value_or(is_real ? DType::float32 : DType::int64);
  Tensor numbers = aten_range(count > 0 ? static_cast<std::int64_t>(count) : 0);
  if (is_real) numbers = to(numbers, DType::float64);
  if (by != 1) numbers = mul(numbers, aten_scalar(step));
  if (start.as_float() != 0) numbers = add(numbers, aten_scalar(start));
  return aten_to(numbers, dtype);
}

Tensor evenly_spaced(const MakeCall& c) {
  const std::int64_t steps = c.integer("steps", 100);
  expect_supported(steps >= 0 && steps <= kMaxConstant, "expected at most 65536 numbers, got more");
  return linspace(plain_number(number_named(c, 0, "start")), plain_number(number_named(c, 1, "end")), steps,
                  {.dtype = aten_dtype_of(c).value_or(DType::float32)});
}

Tensor scalar_of_number(const MakeCall& c) {
  const Value value = number_named(c, 0, "s");
  return full({}, plain_number(value), {.dtype = aten_dtype_of(c).value_or(DType::float32)});
}

Tensor identity_matrix(const MakeCall& c) {
  const std::int64_t n = c.integer("n", 0), m = c.integer("m", n);
  if (n < 0 || m < 0) throw FormatError("expected sizes of 0 or more, got others");
  return aten_to(eq(unsqueeze(aten_range(n), 1), aten_range(m)), aten_dtype_of(c).value_or(DType::float32));
}

constexpr std::string_view kLike = "self dtype layout device pin_memory memory_format";
constexpr std::string_view kSize = "size dtype layout device pin_memory";
constexpr std::string_view kNew = "self size dtype layout device pin_memory";

constexpr AtenRow kAtenCreation[] = {
    {"arange", "start end step dtype layout device pin_memory", range_of},
    {"eye", "n m dtype layout device pin_memory", identity_matrix},
    {"fill", "self value", filled_over},
    {"full", "size fill_value dtype layout device pin_memory", full_of},
    {"full_like", "self fill_value dtype layout device pin_memory memory_format", full_of_shape},
    {"linspace", "start end steps dtype layout device pin_memory", evenly_spaced},
    {"new_full", "self size fill_value dtype layout device pin_memory", new_full_of},
    {"new_ones", kNew, new_of<1>},
    {"new_zeros", kNew, new_of<0>},
    {"ones", kSize, all_of<1>},
    {"ones_like", kLike, all_like<1>},
    {"scalar_tensor", "s dtype layout device pin_memory", scalar_of_number},
    {"zero", "self", zeroed},
    {"zeros", kSize, all_of<0>},
    {"zeros_like", kLike, all_like<0>},
};
static_assert(is_in_order(kAtenCreation));

}  // namespace

const std::span<const AtenRow> operators::aten_creation = kAtenCreation;

}  // namespace teff::serialize
