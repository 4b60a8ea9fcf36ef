// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include <sys/wait.h>

#include <cstdlib>

#include "serialize/file_fixture.h"
#include "support/temp_file.h"

namespace teff::testing {
namespace {

/// The text as one word for the shell.
std::string word_of(const std::string& text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + '\'';
}

Output run(const std::string& before, const std::vector<std::string>& arguments, const std::string& folder) {
  const TempFolder temporary;
  const std::string out = temporary / "out", err = temporary / "err";
  std::string line = "cd " + word_of(folder) + " && " + before + word_of(TEFF_COMMAND);
  for (const std::string& argument : arguments) line += ' ' + word_of(argument);
  const int status = std::system((line + " >" + word_of(out) + " 2>" + word_of(err)).c_str());
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), read_file(out), read_file(err)};
}

}  // namespace

Output run_teff(const std::vector<std::string>& arguments, const std::string& folder) {
  return run("", arguments, folder);
}

Output pipe_to_teff(const std::string& file, const std::vector<std::string>& arguments, const std::string& folder) {
  return run("cat " + word_of(file) + " | ", arguments, folder);
}

}  // namespace teff::testing
