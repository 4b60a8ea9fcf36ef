// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_writer.h"

#include <bit>
#include <span>
#include <utility>

#include "teff/serialize/io/utf8.h"

namespace teff::serialize {

PickleWriter::PickleWriter() {
  put(Opcode::proto);
  put_number(2, 1);
}

void PickleWriter::put(Opcode opcode) { bytes_.push_back(static_cast<std::byte>(opcode)); }

void PickleWriter::put_number(std::uint64_t value, std::size_t bytes) {
  for (; bytes > 0; --bytes, value >>= 8) bytes_.push_back(static_cast<std::byte>(value & 0xff));
}

void PickleWriter::put_new(Opcode opcode) {
  put(opcode);
  remember();
}

std::uint32_t PickleWriter::remember() {
  put(memo_ < 256 ? Opcode::binput : Opcode::long_binput);
  put_number(memo_, memo_ < 256 ? 1 : 4);
  return memo_++;
}

bool PickleWriter::recall(const std::string& name) {
  const auto known = shared_.find(name);
  if (known == shared_.end()) return false;
  again(known->second);
  return true;
}

void PickleWriter::again(std::uint32_t number) {
  put(number < 256 ? Opcode::binget : Opcode::long_binget);
  put_number(number, number < 256 ? 1 : 4);
}

void PickleWriter::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (std::in_range<std::uint8_t>(value)) {
    put(Opcode::binint1);
    put_number(bits, 1);
  } else if (std::in_range<std::uint16_t>(value)) {
    put(Opcode::binint2);
    put_number(bits, 2);
  } else if (std::in_range<std::int32_t>(value)) {
    put(Opcode::binint);
    put_number(bits, 4);
  } else {
    // As many bytes as the value and its sign need.
    const auto width = static_cast<std::size_t>(std::bit_width(value < 0 ? ~bits : bits)) / 8 + 1;
    put(Opcode::long1);
    put_number(width, 1);
    put_number(bits, width);
  }
}

void PickleWriter::floating(double value) {
  put(Opcode::binfloat);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) put_number(bits >> shift & 0xff, 1);
}

void PickleWriter::text(std::string_view text) {
  put(Opcode::binunicode);
  put_number(text.size(), 4);
  const auto bytes = std::as_bytes(std::span(text));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  remember();
}

void PickleWriter::shared_text(const std::string& shared) {
  if (recall(shared)) return;
  text(shared);
  shared_.emplace(shared, memo_ - 1);
}

void PickleWriter::global(const std::string& module, const std::string& name) {
  const std::string both = module + '\n' + name + '\n';
  if (recall(both)) return;
  put(Opcode::global);
  const auto bytes = std::as_bytes(std::span(both));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  shared_.emplace(both, remember());
}

/// Protocol 2 has none: they become text, and a call that turns it back into bytes.
void PickleWriter::bytes(std::string_view bytes) {
  std::string characters;
  for (const char byte : bytes) append_utf8(characters, static_cast<unsigned char>(byte));
  global("_codecs", "encode");
  text(characters);
  shared_text("latin1");
  short_tuple(2);
  call();
}

void PickleWriter::tuple() { put_new(Opcode::tuple); }

void PickleWriter::short_tuple(std::size_t size) {
  put_new(size == 1 ? Opcode::tuple1 : size == 2 ? Opcode::tuple2 : Opcode::tuple3);
}

void PickleWriter::tuple_of(const std::vector<std::int64_t>& values) {
  if (values.empty()) return empty_tuple();
  const bool is_short = values.size() <= 3;
  if (!is_short) mark();
  for (const std::int64_t value : values) integer(value);
  if (is_short) {
    short_tuple(values.size());
  } else {
    tuple();
  }
}

void PickleWriter::empty_ordered_dict() {
  global("collections", "OrderedDict");
  empty_tuple();
  call();
}

const std::vector<std::byte>& PickleWriter::finish() {
  put(Opcode::stop);
  return bytes_;
}

}  // namespace teff::serialize
