// SPDX-License-Identifier: MIT
#pragma once

// The networks of make_nn_golden.py, and what the tests of nn/ share.

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "examples/models/net.h"
#include "support/error_of.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"

namespace teff::nn_testing {

using ::Net;
using testing::error_of;

/// Parameters declared after children, a buffer before them.
struct Small : nn::Module {
  nn::Conv2d conv{1, 2, 3, {.bias = false}};
  nn::BatchNorm2d bn{2};
  nn::Buffer offset{zeros({1})};
  nn::Parameter scale{ones({2})};
  TEFF_MODULE(Small, conv, bn, offset, scale)

  Tensor forward(const Tensor& x) override { return bn(conv(x)).mean({2, 3}) * scale + offset; }
};

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

inline std::vector<std::string> keys_of(const Dict& dict) {
  std::vector<std::string> keys;
  for (const DictItem& item : dict) keys.push_back(item.key);
  return keys;
}

inline void check_values(const Tensor& actual, const std::vector<double>& expected, double tolerance = 1e-6) {
  REQUIRE(actual.numel() == static_cast<std::int64_t>(expected.size()));
  const Tensor values = actual.detach().to(DType::float64);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(values.data<double>()[i] == doctest::Approx(expected[i]).epsilon(tolerance));
  }
}

inline bool same_bits(const Tensor& a, const Tensor& b) { return Value(a) == Value(b); }

/// A copy of the values, not the handles.
inline Dict snapshot(const Dict& dict) {
  Dict copy;
  for (const auto& [key, value] : dict) copy.insert(key, value.as_tensor().clone());
  return copy;
}

}  // namespace teff::nn_testing
