// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/onnx_published.h"

TEST_CASE("ONNX's tests of operators pass through load_model, part 4 of 4") {
  teff::testing::check_onnx_tests("node", 3, 4, 194);
}
