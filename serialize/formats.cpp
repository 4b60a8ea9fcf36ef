// SPDX-License-Identifier: MIT
#include "teff/serialize/formats.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace teff::serialize {
namespace {

FileStart start_of(const ByteSource& source) {
  FileStart start;
  start.file_bytes = source.size();
  const std::uint64_t bytes = std::min<std::uint64_t>(start.bytes.size(), source.size());
  source.read(std::span(start.bytes).first(static_cast<std::size_t>(bytes)), 0);
  return start;
}

/// A zip since PyTorch 1.6, a chain of pickles before, a tar in the beginning.
bool is_pytorch(const FileStart& start) {
  return start.has(0, "PK\x03\x04") || start.has(0, "\x80\x02") || start.has(257, "ustar");
}

/// The length of a JSON header, and the header.
bool is_safetensors(const FileStart& start) {
  std::uint64_t length = 0;
  std::memcpy(&length, start.bytes.data(), sizeof length);
  return start.has(8, "{") && length >= 2 && length <= start.file_bytes - 8;
}

constexpr Format kTeff = {FileFormat::teff, ".teff", {".teff"}, nullptr};
// What asks for the most bytes comes first: a header of 640 bytes begins with the first two bytes of a pickle.
constexpr std::array kForeign = {
    Format{FileFormat::safetensors, "safetensors", {".safetensors"}, is_safetensors},
    Format{FileFormat::pytorch, "PyTorch", {".pt", ".pth"}, is_pytorch},
};

/// The foreign format for which the condition holds, else .teff.
template <class Condition>
const Format& find_format(Condition&& condition) {
  const auto found = std::find_if(kForeign.begin(), kForeign.end(), condition);
  return found == kForeign.end() ? kTeff : *found;
}

bool ends_with(const std::string& path, std::string_view extension) {
  const auto same = [](char a, char b) { return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b))); };
  return !extension.empty() && path.size() > extension.size() &&
         std::equal(extension.rbegin(), extension.rend(), path.rbegin(), same);
}

}  // namespace

bool FileStart::has(std::size_t place, std::string_view text) const {
  return place + text.size() <= std::min<std::uint64_t>(bytes.size(), file_bytes) &&
         std::memcmp(bytes.data() + place, text.data(), text.size()) == 0;
}

const Format& format_of(const ByteSource& source) {
  const FileStart start = start_of(source);
  return find_format([&](const Format& format) { return format.recognises(start); });
}

const Format& format_for(const std::string& path, FileFormat id) {
  return find_format([&](const Format& format) {
    if (id != FileFormat::by_name) return format.id == id;
    return std::any_of(format.extensions.begin(), format.extensions.end(),
                       [&](std::string_view extension) { return ends_with(path, extension); });
  });
}

}  // namespace teff::serialize

namespace teff {

std::string_view to_string(FileFormat format) {
  return format == FileFormat::by_name ? "by name" : serialize::format_for("", format).name;
}

}  // namespace teff
