// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <teff/engine/error.h>

#include "teff/serialize/io/utf8.h"

namespace teff::cli {
namespace {

constexpr std::size_t kMaxValueBytes = 200;

/// Whether the character drives a terminal instead of being shown by it.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2) return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  // Line separators and embeddings, overrides and isolates of direction: U+2028 to U+202E, U+2066 to U+2069.
  return (character >= "\xe2\x80\xa8" && character <= "\xe2\x80\xae") ||
         (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9");
}

/// Columns that the text takes: characters of UTF-8, taken as one wide.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Keys of up to 65535 bytes in each other make the paths of a small file fill the memory.
constexpr std::size_t kMaxPathBytes = 256 * 1024 * 1024;

void add_leaves(std::vector<Leaf>& leaves, std::size_t& path_bytes, const std::string& path, const Value& value) {
  path_bytes += path.size();
  if (path_bytes > kMaxPathBytes) throw FormatError("expected shorter keys: together their paths take over 256 MiB");
  if (value.is_dict() && !value.as_dict().empty()) {
    for (const auto& [key, item] : value.as_dict()) add_leaves(leaves, path_bytes, path + '/' + escape_key(key), item);
  } else if (value.is_list() && !value.as_list().empty()) {
    std::size_t index = 0;
    for (const Value& item : value.as_list())
      add_leaves(leaves, path_bytes, path + '[' + std::to_string(index++) + ']', item);
  } else {
    leaves.push_back({path, value});
  }
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

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.append(2, ' ').append(row[i]).append(widths[i] - width(row[i]), ' ');
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

std::vector<Leaf> leaves_of(const Dict& dict) {
  std::vector<Leaf> leaves;
  std::size_t path_bytes = 0;
  for (const auto& [key, value] : dict) add_leaves(leaves, path_bytes, escape_key(key), value);
  return leaves;
}

}  // namespace teff::cli
