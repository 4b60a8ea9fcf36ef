// SPDX-License-Identifier: MIT

// ONNX's published tests of single operators, on those that Teff's functions have. Debian's package libonnx-testdata
// has them; the environment variable TEFF_ONNX_NODE_TESTS names another folder of theirs.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "support/onnx_operators.h"
#include "teff/engine/error.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::filesystem::path folder_of_tests() {
  const char* const named = std::getenv("TEFF_ONNX_NODE_TESTS");
  return named != nullptr ? named : "/usr/share/libonnx-testdata/data/node";
}

/// @throws NotCovered, or Error where Teff's results are not ONNX's.
void check(const OnnxOperator& run, const OnnxTestCase& test) {
  const std::vector<Tensor> results = run(test);
  REQUIRE_FALSE(results.empty());
  for (std::size_t i = 0; i < results.size(); ++i) assert_close(results[i], test.outputs.at(i), {1e-5, 1e-6, true});
}

}  // namespace

TEST_CASE("ONNX's tests of operators pass") {
  const std::filesystem::path folder = folder_of_tests();
  if (!std::filesystem::exists(folder)) {
    std::cout << "skipped: ONNX's tests of operators are not installed at " << folder << '\n';
    return;
  }
  std::vector<std::filesystem::path> tests;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) tests.push_back(entry.path());
  std::sort(tests.begin(), tests.end());
  int passed = 0;
  std::vector<std::string> not_covered;
  for (const std::filesystem::path& path : tests) {
    INFO(path.filename().string());
    const std::optional<OnnxNode> node = read_onnx_node(path);
    const auto known = node ? onnx_operators().find(node->op_type) : onnx_operators().end();
    if (known == onnx_operators().end()) continue;
    try {
      const std::optional<OnnxTestCase> test = read_onnx_test_case(path, *node);
      expect_covered(test.has_value(), "the dtype");
      check(known->second, *test);
      ++passed;
    } catch (const NotCovered& reason) {
      not_covered.push_back(path.filename().string() + " (" + reason.what() + ')');
    } catch (const TypeError& reason) {
      not_covered.push_back(path.filename().string() + " (" + reason.what() + ')');
    } catch (const Error& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
  for (const std::string& test : not_covered) MESSAGE("not covered: " << test);
  MESSAGE(passed << " tests passed, " << not_covered.size() << " were not covered");
  CHECK(passed >= 400);
}
