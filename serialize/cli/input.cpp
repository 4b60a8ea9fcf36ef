// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/input.h"

#include <iostream>
#include <iterator>
#include <span>

#include <teff/engine/error.h>

namespace teff::cli {
namespace {

std::span<const std::byte> standard_input() {
  static const std::string bytes(std::istreambuf_iterator<char>(std::cin), {});
  if (std::cin.bad()) throw IoError("the standard input cannot be read");
  return std::as_bytes(std::span(bytes));
}

}  // namespace

File open_file(const std::string& path, const LoadOptions& options) {
  return path == "-" ? File(standard_input(), options) : File(path, options);
}

nn::GraphModule open_model(const std::string& path, const LoadOptions& options) {
  return path == "-" ? load_model(standard_input(), options) : load_model(path, options);
}

}  // namespace teff::cli
