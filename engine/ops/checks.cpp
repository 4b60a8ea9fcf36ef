// SPDX-License-Identifier: MIT
#include "teff/engine/ops/checks.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "teff/engine/build.h"

namespace teff::ops {

std::string text_of_parts(std::span<const TextPart> parts) {
  std::ostringstream out;
  for (const TextPart& part : parts) part.print(out);
  return out.str();
}

void fail_with(void (*raise)(const std::string& text), std::string_view op, std::span<const TextPart> parts) {
  raise(std::string(op) + ": expected " + text_of_parts(parts));
  __builtin_unreachable();
}

void check_one_dtype(std::string_view op, std::span<const TensorType> inputs) {
  for (const TensorType& input : inputs) {
    if (input.dtype == inputs[0].dtype) continue;
    fail<TypeError>(op, "tensors of one dtype, got ", to_string(inputs[0].dtype), " and ", to_string(input.dtype),
                    "; convert one with to()");
  }
}

namespace {

void check_float64(std::string_view op, DType dtype) {
  if (kHasFloat64 || dtype != DType::float64) return;
  fail<TypeError>(op,
                  "a build of Teff with TEFF_FLOAT64 for float64, got one without; convert with to(DType::float32)");
}

}  // namespace

void check_computable(std::string_view op, std::span<const TensorType> inputs) {
  check_one_dtype(op, inputs);
  check_float64(op, inputs[0].dtype);
  if (is_computable(inputs[0].dtype)) return;
  fail<TypeError>(op, "float32 or float64, got ", to_string(inputs[0].dtype), "; convert with to(DType::float32)");
}

void check_numeric(std::string_view op, std::span<const TensorType> inputs) {
  check_one_dtype(op, inputs);
  check_float64(op, inputs[0].dtype);
  if (is_computable(inputs[0].dtype) || inputs[0].dtype == DType::int64) return;
  fail<TypeError>(op, "float32, float64 or int64, got ", to_string(inputs[0].dtype),
                  "; convert with to(DType::float32) or to(DType::int64)");
}

void check_arity(std::string_view op, std::span<const TensorType> inputs, std::size_t least, std::size_t most) {
  if (inputs.size() >= least && inputs.size() <= most) return;
  fail<ShapeError>(op, least, " to ", most, " inputs, got ", inputs.size());
}

std::size_t check_dim(std::string_view op, std::int64_t dim, const Shape& shape) {
  const std::int64_t rank = shape.empty() ? 1 : static_cast<std::int64_t>(shape.size());
  if (dim >= -rank && dim < rank) return static_cast<std::size_t>(dim < 0 ? dim + rank : dim);
  fail<IndexError>(op, "a dimension in [", -rank, ", ", rank, ") for input ", shape, ", got ", dim);
}

std::size_t check_real_dim(std::string_view op, std::int64_t dim, const Shape& shape) {
  if (shape.empty()) fail<ShapeError>(op, "an input of at least 1 dimension, got input []");
  return check_dim(op, dim, shape);
}

Shape check_result(std::string_view op, const Shape& shape) {
  try {
    numel(shape);
  } catch (const ShapeError&) {
    fail<ShapeError>(op, "a result of at most 2^", detail::kMaxNumelPower, " elements, got one of shape ", shape);
  }
  return shape;
}

void check_work(std::string_view op, std::initializer_list<std::int64_t> counts) {
  std::int64_t product = 1;
  for (const std::int64_t count : counts) {
    if (!__builtin_mul_overflow(product, std::max<std::int64_t>(1, count), &product) && product <= std::int64_t{1}
                                                                                                       << 60) {
      continue;
    }
    double work = 1;
    for (const std::int64_t factor : counts) work *= static_cast<double>(factor);
    fail<ShapeError>(op, "at most 2^60 multiplications, got ", work);
  }
}

void check_scalar(std::string_view op, double value, DType dtype) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (dtype != DType::int64 || (std::trunc(value) == value && value >= -kLimit && value < kLimit)) return;
  fail<TypeError>(op, "a whole number to go with int64, got ", value, "; convert the tensor with to(DType::float32)");
}

void check_pair(std::string_view op, std::string_view option, const Pair& value, std::int64_t least) {
  const auto fits = [least](std::int64_t size) { return size >= least && size < kMaxOption; };
  if (fits(value.height) && fits(value.width)) return;
  fail<ValueError>(op, option, " of at least ", least, " and below 2^31, got ", to_string(value));
}

void check_matches(std::string_view op, std::string_view name, const Shape& actual, const Shape& expected,
                   std::string_view owner, const Shape& owner_shape) {
  if (actual == expected) return;
  fail<ShapeError>(op, name, ' ', expected, " to match ", owner, ' ', owner_shape, ", got ", name, ' ', actual);
}

}  // namespace teff::ops
