// SPDX-License-Identifier: MIT
#include "teff/serialize/formats.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/serialize/strangers.h"

namespace teff::serialize {
namespace {

FileStart start_of(const ByteSource& source) {
  FileStart start;
  start.file_bytes = source.size();
  const std::uint64_t bytes = std::min<std::uint64_t>(start.bytes.size(), source.size());
  source.read(std::span(start.bytes).first(static_cast<std::size_t>(bytes)), 0);
  return start;
}

// The number that begins the first of the pickles of which files before PyTorch 1.6 consist, as bytes and as digits.
constexpr std::string_view kLegacyMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
constexpr std::string_view kLegacyDigits = "119547037146038801333356";

/// In the first 40 bytes: how far in depends on the pickle's protocol.
bool begins_with_about(const FileStart& start, std::string_view text) {
  for (std::size_t place = 0; place < 40; ++place) {
    if (start.has(place, text)) return true;
  }
  return false;
}

/// A zip since PyTorch 1.6, a chain of pickles before, a tar in the beginning.
bool is_pytorch(const FileStart& start) {
  if (start.has(0, "PK\x03\x04")) return true;
  if (begins_with_about(start, kLegacyMagic) || begins_with_about(start, kLegacyDigits)) return true;
  constexpr std::array<std::string_view, 4> kOldNames{"sys_info", "pickle", "tensors", "storages"};
  return start.has(257, "ustar") && std::any_of(kOldNames.begin(), kOldNames.end(), [&](std::string_view name) {
           return start.has(tar_name(start), std::string(name) + '\0');
         });
}

/// A zip whose first entry is an array.
bool is_npz(const FileStart& start) {
  std::uint16_t name_bytes = 0;
  std::memcpy(&name_bytes, start.bytes.data() + 26, sizeof name_bytes);
  return start.has(0, "PK\x03\x04") && name_bytes >= 4 && start.has(30u + name_bytes - 4u, ".npy");
}

bool is_npy(const FileStart& start) { return start.has(0, "\x93NUMPY"); }

/// Whatever claims to be one, also if it is damaged.
bool is_teff(const FileStart& start) {
  constexpr std::string_view kMagic("\x89TEFF\r\n\x1a\n\0", 10);
  std::size_t same = 0;
  for (std::size_t i = 0; i < kMagic.size(); ++i) same += start.has(i, kMagic.substr(i, 1)) ? 1 : 0;
  return same >= 7 || start.has(1, "TEFF") || (start.file_bytes < kMagic.size() && same == start.file_bytes);
}

/// The length of a JSON header, and the header.
bool is_safetensors(const FileStart& start) {
  std::uint64_t length = 0;
  std::memcpy(&length, start.bytes.data(), sizeof length);
  constexpr std::uint64_t kMaxLength = 100'000'000;
  const bool is_cut = start.has(8, "{\"") && length <= kMaxLength;  // such a header, but longer than the file
  return start.has(8, "{") && length >= 2 && (length <= start.file_bytes - 8 || is_cut);
}

/// A protocol buffer that begins with the version of its own format, and goes on with one of the fields that may
/// follow: the producer's name, its version, the domain, the model's version, a text, the graph, the operators.
bool is_onnx(const FileStart& start) {
  const auto byte = [&](std::size_t i) {
    return i < start.file_bytes ? static_cast<unsigned char>(start.bytes[i]) : 0u;
  };
  if (byte(0) != 0x08 || byte(1) == 0 || byte(1) > 30) return false;
  const unsigned field = byte(2);
  const bool is_saved_model = byte(1) == 1 && field == 0x12;  // of TensorFlow
  const bool is_core_ml = field == 0x12 && (byte(4) == 0x0a || byte(5) == 0x0a);
  if (is_saved_model || is_core_ml) return false;
  return field == 0x12 || field == 0x1a || field == 0x22 || field == 0x28 || field == 0x32 || field == 0x3a ||
         field == 0x42;
}

constexpr Format kTeff = {FileFormat::teff, ".teff", {".teff"}, is_teff};
// What asks for the most bytes comes first: a header of 640 bytes begins with the first two bytes of a pickle, and
// arrays in a zip are one of numpy.savez.
constexpr std::array kForeign = {
    Format{FileFormat::safetensors, "safetensors", {".safetensors"}, is_safetensors},
    Format{FileFormat::npz, ".npz", {".npz"}, is_npz},
    Format{FileFormat::npy, ".npy", {".npy"}, is_npy},
    Format{FileFormat::onnx, "ONNX", {".onnx"}, is_onnx},
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

std::size_t tar_name(const FileStart& start) {
  // Newer ones begin with a block of what the block of the name has no place for, and a header of that.
  const std::size_t header = start.has(0, "././@PaxHeader") ? 1024 : 0;
  return start.has(header, "./") ? header + 2 : header;
}

bool FileStart::has(std::size_t place, std::string_view text) const {
  return place + text.size() <= std::min<std::uint64_t>(bytes.size(), file_bytes) &&
         std::memcmp(bytes.data() + place, text.data(), text.size()) == 0;
}

const Format& format_of(const ByteSource& source) {
  const FileStart start = start_of(source);
  if (start.file_bytes == 0) throw FormatError("the file is empty");
  const Format& format = find_format([&](const Format& one) { return one.recognises(start); });
  if (!format.recognises(start)) refuse_stranger(name_stranger(start));
  return format;
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
