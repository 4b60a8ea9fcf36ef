// SPDX-License-Identifier: MIT
#include "teff/serialize/save_load.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <cstring>
#include <typeinfo>

#include "teff/engine/error.h"
#include "teff/serialize/dict_codec.h"
#include "teff/serialize/model_file.h"
#include "teff/serialize/teff_file.h"

namespace teff {
namespace {

using file::FileKind;
using file::FileReader;

/// Adds which function and which file an error is about. What is not a question of the system is thrown as
/// Otherwise.
template <class Otherwise, class Function>
auto about(const char* function, const std::string& path, Function&& body) {
  const auto text = [&](const Error& error) {
    return std::string(function) + ": " + file::escaped(path, PATH_MAX) + ": " + error.what();
  };
  try {
    return body();
  } catch (const IoError& error) {
    throw IoError(text(error));
  } catch (const Error& error) {
    throw Otherwise(text(error));
  }
}

/// The beginning of a file, by which its format is known.
struct Start {
  std::array<std::byte, 512> bytes{};
  std::uint64_t file_bytes = 0;

  bool has(std::size_t place, std::string_view text) const {
    return place + text.size() <= std::min<std::uint64_t>(bytes.size(), file_bytes) &&
           std::memcmp(bytes.data() + place, text.data(), text.size()) == 0;
  }
};

Start start_of(const FileReader& reader) {
  Start start;
  start.file_bytes = reader.size();
  const std::uint64_t bytes = std::min<std::uint64_t>(start.bytes.size(), reader.size());
  reader.read(std::span(start.bytes).first(static_cast<std::size_t>(bytes)), 0);
  return start;
}

/// A zip since PyTorch 1.6, a chain of pickles before, a tar in the beginning.
bool is_pytorch(const Start& start) {
  return start.has(0, "PK\x03\x04") || start.has(0, "\x80\x02") || start.has(257, "ustar");
}

/// The length of a JSON header, and the header.
bool is_safetensors(const Start& start) {
  std::uint64_t length = 0;
  std::memcpy(&length, start.bytes.data(), sizeof length);
  return start.has(8, "{") && length >= 2 && length <= start.file_bytes - 8;
}

Dict load_teff(const FileReader& reader, const LoadOptions& options) {
  Dict dict;
  file::read_teff(reader, FileKind::dict, options, [&](file::HeaderReader& archive) { archive(dict); });
  return dict;
}

void save_teff(const Dict& dict, const std::string& path, const SaveOptions& options) {
  file::write_teff(path, FileKind::dict, options, [&](file::HeaderWriter& archive) { archive(dict); });
}

/// A format of dictionaries. To add one, write its two functions and give it a line below.
struct Format {
  std::string_view name;
  std::array<std::string_view, 2> extensions;
  bool (*recognises)(const Start&);
  Dict (*load)(const FileReader&, const LoadOptions&);  // null: not in this version
  void (*save)(const Dict&, const std::string& path, const SaveOptions&);
};

constexpr Format kTeff = {".teff", {".teff"}, nullptr, load_teff, save_teff};
constexpr std::array kForeign = {
    Format{"PyTorch", {".pt", ".pth"}, is_pytorch, nullptr, nullptr},
    Format{"safetensors", {".safetensors"}, is_safetensors, nullptr, nullptr},
};

/// By the content, whatever the file is called.
const Format& format_of(const FileReader& reader) {
  const Start start = start_of(reader);
  const auto found = std::find_if(kForeign.begin(), kForeign.end(),
                                  [&](const Format& format) { return format.recognises(start); });
  return found == kForeign.end() ? kTeff : *found;
}

/// By the extension, in any case; .teff for all that is not known.
const Format& format_for(const std::string& path) {
  const auto ends_with = [&](std::string_view extension) {
    return !extension.empty() && path.size() > extension.size() &&
           std::equal(extension.rbegin(), extension.rend(), path.rbegin(), [](char a, char b) {
             return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
           });
  };
  for (const Format& format : kForeign) {
    if (std::any_of(format.extensions.begin(), format.extensions.end(), ends_with)) return format;
  }
  return kTeff;
}

[[noreturn]] void refuse_to_read(const Format& format) {
  throw FormatError("expected a .teff file, got a file in the format of " + std::string(format.name) +
                    ", which this version of Teff does not read");
}

[[noreturn]] void refuse_to_write(const Format& format) {
  throw ValueError("expected another extension: this one is of the format of " + std::string(format.name) +
                   ", and this version of Teff writes .teff only");
}

}  // namespace

void save(const Dict& dict, const std::string& path, const SaveOptions& options) {
  about<ValueError>("save", path, [&] {
    const Format& format = format_for(path);
    if (format.save == nullptr) refuse_to_write(format);
    format.save(dict, path, options);
  });
}

Dict load(const std::string& path, const LoadOptions& options) {
  return about<FormatError>("load", path, [&] {
    const FileReader reader(path);
    const Format& format = format_of(reader);
    if (format.load == nullptr) refuse_to_read(format);
    return format.load(reader, options);
  });
}

void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options) {
  about<ValueError>("save_model", path, [&] {
    if (const Format& format = format_for(path); &format != &kTeff) refuse_to_write(format);
  });
  // A GraphModule is a record already: writing that down keeps the file that it came from.
  const bool is_record = typeid(module) == typeid(nn::GraphModule);
  const nn::GraphModule captured =
      is_record ? static_cast<const nn::GraphModule&>(module) : nn::capture(module, inputs);
  const file::ModelContent content{captured.data(), file::make_self_test(captured, inputs)};
  about<ValueError>("save_model", path, [&] {
    file::write_teff(path, FileKind::model, options, [&](file::HeaderWriter& archive) { archive(content); });
  });
}

nn::GraphModule load_model(const std::string& path, const LoadOptions& options) {
  return about<FormatError>("load_model", path, [&] {
    const FileReader reader(path);
    if (const Format& format = format_of(reader); &format != &kTeff) refuse_to_read(format);
    file::ModelContent content;
    file::read_teff(reader, FileKind::model, options, [&](file::HeaderReader& archive) { archive(content); });
    return nn::GraphModule(std::move(content.module));
  });
}

}  // namespace teff
