// SPDX-License-Identifier: MIT
#pragma once

// ONNX's published tests, through load_model. Debian's package libonnx-testdata has them; the environment variable
// TEFF_ONNX_TESTS names another folder of theirs.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace teff::testing {

struct OnnxOutcome {
  enum class Kind { passed, refused, wrong };
  Kind kind = Kind::passed;
  bool is_bound = false;  // inputs that say sizes were given as initialisers
  std::string reason;     // of what did not pass
};

/// Loads the model of the folder and compares what it gives with the results there.
OnnxOutcome try_onnx_test(const std::filesystem::path& folder);

/// Those of every `count`-th folder of a kind ("node"), from `first` on, in their order. Empty if none are installed.
std::vector<std::filesystem::path> onnx_test_folders(const std::string& kind, std::size_t first, std::size_t count);

/// Checks that at least `floor` of them pass, that none gives another result, and lists those that are refused by their
/// reasons.
void check_onnx_tests(const std::string& kind, std::size_t first, std::size_t count, int floor);

}  // namespace teff::testing
