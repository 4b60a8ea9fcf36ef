// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/onnx_published.h"

TEST_CASE("ONNX's tests of operators pass through load_model, part 1 of 4") {
  teff::testing::check_onnx_tests("node", 0, 4, 194);
}
