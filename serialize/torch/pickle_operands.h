// SPDX-License-Identifier: MIT
#pragma once

// Private: the bytes of a pickle, opcode by opcode.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/pickle_opcodes.h"

namespace teff::serialize {

class PickleOperands {
 protected:
  PickleOperands(std::span<const std::byte> bytes, std::uint64_t offset) : bytes_(bytes), offset_(offset) {}

  static constexpr std::size_t kMaxGlobalBytes = 255;

  void next_opcode() {
    opcode_at_ = position_;
    opcode_ = Opcode{byte()};
  }

  [[noreturn]] void refuse(const std::string& what) const { throw FormatError(place() + what); }

  std::string place() const {
    const auto code = static_cast<std::uint8_t>(opcode_);
    std::string name(opcode_name(code));
    if (name.empty()) {
      std::array<char, 12> digits{};
      std::snprintf(digits.data(), digits.size(), "byte 0x%02x", code);
      name = digits.data();
    }
    return "pickle: " + name + " at offset " + std::to_string(offset_ + opcode_at_) + ": ";
  }

  std::span<const std::byte> take(std::uint64_t count) {
    if (position_ == bytes_.size() && position_ == opcode_at_) {
      throw PickleCutOff("pickle: it is cut off: expected its end, got that of the bytes at offset " +
                         std::to_string(offset_ + position_));
    }
    if (count > bytes_.size() - position_) {
      throw PickleCutOff(place() + "expected " + std::to_string(count) + " bytes, got the end after " +
                         std::to_string(bytes_.size() - position_));
    }
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1)[0]); }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  std::span<const std::byte> line(std::size_t most = kMaxGlobalBytes) {
    const auto rest = bytes_.subspan(position_);
    const auto limited = rest.first(std::min(rest.size(), most + 1));
    const auto end = std::find(limited.begin(), limited.end(), std::byte{'\n'});
    if (end == limited.end()) {
      if (limited.size() > most) {
        refuse("expected a name or number of at most " + std::to_string(most) + " bytes, got a longer one");
      }
      throw PickleCutOff(place() + "expected the end of a name, got the end of the bytes");
    }
    const auto size = static_cast<std::size_t>(end - limited.begin());
    return take(size + 1).first(size);
  }

  static std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::uint32_t offset_of(std::string_view text) const {
    return static_cast<std::uint32_t>(text.data() - reinterpret_cast<const char*>(bytes_.data()));
  }

  const std::span<const std::byte> bytes_;
  const std::uint64_t offset_;  // of the pickle in the file
  std::size_t position_ = 0;
  std::size_t opcode_at_ = 0;
  Opcode opcode_{};
};

}  // namespace teff::serialize
