// SPDX-License-Identifier: MIT
#pragma once

// Runs the command that was built.

#include <string>
#include <vector>

namespace teff::testing {

struct Output {
  int code = 0;
  std::string out;
  std::string err;
};

/// `teff` with the arguments, in the folder.
Output run_teff(const std::vector<std::string>& arguments, const std::string& folder = ".");
/// The same with a file as the standard input, through a pipe.
Output pipe_to_teff(const std::string& file, const std::vector<std::string>& arguments, const std::string& folder);

}  // namespace teff::testing
