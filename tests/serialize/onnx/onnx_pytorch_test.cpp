// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/onnx_published.h"

TEST_CASE("ONNX's tests of layers of PyTorch pass through load_model") {
  teff::testing::check_onnx_tests("pytorch-converted", 0, 1, 80);
}

TEST_CASE("ONNX's tests of networks of PyTorch pass through load_model") {
  teff::testing::check_onnx_tests("pytorch-operator", 0, 1, 35);
}
