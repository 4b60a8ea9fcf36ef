// SPDX-License-Identifier: MIT
#pragma once

// Private: the parts of a zip file that PyTorch's files consist of, as APPNOTE.TXT of PKWARE describes them.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace teff::serialize::zip {

static_assert(std::endian::native == std::endian::little, "numbers are read and written as they lie in memory");

inline constexpr std::uint32_t kLocal = 0x04034b50;       // in front of each entry's bytes
inline constexpr std::uint32_t kDescriptor = 0x08074b50;  // behind them
inline constexpr std::uint32_t kCentral = 0x02014b50;     // in the directory
inline constexpr std::uint32_t kEnd64 = 0x06064b50;
inline constexpr std::uint32_t kLocator = 0x07064b50;
inline constexpr std::uint32_t kEnd = 0x06054b50;

inline constexpr std::size_t kLocalBytes = 30;    // without name and extra field
inline constexpr std::size_t kCentralBytes = 46;  // without name, extra field and comment
inline constexpr std::size_t kEnd64Bytes = 56;
inline constexpr std::size_t kLocatorBytes = 20;
inline constexpr std::size_t kEndBytes = 22;

inline constexpr std::uint16_t kHasDescriptor = 1 << 3;
inline constexpr std::uint16_t kUtf8Name = 1 << 11;
inline constexpr std::uint16_t kZip64 = 1;  // the extra field with the numbers that need 64 bits

/// In place of a number that stands elsewhere with 64 bits.
inline constexpr std::uint16_t kElsewhere16 = 0xffff;
inline constexpr std::uint32_t kElsewhere32 = 0xffffffff;

/// Reads numbers one after the other. The caller has made sure that they are there.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size(); }
  template <class... T>
  void get(T&... values) {
    (get_one(values), ...);
  }
  std::span<const std::byte> take(std::size_t count) {
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }

 private:
  template <class T>
  void get_one(T& value) {
    static_assert(std::is_unsigned_v<T>);
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
  }

  std::span<const std::byte> bytes_;
};

/// Appends numbers.
template <class... T>
void put(std::vector<std::byte>& bytes, T... values) {
  static_assert((std::is_unsigned_v<T> && ...));
  const auto put_one = [&](auto value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  };
  (put_one(values), ...);
}

}  // namespace teff::serialize::zip
