// SPDX-License-Identifier: MIT
#pragma once

// Private: the fields of a protocol buffer, read from a file that is never in memory as a whole. Of the format's kinds
// of fields there are four: numbers of any length, of 4 and of 8 bytes, and bytes, which may be a message in turn. A
// message has no type of its own: who reads it knows what the numbers of its fields mean.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/io/byte_source.h"

namespace teff::serialize {

/// Bytes of a file.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes() const { return end - begin; }
};

/// The file, of which it keeps a piece: who reads on from place to place reads it once.
class WireFile {
 public:
  explicit WireFile(const ByteSource& source) : source_(source) {}

  const ByteSource& source() const { return source_; }
  /// The byte at a place before the end of the source.
  std::uint8_t at(std::uint64_t place) {
    if (place - start_ >= window_.size()) fill(place);
    return static_cast<std::uint8_t>(window_[static_cast<std::size_t>(place - start_)]);
  }
  std::string text(const Extent& extent);

 private:
  void fill(std::uint64_t place);

  const ByteSource& source_;
  std::uint64_t start_ = 0;
  std::vector<std::byte> window_;
};

/// Reads one message, field by field. @throws FormatError, with the offset, for what is not well formed.
class WireReader {
 public:
  WireReader(WireFile& file, const Extent& message) : file_(&file), place_(message.begin), end_(message.end) {}

  /// Goes to the next field; false at the end.
  bool next();
  std::uint32_t field() const { return field_; }
  /// Of the field and its number, for errors.
  std::uint64_t offset() const { return offset_; }

  // The field as what it must be.

  std::int64_t number() const;
  float real() const;
  Extent message() const;
  std::string text(std::size_t max_bytes) const;
  /// Calls add(number) for the field's number, or for all of those that are packed in it.
  template <class Add>
  void numbers(Add&& add) const {
    if (kind_ == kVarint) return add(number());
    WireReader packed(*file_, message());
    while (packed.place_ < packed.end_) add(static_cast<std::int64_t>(packed.varint()));
  }
  /// The same of numbers of sizeof(Bits) bytes.
  template <class Bits, class Add>
  void fixed(Add&& add) const {
    if (kind_ == (sizeof(Bits) == 4 ? kFixed32 : kFixed64)) return add(static_cast<Bits>(number_));
    WireReader packed(*file_, message());
    while (packed.place_ < packed.end_) add(static_cast<Bits>(packed.little_endian(sizeof(Bits))));
  }

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  enum Kind : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  std::uint64_t varint();
  std::uint64_t little_endian(std::size_t bytes);
  void expect(Kind kind, const char* what) const;

  WireFile* file_;
  std::uint64_t place_, end_;
  std::uint64_t offset_ = 0;
  std::uint32_t field_ = 0;
  Kind kind_ = kVarint;
  std::uint64_t number_ = 0;  // kVarint, kFixed32, kFixed64
  Extent bytes_;              // kBytes
};

}  // namespace teff::serialize
