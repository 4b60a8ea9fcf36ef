// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <system_error>

namespace teff::testing {

/// A new folder for the files of one test; it goes, with all that is in it, when the test ends.
class TempFolder {
 public:
  TempFolder() {
    std::random_device random;
    do {
      path_ = (std::filesystem::temp_directory_path() / ("teff_test_" + std::to_string(random()))).generic_string();
    } while (!std::filesystem::create_directory(path_));
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

/// The name of a file that does not exist yet, in a folder of its own.
class TempFile {
 public:
  explicit TempFile(const std::string& name = "test.teff") : path_(folder_ / name) {}
  const std::string& path() const { return path_; }
  operator const std::string&() const { return path_; }

 private:
  TempFolder folder_;
  std::string path_;
};

}  // namespace teff::testing
