// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/wire_writer.h"

#include <bit>
#include <span>
#include <utility>

namespace teff::serialize {
namespace {

constexpr std::uint32_t kNumberKind = 0, kBytesKind = 2, kFourBytesKind = 5;

}  // namespace

void WireMessage::append(std::string_view text) {
  if (pieces_.empty() || pieces_.back().tensor.defined()) pieces_.emplace_back();
  pieces_.back().text += text;
  bytes_ += text.size();
}

void WireMessage::varint(std::uint64_t number) {
  std::string digits;
  for (; number >= 0x80; number >>= 7) digits += static_cast<char>((number & 0x7f) | 0x80);
  append(digits + static_cast<char>(number));
}

void WireMessage::number(std::uint32_t field, std::int64_t value) {
  key(field, kNumberKind);
  varint(static_cast<std::uint64_t>(value));
}

void WireMessage::real(std::uint32_t field, float value) {
  key(field, kFourBytesKind);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  std::string four;
  for (int i = 0; i < 4; ++i) four += static_cast<char>((bits >> (8 * i)) & 0xff);
  append(four);
}

void WireMessage::text(std::uint32_t field, std::string_view value) {
  key(field, kBytesKind);
  varint(value.size());
  append(value);
}

void WireMessage::message(std::uint32_t field, WireMessage value) {
  key(field, kBytesKind);
  varint(value.bytes_);
  for (Piece& piece : value.pieces_) {
    append(piece.text);
    if (piece.tensor.defined()) pieces_.back().tensor = std::move(piece.tensor);
  }
  bytes_ += value.bytes_;
  for (const Piece& piece : value.pieces_) bytes_ -= piece.text.size();
}

void WireMessage::bytes(std::uint32_t field, const Tensor& value) {
  key(field, kBytesKind);
  varint(value.nbytes());
  if (value.nbytes() == 0) return;
  pieces_.back().tensor = value;
  bytes_ += value.nbytes();
}

void WireMessage::write(ByteSink& sink) const {
  std::uint64_t offset = 0;
  const auto put = [&](std::span<const std::byte> bytes) {
    if (!bytes.empty()) sink.write(bytes, offset);
    offset += bytes.size();
  };
  for (const Piece& piece : pieces_) {
    put(std::as_bytes(std::span(piece.text)));
    if (piece.tensor.defined()) put({static_cast<const std::byte*>(piece.tensor.raw_data()), piece.tensor.nbytes()});
  }
}

}  // namespace teff::serialize
