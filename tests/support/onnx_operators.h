// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/onnx_test_case.h"

namespace teff::testing {

/// A variant of an operator that Teff's functions do not have.
struct NotCovered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// @throws NotCovered with what is missing unless covered.
void expect_covered(bool covered, const char* what);

/// What an operator of ONNX is in Teff's functions: its outputs, or the first of them.
using OnnxOperator = std::function<std::vector<Tensor>(const OnnxTestCase&)>;
using OnnxOperators = std::map<std::string, OnnxOperator>;

/// By op_type. Called, they throw NotCovered for some variants.
const OnnxOperators& onnx_operators();

/// Those on images and their norms, of onnx_image_operators.cpp.
void add_image_operators(OnnxOperators& operators);
/// Those that move, find and sort elements, of onnx_indexing_operators.cpp.
void add_indexing_operators(OnnxOperators& operators);

/// An operator of one result.
OnnxOperator one(std::function<Tensor(const OnnxTestCase&)> function);

Tensor input_or_none(const OnnxTestCase& c, std::size_t i);

/// The values of an input: axes, sizes.
std::vector<std::int64_t> numbers_of(const Tensor& input);

}  // namespace teff::testing
