// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>

namespace fashion {

/// A grey image of 28 x 28 pixels, 0 is black, with lines of text below.
struct Picture {
  std::span<const std::uint8_t> pixels;
  std::array<std::string, 3> caption;
};

/// Prints the pictures as text, three beside each other.
void print(std::ostream& out, std::span<const Picture> pictures);

}  // namespace fashion
