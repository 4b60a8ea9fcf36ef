// SPDX-License-Identifier: MIT
#include "examples/picture.h"

#include <algorithm>
#include <ostream>
#include <string_view>

namespace fashion {
namespace {

constexpr std::size_t kSide = 28;
constexpr std::size_t kColumns = 24, kRows = 12;  // a letter is about twice as high as wide
constexpr std::size_t kPerLine = 3;
constexpr std::string_view kShades = " .:-=+*#%@";

/// The letter for the mean of the pixels that it stands for.
char shade(std::span<const std::uint8_t> pixels, std::size_t row, std::size_t column) {
  const std::size_t top = row * kSide / kRows, bottom = (row + 1) * kSide / kRows;
  const std::size_t left = column * kSide / kColumns, right = (column + 1) * kSide / kColumns;
  std::size_t sum = 0;
  for (std::size_t y = top; y < bottom; ++y) {
    for (std::size_t x = left; x < right; ++x) sum += pixels[y * kSide + x];
  }
  const std::size_t count = (bottom - top) * (right - left);
  return kShades[sum * kShades.size() / (256 * count)];
}

void print_padded(std::ostream& out, std::string text) {
  text.resize(std::max(text.size(), kColumns + 2), ' ');
  out << text;
}

std::string row_of(const Picture& picture, std::size_t row) {
  std::string text;
  for (std::size_t column = 0; column < kColumns; ++column) text += shade(picture.pixels, row, column);
  return text;
}

void print_line(std::ostream& out, std::span<const Picture> pictures) {
  for (std::size_t row = 0; row < kRows; ++row) {
    for (const Picture& picture : pictures) print_padded(out, row_of(picture, row));
    out << '\n';
  }
  for (std::size_t i = 0; i < std::tuple_size_v<decltype(Picture::caption)>; ++i) {
    for (const Picture& picture : pictures) print_padded(out, picture.caption[i]);
    out << '\n';
  }
  out << '\n';
}

}  // namespace

void print(std::ostream& out, std::span<const Picture> pictures) {
  for (std::size_t i = 0; i < pictures.size(); i += kPerLine) {
    print_line(out, pictures.subspan(i, std::min(kPerLine, pictures.size() - i)));
  }
}

}  // namespace fashion
