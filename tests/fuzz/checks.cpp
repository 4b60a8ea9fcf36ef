// SPDX-License-Identifier: MIT
#include "fuzz/checks.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "teff/engine/error.h"

namespace teff::fuzz {

void expect(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "finding: expected that %s\n", promise);
  std::abort();
}

void expect_refusal(std::string_view text) {
  expect(text.starts_with("load"), "a refusal begins with the name of the function");
  expect(std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
         "a refusal has no control characters");
}

void check_dict(std::span<const std::byte> bytes, const LoadOptions& options, FileFormat format) {
  Dict dict;
  try {
    dict = load(bytes, options);
  } catch (const FormatError& error) {
    return expect_refusal(error.what());
  }
  std::ostringstream saved, printed;
  printed << dict;
  try {
    save(dict, saved, {.format = format});
  } catch (const ValueError&) {
    return;
  }
  const std::string again = saved.str();
  expect(load(std::as_bytes(std::span(again))) == dict, "a dictionary that is saved again comes back equal");
}

}  // namespace teff::fuzz
