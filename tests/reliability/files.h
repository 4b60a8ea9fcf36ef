// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/temp_file.h"
#include "teff/teff.h"

namespace teff::reliability {

inline std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Files in a folder.
inline long count_files(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Two tensors that hold the same number throughout, in several writes: a torn file shows.
inline Dict version(double number, std::int64_t size = 100'000) {
  return {{"a", full({size}, number)}, {"number", number}, {"b", full({size}, number)}};
}

/// The number of a version, or -1 if it is not whole.
inline double number_of(const Dict& dict) {
  const double number = dict.at("number").as_float();
  return dict == version(number, dict.at("a").as_tensor().size(0)) ? number : -1;
}

}  // namespace teff::reliability
