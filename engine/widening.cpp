// SPDX-License-Identifier: MIT
#include "teff/engine/widening.h"

#include <algorithm>

#include "teff/engine/convert.h"
#include "teff/engine/ops/checks.h"

namespace teff::detail {
namespace {

bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }

bool is_small_integer(DType dtype) {
  return dtype == DType::int32 || dtype == DType::int16 || dtype == DType::int8 || dtype == DType::uint8;
}

std::optional<DType> wide_dtype(Widening how, DType dtype) {
  if (is_half(dtype)) return DType::float32;
  if (how == Widening::floating) {
    const bool converted = is_small_integer(dtype) || dtype == DType::int64 || dtype == DType::bool_;
    return converted ? std::optional(DType::float32) : std::nullopt;
  }
  const bool takes_integers = how == Widening::integers || how == Widening::bools;
  const bool converted =
      (takes_integers && is_small_integer(dtype)) || (how == Widening::bools && dtype == DType::bool_);
  return converted ? std::optional(DType::int64) : std::nullopt;
}

/// Beside half precision there may be indices.
void check_one_dtype(std::string_view op, Widening how, std::span<const TensorType> inputs) {
  TensorTypes types(inputs.begin(), inputs.end());
  if (how == Widening::half) {
    std::erase_if(types, [](const TensorType& type) { return !is_floating_point(type.dtype); });
  }
  ops::check_one_dtype(op, types);
}

}  // namespace

std::optional<Conversion> conversion_for(const Op& op, std::span<const TensorType> inputs) {
  const auto is_common = [](const TensorType& type) { return is_computable(type.dtype); };
  if (std::all_of(inputs.begin(), inputs.end(), is_common)) return std::nullopt;
  const Widening how = op.widening();
  if (how == Widening::none) return std::nullopt;
  for (const TensorType& input : inputs) {
    const std::optional<DType> wide = wide_dtype(how, input.dtype);
    if (!wide) continue;
    check_one_dtype(op.name(), how, inputs);
    return Conversion{input.dtype, *wide, how};
  }
  return std::nullopt;
}

TensorType Conversion::back(const TensorType& type, std::size_t i) const {
  if (type.dtype != wide || (how == Widening::floating && !is_half(narrow)) || (wide == DType::int64 && i > 0)) {
    return type;
  }
  return {type.shape, narrow};
}

TensorTypes widened(std::span<const TensorType> types, const Conversion& conversion) {
  TensorTypes result(types.begin(), types.end());
  for (TensorType& type : result) {
    if (type.dtype == conversion.narrow) type.dtype = conversion.wide;
  }
  return result;
}

TensorList widened(std::span<const Tensor> inputs, const Conversion& conversion) {
  TensorList result;
  result.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    if (input.dtype() != conversion.narrow) {
      result.push_back(input);
      continue;
    }
    Tensor wide = make_tensor({input.shape(), conversion.wide});
    convert_elements(input.raw_data(), input.dtype(), wide.raw_data(), wide.dtype(), input.numel());
    result.push_back(std::move(wide));
  }
  return result;
}

void narrow_into(const Tensor& wide, const Tensor& result) {
  if (wide.dtype() != DType::int64) {
    convert_elements(wide.raw_data(), wide.dtype(), result.raw_data(), result.dtype(), wide.numel());
    return;
  }
  const auto from = wide.span<std::int64_t>();
  visit_dtype(result.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {  // to bool: != 0; to others modulo 2^bits
      std::transform(from.begin(), from.end(), result.data<T>(), [](std::int64_t x) { return static_cast<T>(x); });
    }
  });
}

TensorType output_type(const Op& op, std::span<const TensorType> inputs) {
  const std::optional<Conversion> conversion = conversion_for(op, inputs);
  if (!conversion) return op.output_type(inputs);
  return conversion->back(op.output_type(widened(inputs, *conversion)), 0);
}

}  // namespace teff::detail
