// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <utility>

#include <teff/engine/error.h>

#include "teff/serialize/io/utf8.h"

namespace teff::cli {
namespace {

constexpr std::size_t kMaxValueBytes = 200;
constexpr std::size_t kMaxColumn = 80;  // of a column of names: longer cells go beyond it

/// Whether the character drives a terminal, or turns the direction of writing, instead of being shown.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2)
    return (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0) || character == "\xd8\x9c";
  // U+200E, U+200F, line separators and embeddings, overrides and isolates of direction: U+2028 to U+202E, U+2066 to
  // U+2069.
  return character == "\xe2\x80\x8e" || character == "\xe2\x80\x8f" ||
         (character >= "\xe2\x80\xa8" && character <= "\xe2\x80\xae") ||
         (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9");
}

/// Columns that the text takes: characters of UTF-8, taken as one wide.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Keys of up to 65535 bytes in each other make the paths of a small file fill the memory.
constexpr std::size_t kMaxPathBytes = 256 * 1024 * 1024;

constexpr std::size_t kMaxListElements = 10;  // of a list that is shown whole
constexpr std::size_t kEdge = 3;              // elements shown at either end of a longer one

bool holds_others(const Value& value) { return value.is_tensor() || value.is_list() || value.is_dict(); }

class Leaves {
 public:
  explicit Leaves(bool abridged) : abridged_(abridged) {}

  void add(const std::string& path, const Value& value) {
    if (value.is_dict() && !value.as_dict().empty()) {
      for (const auto& [key, item] : value.as_dict()) add(path + '/' + escape_key(key), item);
    } else if (value.is_list() && !value.as_list().empty()) {
      add_list(path, value.as_list());
    } else {
      add_leaf({path, value, tensors_});
      if (value.is_tensor()) ++tensors_;
    }
  }

  std::vector<Leaf> leaves;

 private:
  void add_leaf(Leaf leaf) {
    path_bytes_ += leaf.path.size();
    if (path_bytes_ > kMaxPathBytes) throw FormatError("expected shorter keys: together their paths take over 256 MiB");
    leaves.push_back(std::move(leaf));
  }

  void add_list(const std::string& path, const List& list) {
    if (abridged_ && std::none_of(list.begin(), list.end(), holds_others)) return add_leaf({path, list, tensors_});
    const bool whole = !abridged_ || list.size() <= kMaxListElements;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!whole && i == kEdge) {
        const std::size_t left_out = list.size() - 2 * kEdge;
        add_leaf({path + '[' + std::to_string(i) + ']', Value(), tensors_, left_out});
        for (; i < list.size() - kEdge; ++i) count(list[i]);
      }
      add(path + '[' + std::to_string(i) + ']', list[i]);
    }
  }

  void count(const Value& value) {
    if (value.is_tensor()) ++tensors_;
    if (value.is_list()) {
      for (const Value& item : value.as_list()) count(item);
    } else if (value.is_dict()) {
      for (const auto& [key, item] : value.as_dict()) count(item);
    }
  }

  bool abridged_;
  std::size_t tensors_ = 0;
  std::size_t path_bytes_ = 0;
};

/// The elements of a long list that holds no others: the first and last ones, and how many there are.
std::string abridged(const List& list) {
  std::ostringstream text;
  text << '[';
  for (std::size_t i = 0; i < kEdge; ++i) text << value_text(list[i]) << ", ";
  text << "...";
  for (std::size_t i = list.size() - kEdge; i < list.size(); ++i) text << ", " << value_text(list[i]);
  text << "] (" << list.size() << " elements)";
  return text.str();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t bytes = serialize::character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(bytes, 1));
    if (bytes > 0 && !is_control(character)) {
      result += character;
    } else {
      for (const char c : character) {
        std::array<char, 5> code{};
        std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        result += code.data();
      }
    }
    text.remove_prefix(character.size());
  }
  return result;
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit < 3; ++unit) value /= 1024;
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << value << ' ' << units[unit];
  return text.str();
}

std::string value_text(const Value& value) {
  if (value.is_bytes()) return std::to_string(value.as_bytes().size()) + " bytes";
  if (value.is_list() && value.as_list().size() > kMaxListElements &&
      std::none_of(value.as_list().begin(), value.as_list().end(), holds_others)) {
    return abridged(value.as_list());
  }
  std::ostringstream stream;
  stream << value;
  const std::string text = stream.str();
  return text.size() <= kMaxValueBytes ? text : text.substr(0, kMaxValueBytes) + "...";
}

std::string type_text(const TensorType& type, const std::vector<std::string>& free) {
  std::string text(to_string(type.dtype));
  const char* separator = " [";
  for (std::size_t d = 0; d < type.shape.size(); ++d) {
    const bool is_free = type.shape[d] < 0;
    text.append(separator).append(!is_free ? std::to_string(type.shape[d]) : d < free.size() ? free[d] : "?");
    separator = ", ";
  }
  return text + (type.shape.empty() ? " []" : "]");
}

std::string told(const std::exception& error, const std::string& path) {
  std::string text = error.what();
  const auto drop = [&](const std::string& beginning) {
    if (text.starts_with(beginning)) text.erase(0, beginning.size());
  };
  for (const char* function : {"File", "File::entries", "File::metadata", "File::read", "File::read_all",
                               "File::verify", "load", "load_model", "salvage", "save", "save_model"}) {
    drop(std::string(function) + ": ");
  }
  if (path == "-") drop("memory: ");
  if (!path.empty()) drop(path + ": ");
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"LoadOptions{.inert_objects = true}", "--inert-objects"},
      {"LoadOptions{.skip_unsupported = true}", "--skip-unsupported"},
      {"LoadOptions::input_types, the option --input-type", "--input-type float32:2x3x224x224"},
      {"LoadOptions::input_types", "--input-type"},
      {"SaveOptions::metadata", "metadata (--without-metadata leaves it out)"},
      {"got a device, pipe or socket", "got a device, pipe or socket (the standard input is -)"},
  };
  for (const auto& [member, option] : kWords) {
    if (const std::size_t place = text.find(member); place != text.npos) text.replace(place, member.size(), option);
  }
  return text;
}

Shape shape_of(const char* option, const std::string& text) {
  Shape shape;
  const char *at = text.data(), *const end = at + text.size();
  for (; at != end; ++at) {
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(at, end, size);
    const bool more = rest != end && *rest == 'x' && rest + 1 != end;
    if (error != std::errc() || size < 0 || (rest != end && !more)) {
      throw ValueError(std::string(option) + ": expected sizes like 1x3x224x224, got " + text);
    }
    shape.push_back(size);
    at = rest;
    if (at == end) break;
  }
  return shape;
}

bool is_torch_network(const File& file) {
  if (file.format() != FileFormat::pytorch || file.modules().empty()) return false;
  const std::string& type = file.modules()[0].summary.type_name;
  return type == "RecursiveScriptModule" || type == "ExportedProgram";
}

bool is_pickled_module(const File& file) {
  return file.format() == FileFormat::pytorch && !is_torch_network(file) && file.modules().size() == 1 &&
         file.modules()[0].path.empty();
}

TensorType type_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {shape_of("--input-type", text)};
  return {shape_of("--input-type", text.substr(colon + 1)), dtype_from_string(text.substr(0, colon))};
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (width(row[i]) <= kMaxColumn) widths[i] = std::max(widths[i], width(row[i]));
    }
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.append(2, ' ').append(row[i]).append(widths[i] - std::min(widths[i], width(row[i])), ' ');
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

std::vector<Leaf> leaves_of(const Dict& dict, bool abridged) {
  Leaves all(abridged);
  for (const auto& [key, value] : dict) all.add(escape_key(key), value);
  return std::move(all.leaves);
}

}  // namespace teff::cli
