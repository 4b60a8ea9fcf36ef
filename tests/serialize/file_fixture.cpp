// SPDX-License-Identifier: MIT
#include "serialize/file_fixture.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "support/temp_file.h"
#include "teff/serialize/io/checksum.h"

namespace teff::testing {
namespace {

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

constexpr std::string_view kMagic("\x89TEFF\r\n\x1a\n\0", 10);

template <class Load>
std::string refusal_by(std::string_view bytes, Load&& load_file) {
  static const TempFile file("x.teff");
  write_file(file, bytes);
  const auto about_file = [](std::string text) {
    const std::size_t place = text.find(file.path());
    CHECK(place != std::string::npos);
    return text.replace(place, file.path().size(), "x.teff");
  };
  try {
    load_file(file.path());
  } catch (const FormatError& error) {
    return about_file(error.what());
  } catch (const ResourceError& error) {
    return "too much: " + about_file(error.what());
  }
  return "loaded";
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  // Not truncated first: some file systems flush a file that was emptied and written again.
  constexpr auto kMode = std::ios::in | std::ios::out | std::ios::binary;
  if (!std::filesystem::exists(path)) std::ofstream(path, std::ios::binary);
  std::fstream stream(path, kMode);
  REQUIRE(stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush());
  std::filesystem::resize_file(path, bytes.size());
}

std::uint64_t xxh3(std::string_view bytes) { return serialize::checksum(std::as_bytes(std::span(bytes))); }

std::string xxh3_text(std::string_view bytes) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(xxh3(bytes)));
  return digits.data();
}

std::string word(std::uint64_t value) { return little_endian(value); }

std::uint64_t word_at(std::string_view bytes, std::size_t place) {
  std::uint64_t value = 0;
  REQUIRE(place + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

std::string header_of(std::initializer_list<Part> parts) {
  std::string header;
  for (const Part& part : parts) header += part.bytes;
  return header;
}

std::string file_of(std::string_view header, std::string_view data, const PreambleFields& fields) {
  std::string file(kMagic);
  file += little_endian(fields.version) + little_endian(fields.kind) + word(fields.features) + word(header.size());
  file += word(0) + word(0) + word(fields.reserved) + word(0);
  file += header;
  if (!data.empty()) file.resize((file.size() + 63) / 64 * 64);
  file += data;
  return repaired(file);
}

std::string repaired(std::string file) {
  const std::size_t header_bytes = word_at(file, 24);
  file.replace(32, 8, word(file.size()));
  file.replace(40, 8, word(xxh3(std::string_view(file).substr(64, header_bytes))));
  file.replace(56, 8, word(xxh3(std::string_view(file).substr(0, 56))));
  return file;
}

std::string refusal(std::string_view bytes) {
  return refusal_by(bytes, [](const std::string& path) { load(path); });
}

std::string model_refusal(std::string_view bytes) {
  return refusal_by(bytes, [](const std::string& path) { load_model(path); });
}

bool same(const Dict& a, const Dict& b) {
  return a == b && std::equal(a.begin(), a.end(), b.begin(), b.end(),
                              [](const DictItem& x, const DictItem& y) { return x.key == y.key; });
}

Dict round_trip(const Dict& dict, const LoadOptions& options) {
  const TempFile file;
  save(dict, file, {.durable = false});
  return load(file, options);
}

std::string saved(const Dict& dict, const SaveOptions& options) {
  const TempFile file;
  save(dict, file, options);
  return read_file(file);
}

}  // namespace teff::testing
