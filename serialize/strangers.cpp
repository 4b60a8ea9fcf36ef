// SPDX-License-Identifier: MIT
#include "teff/serialize/strangers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kShownFiles = 4;
constexpr std::size_t kShownText = 60;

struct Magic {
  std::size_t place;
  std::string_view bytes;
  std::string_view name;
};

// The longer first where one begins with the other.
constexpr std::array kMagics = {
    Magic{0, "version https://git-lfs.github.com/spec/"sv,
          "a Git LFS pointer, which stands for the file: run git lfs pull to get the file itself"sv},
    Magic{0, "\x1f\x8b"sv, "a file compressed with gzip: unpack it with gunzip"sv},
    Magic{0, "BZh"sv, "a file compressed with bzip2: unpack it with bunzip2"sv},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          "a file compressed with xz: unpack it with unxz"sv},
    Magic{0, "\x5d\0\0"sv, "a file compressed with lzma: unpack it with unlzma"sv},
    Magic{0, "\x28\xb5\x2f\xfd"sv, "a file compressed with zstd: unpack it with unzstd"sv},
    Magic{0, "\x04\x22\x4d\x18"sv, "a file compressed with lz4: unpack it with unlz4"sv},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, "an archive of 7-Zip: unpack it with 7z x"sv},
    Magic{0, "Rar!\x1a\x07"sv, "a RAR archive: unpack it"sv},
    Magic{0, "\x89HDF\r\n\x1a\n"sv,
          "an HDF5 file, as Keras writes them (.h5): load it there and save the weights as .npz or .safetensors"sv},
    Magic{0, "GGUF"sv,
          "a GGUF model of llama.cpp, for which there is no conversion here: look for the .safetensors "
          "files that it was made from"sv},
    Magic{0, "lmgg"sv, "a GGML model: look for the PyTorch or .safetensors files that it was made from"sv},
    Magic{0, "fmgg"sv, "a GGML model: look for the PyTorch or .safetensors files that it was made from"sv},
    Magic{0, "tjgg"sv, "a GGML model: look for the PyTorch or .safetensors files that it was made from"sv},
    Magic{0, "algg"sv, "a GGML adapter: look for the PyTorch or .safetensors files that it was made from"sv},
    Magic{4, "TFL3"sv, "a TensorFlow Lite model: save the weights of the model that it was made from as .npz"sv},
    Magic{0, "\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"sv,
          "a file of Torch 7 (.t7), for Lua: load it there and save its tensors one by one"sv},
    Magic{0, "\x03\0\0\0\x01\0\0\0"sv,
          "a file of Torch 7 (.t7), for Lua: load it there and save its tensors one by one"sv},
    Magic{0, "4\n1\n3\nV 1"sv,
          "a text file of Torch 7 (.t7), for Lua: load it there and save its tensors one by one"sv},
    Magic{0, "7767517\n"sv, "a network of ncnn (.param): it holds no weights"sv},
    Magic{0, "\xdd\x85\x76\0"sv, "a network of ncnn (.param.bin): it holds no weights"sv},
    Magic{0, "\x47\x6b\x30\x01"sv, "weights of ncnn (.bin), which have no names: save them where they come from"sv},
    Magic{0, "\x38\x4b\x0d\0"sv, "weights of ncnn (.bin), which have no names: save them where they come from"sv},
    Magic{0, "\x56\xc0\x02\0"sv, "weights of ncnn (.bin), which have no names: save them where they come from"sv},
    Magic{0, "\0\0\0\0\x02\0\0\0\x05\0\0\0"sv,
          "weights of Darknet, which have no names: convert them to PyTorch first"sv},
    Magic{0, "\0\0\0\0\x01\0\0\0\0\0\0\0"sv,
          "weights of Darknet, which have no names: convert them to PyTorch first"sv},
    Magic{0, "\x12\x01\0\0\0\0\0\0"sv, "parameters of MXNet: load them there and save them as .npz"sv},
    Magic{0, "MATLAB 5.0 MAT-file"sv, "a file of MATLAB (.mat): load it with scipy.io.loadmat and save .npz"sv},
    Magic{0, "SQLite format 3"sv, "a database of SQLite"sv},
    Magic{0, "\xff\xd8\xff"sv, "a JPEG image"sv},
    Magic{0, "\x89PNG\r\n\x1a\n"sv, "a PNG image"sv},
    Magic{0, "GIF8"sv, "a GIF image"sv},
    Magic{8, "WEBP"sv, "a WebP image"sv},
    Magic{8, "WAVE"sv, "a WAV sound"sv},
    Magic{4, "ftyp"sv, "an MP4 video"sv},
    Magic{0, "%PDF-"sv, "a PDF document"sv},
    Magic{0,
          "\x7f"
          "ELF"sv,
          "an ELF program or library"sv},
    Magic{0, "MZ"sv, "a program or library of Windows"sv},
    Magic{0, "ARROW1"sv, "a file of Apache Arrow"sv},
    Magic{0, "PAR1"sv, "a Parquet file"sv},
    Magic{0, "PK\x05\x06"sv, "an empty zip file"sv},
    Magic{0, "\xff\xfe"sv, "a text file in UTF-16"sv},
    Magic{0, "\xfe\xff"sv, "a text file in UTF-16"sv},
};

std::string_view text_of(const FileStart& start) {
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(start.bytes.size(), start.file_bytes));
  return {reinterpret_cast<const char*>(start.bytes.data()), bytes};
}

/// In lower case, without a mark of the byte order and white space in front.
std::string plain(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

/// Whether the text, whose last character may be cut, is UTF-8 of printable characters.
bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = character_bytes(text.substr(i));
    if (bytes == 0) return text.size() - i < 4 && i > 0 && text.size() == FileStart{}.bytes.size();
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && std::isspace(byte) == 0) return false;
    i += bytes;
  }
  return !text.empty();
}

/// Pickles of protocol 2 and later say so; older ones begin with a container, a class or a long text.
bool is_pickle(std::string_view text) {
  if (text.size() >= 2 && text[0] == '\x80' && text[1] >= '\x02' && text[1] <= '\x05') return true;
  if (starts_with_any(text, {"(dp", "(lp", "(ip", "}q", "]q", "(tp"})) return true;
  // c<module>\n<name>\n
  const std::size_t end = text.find('\n');
  return text.starts_with('c') && end < 60 && text.find('\n', end + 1) < 120 &&
         std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; });
}

/// Messages of protocol buffers begin with a field's number and type, and its value.
std::optional<std::string_view> name_protobuf(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  // GraphDef: nodes, which begin with their names.
  if (byte(0) == 0x0a && (byte(2) == 0x0a || (byte(1) >= 0x80 && byte(3) == 0x0a)) &&
      text.find("\x12\x05"
                "Const"sv) != text.npos) {
    return "a graph of TensorFlow (.pb): save the weights of its variables as .npz";
  }
  if (byte(0) == 0x0a && (text.find("Placeholder"sv) != text.npos)) {
    return "a graph of TensorFlow (.pb): save the weights of its variables as .npz";
  }
  // NetParameter: its name, and a layer.
  if (byte(0) == 0x0a && byte(1) < 0x80) {
    const std::string_view layer = text.substr(std::min<std::size_t>(text.size(), 2u + byte(1)));
    if (layer.starts_with("\xa2\x06"sv) || layer.starts_with("\x12\x09\x0a"sv)) return "a model of Caffe (.caffemodel)";
  }
  if (byte(0) != 0x08 || byte(1) == 0 || byte(1) > 30) return {};
  const unsigned field = byte(2);
  if (byte(1) == 1 && field == 0x12) return "a SavedModel of TensorFlow: save the weights of its variables as .npz";
  if (field == 0x12 && (byte(4) == 0x0a || byte(5) == 0x0a)) return "a Core ML model";
  return {};
}

std::string name_text(std::string_view text, const std::string& lower) {
  const bool is_markup = lower.starts_with('<');
  if (is_markup && (starts_with_any(lower, {"<!doctype", "<head", "<body", "<!--"}) ||
                    lower.find("<html") != lower.npos || lower.find("<!doctype html") != lower.npos)) {
    return "an HTML page, as servers send instead of a file: download the file itself";
  }
  if (lower.starts_with("<?xml")) return "an XML file, as servers send instead of a file: download the file itself";
  if (lower.starts_with("version https://hawser")) return std::string(kMagics[0].name);
  const std::size_t second = lower.find_first_not_of(" \t\r\n", 1);
  const char next = second == lower.npos ? ' ' : lower[second];
  const bool is_list =
      lower.starts_with('[') && std::string_view("{[\"-0123456789]").find(next) != std::string_view::npos;
  if ((lower.starts_with('{') && (next == '"' || next == '}')) || is_list) {
    if (lower.find("weight_map") != lower.npos) {
      return "the index (JSON) of a model in several files: load each of the .safetensors or .bin files that it names";
    }
    return "a JSON file, which holds no tensors";
  }
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return "a text file that begins with \"" + escaped(line, kShownText) + '"';
}

std::string hex_of(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    if (!text.empty()) text += ' ';
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

bool has(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "a.pth, b.pth and 3 other files"
std::string list(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShownFiles); ++i) {
    text += (i == 0 ? "" : ", ") + escaped(names[i], kShownText);
  }
  const std::size_t more = names.size() - std::min(names.size(), kShownFiles);
  return more == 0 ? text : text + " and " + std::to_string(more) + (more == 1 ? " other file" : " other files");
}

bool is_loadable(std::string_view name) {
  for (const std::string_view end :
       {".pth"sv, ".pt"sv, ".ckpt"sv, ".bin"sv, ".safetensors"sv, ".npz"sv, ".npy"sv, ".teff"sv}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

}  // namespace

std::string name_stranger(const FileStart& start) {
  const std::string_view text = text_of(start);
  for (const Magic& magic : kMagics) {
    if (start.has(magic.place, magic.bytes)) return std::string(magic.name);
  }
  if (start.has(257, "ustar")) {
    const std::string_view name = text.substr(std::min(text.size(), tar_name(start)));
    const std::string_view first = name.substr(0, name.find('\0'));
    return "a tar archive" +
           (first.empty() || first.size() > 100 ? "" : ", whose first file is " + escaped(first, 100)) +
           ": unpack it with tar xf";
  }
  if (is_pickle(text)) {
    return "a pickle that torch.save did not write, of which nothing was run: load it in Python and save its tensors "
           "with torch.save, or its arrays with numpy.savez";
  }
  if (const auto name = name_protobuf(text)) return std::string(*name);
  if (is_text(text)) return name_text(text, plain(text));
  if (text.find_first_not_of('\0') == text.npos) {
    return "zeros: a download that was not completed, or a damaged disk";
  }
  return "one whose first bytes are " + hex_of(text.substr(0, 8));
}

std::string name_zip(const std::vector<std::string_view>& all) {
  std::vector<std::string_view> names, loadable;
  for (const std::string_view name : all) {
    if (name.ends_with('/') || name.starts_with("__MACOSX/")) continue;
    names.push_back(name);
    if (is_loadable(name)) loadable.push_back(name);
  }
  const std::string held = loadable.empty() ? "" : ": unpack it and load " + list(loadable);
  const bool is_exported = std::any_of(names.begin(), names.end(), [](std::string_view name) {
    return name.ends_with("serialized_exported_program.json") || name.ends_with("/archive_format");
  });
  if (is_exported) {
    return "a program of torch.export (.pt2) that was packed again within another folder: unpack it, and pack the "
           "folder itself with zip -0 -r";
  }
  if (has(names, "MAR-INF/MANIFEST.json")) return "a model archive of TorchServe (.mar)" + held;
  if (has(names, "model.weights.h5") || has(names, "config.json")) {
    if (has(names, "metadata.json")) {
      return "a model of Keras (.keras): load it there and save the weights as .npz or .safetensors";
    }
  }
  if (has(names, "data.pkl")) {
    return "a zip of torch.save that was packed again without its folder: unpack it into a folder, and pack that "
           "folder with zip -0 -r";
  }
  if (std::any_of(names.begin(), names.end(), [](std::string_view name) { return name.ends_with("/data.pkl"); })) {
    return "a zip of torch.save that was packed again within another folder: unpack it, and pack the folder that "
           "data.pkl is in with zip -0 -r";
  }
  if (has(names, "word/document.xml") || has(names, "xl/workbook.xml")) return "an office document";
  if (has(names, "AndroidManifest.xml")) return "a program of Android";
  if (!loadable.empty()) return "a zip that holds other files" + held;
  return "a zip that holds " + (names.empty() ? "no file" : list(names)) + ": torch.save did not write it";
}

void refuse_stranger(const std::string& what) {
  throw UnsupportedError("expected a .teff, PyTorch, safetensors, NumPy or ONNX file, got " + what);
}

}  // namespace teff::serialize
