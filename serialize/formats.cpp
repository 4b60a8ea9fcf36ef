// SPDX-License-Identifier: MIT
#include "teff/serialize/formats.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/teff_contents.h"
#include "teff/serialize/teff/teff_file.h"
#include "teff/serialize/torch/torch_file.h"

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

Dict load_teff(const ByteSource& source, const LoadOptions& options) {
  Dict dict;
  read_teff(source, FileKind::dict, options, [&](HeaderReader& archive) { archive(dict); });
  return dict;
}

std::unique_ptr<Contents> open_whole_teff(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  return open_teff(std::move(source), options);
}

std::unique_ptr<Contents> open_safetensors(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  std::unique_ptr<Contents> contents = loaded_contents(load_safetensors(*source, options));
  contents->metadata = safetensors_metadata(*source);
  return contents;
}

void save_teff(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  write_teff(sink, FileKind::dict, options.metadata, [&](HeaderWriter& archive) { archive(dict); });
}

constexpr Format kTeff = {FileFormat::teff, ".teff", {".teff"}, nullptr, load_teff, save_teff, open_whole_teff};
// What asks for the most bytes comes first: a header of 640 bytes begins with the first two bytes of a pickle.
constexpr std::array kForeign = {
    Format{FileFormat::safetensors,
           "safetensors",
           {".safetensors"},
           is_safetensors,
           load_safetensors,
           save_safetensors,
           open_safetensors},
    Format{FileFormat::pytorch, "PyTorch", {".pt", ".pth"}, is_pytorch, load_torch, save_torch},
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

std::unique_ptr<Contents> open_contents(const Format& format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options) {
  if (format.open != nullptr) return format.open(std::move(source), options);
  return loaded_contents(format.load(*source, options));
}

const Format& format_for(const std::string& path, FileFormat id) {
  return find_format([&](const Format& format) {
    if (id != FileFormat::by_name) return format.id == id;
    return std::any_of(format.extensions.begin(), format.extensions.end(),
                       [&](std::string_view extension) { return ends_with(path, extension); });
  });
}

}  // namespace teff::serialize
