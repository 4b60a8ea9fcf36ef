// SPDX-License-Identifier: MIT
#pragma once

// Private: arguments of ATen's operators, as several of its tables read them.

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/scalar.h"
#include "teff/engine/sequence_ops.h"
#include "teff/serialize/operators/aten.h"

namespace teff::serialize {

using AtenNumbers = std::vector<std::int64_t>;

/// A list of whole numbers, for which one number may stand.
AtenNumbers aten_numbers(const OperatorCall& c, std::string_view name, AtenNumbers otherwise = {});
IntList aten_list(const OperatorCall& c, std::string_view name);
/// One for all dimensions, or one for each.
std::int64_t one_of(const AtenNumbers& values);
Pair pair_of(const AtenNumbers& values);
Triple triple_of(const AtenNumbers& values);

std::optional<std::int64_t> aten_integer(const OperatorCall& c, std::string_view name);
std::optional<double> aten_number(const OperatorCall& c, std::string_view name);
/// A number as a number beside tensors. @throws UnsupportedError for what is none.
Scalar aten_scalar(const Value& value);
std::optional<Scalar> aten_scalar(const OperatorCall& c, std::string_view name);
std::vector<Tensor> aten_tensors(const OperatorCall& c, std::string_view name);
/// The dtype of that name's number, if it is given.
std::optional<DType> aten_dtype_of(const OperatorCall& c, std::string_view name = "dtype");
/// Converted if it has another dtype.
Tensor aten_to(const Tensor& x, std::optional<DType> dtype);

/// Whether there is such an argument and it is a tensor.
bool is_tensor(const OperatorCall& c, std::string_view name);
/// Input i, of that name, as int64: indices.
Tensor aten_index(const OperatorCall& c, std::size_t i);

/// Input i, of that name, as a number beside the other one: where it is a number, or a tensor without dimensions that
/// is known and has no say in the result's dtype.
std::optional<Scalar> number_beside(const OperatorCall& c, std::string_view name, std::size_t i, const Tensor& other);
/// Both in the dtype that PyTorch computes in.
std::pair<Tensor, Tensor> promoted(const Tensor& a, const Tensor& b);

using OfTensors = Tensor (*)(const Tensor&, const Tensor&);
using OfNumber = Tensor (*)(const Tensor&, Scalar);
/// One of the functions, of self and other, which may be a number.
Tensor of_self_and_other(const OperatorCall& c, OfTensors of_tensors, OfNumber of_number);
template <OfTensors of_tensors, OfNumber of_number>
Tensor with_other(const OperatorCall& c) {
  return of_self_and_other(c, of_tensors, of_number);
}

/// One value everywhere: its sizes may follow those of the inputs.
Tensor aten_filled(const Shape& shape, double value, DType dtype);
/// 0, 1, ... as int64: the count may follow a size of the inputs.
Tensor aten_range(std::int64_t count);

}  // namespace teff::serialize
