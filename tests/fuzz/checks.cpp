// SPDX-License-Identifier: MIT
#include "fuzz/checks.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "teff/engine/error.h"
#include "teff/serialize/file.h"

namespace teff::fuzz {

void expect(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "finding: expected that %s\n", promise);
  std::abort();
}

void expect_refusal(std::string_view text) {
  expect(text.starts_with("load"), "a refusal begins with the name of the function");
  expect(
      std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
      "a refusal has no control characters");
}

namespace {

constexpr std::size_t kMaxEntries = 50;

void read_entries(const File& file) {
  try {
    const std::vector<FileEntry> entries = file.entries();
    for (const FileEntry& entry : std::span(entries).first(std::min(kMaxEntries, entries.size()))) {
      expect(file.read(entry.path).is_tensor(), "an entry is a tensor");
    }
  } catch (const FormatError&) {  // damaged, or paths too long to list
  }
}

}  // namespace

void check_file(std::span<const std::byte> bytes, bool is_loaded) {
  bool is_whole = false, is_model = false;
  try {
    const File file(bytes);
    is_model = file.model() != nullptr;
    read_entries(file);
    is_whole = file.verify().empty() && file.unsupported().empty();
    static_cast<void>(file.metadata());
    std::ostringstream printed;
    for (const FileModule& module : file.modules()) printed << module.summary;
  } catch (const FormatError&) {
  }
  expect(is_whole || !is_loaded, "a file that is loaded is found whole");
  expect(is_loaded || !is_whole || is_model, "a file that is refused is not found whole");
}

void check_dict(std::span<const std::byte> bytes, const LoadOptions& options, FileFormat format) {
  Dict dict;
  try {
    dict = load(bytes, options);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
    if (!options.inert_objects) check_file(bytes, false);
    return;
  }
  if (!options.inert_objects) check_file(bytes, true);
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
