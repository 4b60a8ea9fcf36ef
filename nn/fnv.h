// SPDX-License-Identifier: MIT
#pragma once

// Private: a hash that is the same on every machine and in every version, unlike std::hash.

#include <cstdint>
#include <string_view>

namespace teff::nn::detail {

/// FNV-1a in 64 bits (Fowler, Noll and Vo), of bytes that come one after the other.
class Fnv1a {
 public:
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  void add_text(std::string_view text) {
    for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
  }
  /// Its lowest byte first.
  void add_word(std::uint64_t word) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<std::uint8_t>(word >> shift));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace teff::nn::detail
