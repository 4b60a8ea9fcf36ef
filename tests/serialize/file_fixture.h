// SPDX-License-Identifier: MIT
#pragma once

// A small language for tests of files: bytes of files, files put together by hand as FORMAT.md says, and
// errors.

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "support/error_of.h"
#include "teff/engine/error.h"
#include "teff/serialize/save_load.h"

namespace teff::testing {

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);

std::uint64_t xxh3(std::string_view bytes);
/// As error messages print it.
std::string xxh3_text(std::string_view bytes);

/// 8 bytes, little-endian.
std::string word(std::uint64_t value);
std::uint64_t word_at(std::string_view bytes, std::size_t place);

/// A part of a header: numbers are words, texts a word with their length and themselves.
struct Part {
  template <std::integral T>
  Part(T number) : bytes(word(static_cast<std::uint64_t>(number))) {}
  Part(const std::string& text) : bytes(word(text.size()) + text) {}
  Part(const char* text) : Part(std::string(text)) {}
  std::string bytes;
};

std::string header_of(std::initializer_list<Part> parts);

struct PreambleFields {
  std::uint16_t version = 1;
  std::uint32_t kind = 1;
  std::uint64_t features = 0;
  std::uint64_t reserved = 0;
};

/// A file with right checksums and lengths: preamble, header, and the data from the next multiple of 64 on.
std::string file_of(std::string_view header, std::string_view data = {}, const PreambleFields& fields = {});

/// The file with the lengths and checksums of preamble and header (but not of tensors) made right.
std::string repaired(std::string file);

/// What a file of these bytes is refused with; "loaded" if it is not.
std::string refusal(std::string_view bytes);
std::string model_refusal(std::string_view bytes);

/// Whether both have the same keys in the same order, with equal values.
bool same(const Dict& a, const Dict& b);

/// The dict, saved and loaded again.
Dict round_trip(const Dict& dict, const LoadOptions& options = {});

/// The file that a dict is saved to.
std::string saved(const Dict& dict, const SaveOptions& options = {.durable = false});

}  // namespace teff::testing
