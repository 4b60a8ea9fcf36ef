// SPDX-License-Identifier: MIT

// Loads every file of a folder, as a dictionary and as a model: run.sh looks at the system calls.
// Usage: teff_reliability_read FOLDER

#include <unistd.h>

#include <filesystem>

#include "teff/teff.h"

using namespace teff;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  set_num_threads(1);
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  static_cast<void>(::access("reliability-marker", F_OK));  // from here on
  for (const std::string& path : paths) {
    try {
      load(path);
    } catch (const Error&) {
    }
    try {
      load_model(path);
    } catch (const Error&) {
    }
  }
}
