// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/wire_reader.h"

#include <algorithm>
#include <bit>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;

}  // namespace

void WireFile::fill(std::uint64_t place) {
  const std::uint64_t size = source_.size();
  if (place >= size) throw FormatError("expected a whole file, got its end at offset " + std::to_string(size));
  window_.resize(static_cast<std::size_t>(std::min(kWindowBytes, size - place)));
  source_.read(std::span(window_), place);
  start_ = place;
}

std::string WireFile::text(const Extent& extent) {
  std::string text(static_cast<std::size_t>(extent.bytes()), '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(at(extent.begin + i));
  return text;
}

bool WireReader::next() {
  if (place_ == end_) return false;
  offset_ = place_;
  const std::uint64_t key = varint();
  if (key >> 3 == 0 || key >> 32 != 0) refuse("expected a field with a number from 1 on, got another");
  field_ = static_cast<std::uint32_t>(key >> 3);
  kind_ = static_cast<Kind>(key & 7);
  switch (kind_) {
    case kVarint:
      number_ = varint();
      return true;
    case kFixed64:
      number_ = little_endian(8);
      return true;
    case kFixed32:
      number_ = little_endian(4);
      return true;
    case kBytes: {
      const std::uint64_t bytes = varint();
      if (bytes > end_ - place_) {
        refuse("expected at most " + std::to_string(end_ - place_) + " bytes, which are left, got a field of " +
               std::to_string(bytes));
      }
      bytes_ = {place_, place_ + bytes};
      place_ += bytes;
      return true;
    }
  }
  refuse("expected a number or bytes, got a field of kind " + std::to_string(key & 7));
}

std::int64_t WireReader::number() const {
  expect(kVarint, "a number");
  return static_cast<std::int64_t>(number_);
}

float WireReader::real() const {
  expect(kFixed32, "a number of 4 bytes");
  return std::bit_cast<float>(static_cast<std::uint32_t>(number_));
}

Extent WireReader::message() const {
  expect(kBytes, "bytes");
  return bytes_;
}

std::string WireReader::text(std::size_t max_bytes) const {
  const Extent extent = message();
  if (extent.bytes() > max_bytes) {
    refuse("expected a text of at most " + std::to_string(max_bytes) + " bytes, got one of " +
           std::to_string(extent.bytes()));
  }
  return file_->text(extent);
}

void WireReader::refuse(const std::string& what) const {
  throw FormatError("at offset " + std::to_string(offset_) + ": " + what);
}

void WireReader::expect(Kind kind, const char* what) const {
  if (kind_ != kind) refuse("expected " + std::string(what) + " as field " + std::to_string(field_) + ", got another");
}

std::uint64_t WireReader::varint() {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 64 && place_ < end_; shift += 7) {
    const std::uint8_t byte = file_->at(place_++);
    if (shift == 63 && byte > 1) break;
    result |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return result;
  }
  refuse("expected a number of at most 64 bits, got more, or the end of the message");
}

std::uint64_t WireReader::little_endian(std::size_t bytes) {
  if (bytes > end_ - place_) refuse("expected a number of " + std::to_string(bytes) + " bytes, got the end");
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < bytes; ++i) result |= std::uint64_t{file_->at(place_++)} << (8 * i);
  return result;
}

}  // namespace teff::serialize
