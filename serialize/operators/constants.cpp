// SPDX-License-Identifier: MIT

// What is known before anything runs: constants, sizes; and what only changes the dtype.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/onnx/onnx_model.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

Tensor constant(const Call& c) {
  if (const auto value = c.option("value")) return value->as_tensor();
  if (const auto value = c.option("value_float")) return full({}, value->as_float());
  if (const auto value = c.option("value_int")) return full({}, value->as_int(), {.dtype = DType::int64});
  if (c.option("value_floats")) {
    const std::vector<double> values = c.numbers("value_floats");
    return teff::tensor(values, Shape{values.size()}).to(DType::float32);
  }
  if (c.option("value_ints")) return teff::tensor(c.integers("value_ints"));
  throw UnsupportedError("expected a tensor or numbers as a constant, got something else");
}

Tensor shape_of(const Call& c) {
  const Shape& shape = c.tensor(0).shape();
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto place = [&](const char* name, std::int64_t otherwise) {
    const std::int64_t value = c.integer(name, otherwise);
    return std::clamp(value < 0 ? value + rank : value, std::int64_t{0}, rank);
  };
  const std::int64_t start = place("start", 0), end = std::max(start, place("end", rank));
  return teff::tensor(std::vector<std::int64_t>(shape.begin() + start, shape.begin() + end));
}

Tensor size_of_input(const Call& c) { return full({}, c.tensor(0).numel(), {.dtype = DType::int64}); }

/// One value in many places. Where it may be a shape its values are known; elsewhere its sizes may follow those of the
/// inputs.
Tensor spread(const Tensor& value, const std::vector<std::int64_t>& sizes) {
  const Shape shape = list_of(sizes);
  const Tensor one = full({}, numbers_of(value)[0], {.dtype = value.dtype()});
  if (shape.size() > 1 || is_floating_point(value.dtype()) || numel(shape) > kMaxConstant) {
    return shape.empty() ? one : expand(one, shape);
  }
  return full(shape, numbers_of(value)[0], {.dtype = value.dtype()});
}

Tensor constant_of_shape(const Call& c) {
  const auto value = c.option("value");
  if (value && value->as_tensor().numel() != 1) throw FormatError("expected one value, got another number of them");
  return spread(value ? value->as_tensor() : zeros({1}), c.known_integers(0));
}

Tensor range(const Call& c) {
  const DType dtype = c.tensor(0).dtype();
  if (!is_floating_point(dtype)) {
    const std::int64_t start = c.known_integer(0), end = c.known_integer(1), step = c.known_integer(2);
    const double count =
        step == 0 ? 0 : (static_cast<double>(end) - static_cast<double>(start)) / static_cast<double>(step);
    expect_supported(count <= kMaxConstant, "expected a range of at most 65536 numbers, got more");
    if (count <= 0) return empty({0}, {.dtype = dtype});
    return arange(start, end, step, {.dtype = dtype});
  }
  const double start = c.known_number(0), end = c.known_number(1), step = c.known_number(2);
  const double count = step == 0 ? 0 : (end - start) / step;
  expect_supported(count <= kMaxConstant, "expected a range of at most 65536 numbers, got more");
  if (!(count > 0)) return empty({0}, {.dtype = dtype});
  return arange(start, end, step, {.dtype = dtype});
}

Tensor converted(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : to(x, dtype); }

Tensor cast(const Call& c) {
  const std::int64_t code = c.integer("to", 0);
  const std::optional<DType> dtype = onnx_dtype(code);
  expect_supported(dtype.has_value(), "expected a dtype that Teff has, got " + onnx_dtype_name(code));
  c.ignore("saturate");
  return converted(c.tensor(0), *dtype);
}

Tensor cast_like(const Call& c) {
  c.ignore("saturate");
  return converted(c.tensor(0), c.tensor(1).dtype());
}

/// With a value of its own for training: the mask tells what was kept, and in evaluation that is all.
TensorList dropped(const Call& c) {
  c.ignore("seed");
  c.ignore("is_test");
  expect_supported(!c.has(2) || c.known_integer(2) == 0,
                   "expected a network exported for evaluation, got one whose Dropout is in training");
  const double ratio = c.has(1) ? c.known_number(1) : c.number("ratio", 0.5);
  const Tensor x = c.tensor(0);
  TensorList results{dropout(x, ratio, false)};
  if (c.wants(1)) {
    const bool is_bool = c.opset() >= 10;
    results.push_back(x.dim() == 0 ? full({}, 1, {.dtype = is_bool ? DType::bool_ : x.dtype()})
                                   : expand(full({}, 1, {.dtype = is_bool ? DType::bool_ : x.dtype()}), x.shape()));
  }
  return results;
}

constexpr OperatorRow kConstantsRows[] = {
    {"Cast", cast},          {"CastLike", cast_like},
    {"Constant", constant},  {"ConstantOfShape", constant_of_shape},
    {"Dropout", dropped},    {"Identity", +[](const Call& c) { return c.tensor(0); }},
    {"Range", range},        {"Shape", shape_of},
    {"Size", size_of_input},
};

}  // namespace

const std::span<const OperatorRow> operators::constants = kConstantsRows;

}  // namespace teff::serialize
