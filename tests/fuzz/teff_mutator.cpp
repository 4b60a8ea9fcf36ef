// SPDX-License-Identifier: MIT
#include "fuzz/teff_mutator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "teff/serialize/io/checksum.h"

namespace teff::fuzz {
namespace {

constexpr std::size_t kPreambleBytes = 64;
constexpr std::size_t kMaxTensorBytes = 1 << 16;
constexpr std::array<std::uint64_t, 11> kElementBytes = {0, 4, 8, 8, 4, 2, 1, 1, 1, 2, 2};  // by dtype

std::uint64_t word_at(const Bytes& bytes, std::size_t place) {
  std::uint64_t value = 0;
  if (place <= bytes.size() && bytes.size() - place >= 8) std::memcpy(&value, bytes.data() + place, 8);
  return value;
}

void set_word(Bytes& bytes, std::size_t place, std::uint64_t value) {
  if (place <= bytes.size() && bytes.size() - place >= 8) std::memcpy(bytes.data() + place, &value, 8);
}

std::size_t align(std::size_t offset) { return (offset + 63) / 64 * 64; }

std::uint64_t hash(const std::uint8_t* data, std::size_t bytes) {
  return serialize::checksum(std::as_bytes(std::span(data, bytes)));
}

/// The three parts of a file, as far as its preamble can be believed.
struct Parts {
  explicit Parts(const Bytes& file) {
    const std::size_t end = kPreambleBytes + std::min<std::size_t>(word_at(file, 24), file.size() - kPreambleBytes);
    const std::size_t data_begin = std::min(align(end), file.size());
    const auto at = [&](std::size_t place) { return file.begin() + static_cast<std::ptrdiff_t>(place); };
    preamble.assign(file.begin(), at(kPreambleBytes));
    header.assign(at(kPreambleBytes), at(end));
    data.assign(at(data_begin), file.end());
  }

  Bytes preamble, header, data;
};

/// Bytes that follow from the entry's dtype and shape; none if it makes no sense.
std::uint64_t tensor_bytes(const Bytes& header, std::size_t entry, std::uint64_t rank) {
  const std::uint64_t dtype = word_at(header, entry);
  std::uint64_t bytes = dtype < kElementBytes.size() ? kElementBytes[dtype] : 0;
  for (std::uint64_t i = 0; i < rank; ++i) {
    const std::uint64_t size = word_at(header, entry + 16 + 8 * i);
    if (size > kMaxTensorBytes) return 0;
    bytes = std::min<std::uint64_t>(bytes * size, kMaxTensorBytes + 1);
  }
  return bytes > kMaxTensorBytes ? 0 : bytes;
}

/// Gives each tensor the length that follows from its shape and the next free place, or that of the tensor whose place
/// it shared, and the checksum of what lies there.
void lay_out(Parts& parts) {
  Bytes& header = parts.header;
  const std::size_t data_begin = align(kPreambleBytes + header.size());
  std::map<std::uint64_t, std::uint64_t> moved;
  std::size_t entry = 8, end = 0;  // end: of the data so far, counted from their beginning
  Bytes data = std::move(parts.data);
  for (std::uint64_t left = word_at(header, 0); left > 0 && entry + 40 <= header.size(); --left) {
    const std::uint64_t rank = word_at(header, entry + 8);
    if (rank > 8) break;
    const std::size_t place = entry + 16 + 8 * rank;
    const std::uint64_t bytes = tensor_bytes(header, entry, rank);
    const auto [known, is_new] = moved.try_emplace(word_at(header, place), data_begin + align(end));
    const bool shares = bytes > 0 && !is_new;
    const std::size_t begin = shares ? known->second - data_begin : align(end);
    if (begin + bytes > data.size()) data.resize(begin + bytes);
    std::fill(data.begin() + static_cast<std::ptrdiff_t>(std::min(end, begin)),
              data.begin() + static_cast<std::ptrdiff_t>(begin), std::uint8_t{0});
    set_word(header, place, bytes == 0 ? 0 : data_begin + begin);
    set_word(header, place + 8, bytes);
    set_word(header, place + 16, bytes == 0 ? 0 : hash(data.data() + begin, bytes));
    if (bytes > 0) end = std::max<std::size_t>(end, begin + bytes);
    if (bytes == 0 && is_new) moved.erase(known);
    entry = place + 24;
  }
  data.resize(end);
  parts.data = std::move(data);
}

Bytes join(Parts parts) {
  Bytes file = std::move(parts.preamble);
  file.insert(file.end(), parts.header.begin(), parts.header.end());
  if (!parts.data.empty()) file.resize(align(file.size()));
  file.insert(file.end(), parts.data.begin(), parts.data.end());
  set_word(file, 24, parts.header.size());
  set_word(file, 32, file.size());
  set_word(file, 40, hash(parts.header.data(), parts.header.size()));
  set_word(file, 56, hash(file.data(), 56));
  return file;
}

/// A number that means something at some place: a count, a kind, a size, a limit.
std::uint64_t telling_word(Random& random, const Bytes& header) {
  constexpr std::array<std::uint64_t, 9> kEdges = {0x7fff,
                                                   0xffff,
                                                   std::uint64_t{1} << 31,
                                                   0xffffffff,
                                                   std::uint64_t{1} << 59,
                                                   std::uint64_t{1} << 62,
                                                   std::uint64_t{1} << 63,
                                                   ~std::uint64_t{0},
                                                   ~std::uint64_t{0} - 7};
  switch (random() % 4) {
    case 0:
      return kEdges[random() % kEdges.size()];
    case 1:
      return word_at(header, random() % header.size());
    default:
      return random() % 12;
  }
}

/// Copies a piece of the header to another place of it, over what is there or between.
void copy_piece(Bytes& header, Random& random) {
  const std::size_t from = random() % header.size(), to = random() % header.size();
  const std::size_t bytes = std::min<std::size_t>(8 * (1 + random() % 16), header.size() - std::max(from, to));
  const Bytes piece(header.begin() + static_cast<std::ptrdiff_t>(from),
                    header.begin() + static_cast<std::ptrdiff_t>(from + bytes));
  if (random() % 2 == 0) {
    std::copy(piece.begin(), piece.end(), header.begin() + static_cast<std::ptrdiff_t>(to));
  } else {
    header.insert(header.begin() + static_cast<std::ptrdiff_t>(to), piece.begin(), piece.end());
  }
}

/// Nearly all words of the header that matter have small values: a byte of 1 to 10 followed by seven zeros.
std::size_t likely_word(const Bytes& header, Random& random) {
  const std::size_t start = random() % header.size();
  for (std::size_t i = 0; i + 8 <= header.size(); ++i) {
    const std::size_t place = (start + i) % header.size();
    if (place + 8 <= header.size() && word_at(header, place) <= 64) return place;
  }
  return start;
}

}  // namespace

void mutate_teff(Bytes& file, Random& random, Mutator mutate) {
  if (file.size() <= kPreambleBytes + 8 || random() % 32 == 0) return mutate(file);
  Parts parts(file);
  if (parts.header.empty()) return mutate(file);
  switch (random() % 8) {
    case 0:
      mutate(parts.data);
      break;
    case 1:
      mutate(parts.preamble);
      parts.preamble.resize(kPreambleBytes);
      break;
    case 2:
      copy_piece(parts.header, random);
      break;
    case 3:
    case 4:
      set_word(parts.header, likely_word(parts.header, random), telling_word(random, parts.header));
      break;
    default:
      mutate(parts.header);
      break;
  }
  if (random() % 8 != 0) lay_out(parts);
  file = join(std::move(parts));
}

}  // namespace teff::fuzz
