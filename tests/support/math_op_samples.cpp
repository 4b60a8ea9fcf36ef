// SPDX-License-Identifier: MIT
#include "support/input_makers.h"
#include "support/op_samples.h"
#include "teff/engine/ops.h"

namespace teff::testing {
namespace {

InputMaker mask(const Shape& shape) {
  return {[shape](unsigned seed) { return gt(smooth(shape).make(seed), 0); }, false};
}

void add_math(std::vector<OpSample>& samples) {
  for (const char* op : {"sin", "cos", "atan", "sinh", "cosh", "asinh", "expm1", "exp2", "erf", "erfc"}) {
    samples.push_back({op, {}, {smooth({3, 7})}});
  }
  for (const char* op : {"log1p", "log2", "log10", "rsqrt"}) samples.push_back({op, {}, {positive({3, 7})}});
  for (const char* op : {"tan", "asin", "acos", "atanh", "erfinv"}) samples.push_back({op, {}, {probability({3, 7})}});
  samples.push_back({"acosh", {}, {{[](unsigned seed) { return positive({3, 7}).make(seed) + 1; }}}});
  for (const char* op : {"floor", "ceil", "round", "trunc", "frac", "sign"}) {
    samples.push_back({op, {}, {wide({3, 7})}});
  }
}

void add_math_pairs(std::vector<OpSample>& samples) {
  for (const char* op : {"atan2", "hypot", "logaddexp"}) {
    samples.push_back({op, {}, {away_from_zero({3, 5}), away_from_zero({3, 1})}});
  }
  samples.push_back({"xlogy", {}, {smooth({2, 1, 3}), positive({4, 1})}});
  const InputMaker divisor{[](unsigned seed) { return positive({5}).make(seed) + 20; }};  // no multiple in between
  for (const char* op : {"fmod", "remainder", "floor_divide"}) {
    samples.push_back({op, {}, {away_from_zero({3, 5}), divisor}});
    samples.push_back(
        {op, {}, {indices({3, 5}, 9), {[](unsigned) { return full({5}, 4, {.dtype = kInt64}); }, false}}});
  }
  for (const char* op : {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"}) {
    samples.push_back({op, {}, {indices({3, 5}, 9), indices({5}, 9)}});
  }
}

void add_choices(std::vector<OpSample>& samples) {
  samples.push_back({"where", {}, {mask({3, 5}), smooth({3, 5}), smooth({3, 5})}});
  samples.push_back({"where", {}, {mask({2, 1, 3}), smooth({4, 1}), smooth({})}});
}

void add_lines(std::vector<OpSample>& samples) {
  for (const char* op : {"cumsum", "cumprod"}) {
    samples.push_back({op, {{"dim", 1}}, {smooth({3, 5, 2})}});
    samples.push_back({op, {{"dim", -1}}, {smooth({3, 4})}});
  }
  samples.push_back({"prod", {{"dim", Value()}, {"keepdim", false}}, {smooth({2, 3})}});
  samples.push_back({"prod", {{"dim", 1}, {"keepdim", true}}, {smooth({3, 5, 2})}});
  samples.push_back({"median_with_indices", {{"dim", 1}, {"keepdim", false}}, {distinct({3, 5, 2})}});
  samples.push_back({"median_with_indices", {{"dim", -1}, {"keepdim", true}}, {distinct({3, 4})}});
}

}  // namespace

void add_math_op_samples(std::vector<OpSample>& samples) {
  add_math(samples);
  add_math_pairs(samples);
  add_choices(samples);
  add_lines(samples);
}

void add_large_math_op_samples(std::vector<OpSample>& samples) {
  samples.push_back({"sin", {}, {smooth({301, 401})}});
  samples.push_back({"atan2", {}, {smooth({301, 401}), smooth({401})}});
  samples.push_back({"where", {}, {mask({301, 401}), smooth({301, 401}), smooth({401})}});
  samples.push_back({"cumsum", {{"dim", 1}}, {smooth({301, 401})}});
  samples.push_back({"cumprod", {{"dim", 0}}, {smooth({301, 401})}});
  samples.push_back({"median_with_indices", {{"dim", 1}}, {smooth({301, 401})}});
}

}  // namespace teff::testing
