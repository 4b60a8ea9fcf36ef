// SPDX-License-Identifier: MIT
#include "teff/serialize/io/inflate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxLength = 15;  // of a code, in bits
constexpr unsigned kTableBits = 10;     // codes up to this length are found in one step
constexpr std::size_t kLiterals = 288, kDistances = 30, kLengthCodes = 19;
constexpr unsigned kEndOfBlock = 256;

[[noreturn]] void refuse_packed(const char* what) { throw FormatError(std::string("deflate: ") + what); }

/// Bits from the lowest of each byte on.
class Bits {
 public:
  explicit Bits(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// The next bits; zeros behind the end.
  std::uint32_t peek(unsigned count) {
    while (count_ < count && next_ < bytes_.size()) {
      bits_ |= std::to_integer<std::uint64_t>(bytes_[next_++]) << count_;
      count_ += 8;
    }
    return static_cast<std::uint32_t>(bits_ & ((std::uint64_t{1} << count) - 1));
  }
  void drop(unsigned count) {
    if (count > count_) refuse_packed("the packed bytes end too early");
    bits_ >>= count;
    count_ -= count;
  }
  std::uint32_t take(unsigned count) {
    const std::uint32_t bits = peek(count);
    drop(count);
    return bits;
  }
  /// Whole bytes, from the next one on.
  std::span<const std::byte> take_bytes(std::size_t count) {
    next_ -= count_ / 8;
    bits_ = count_ = 0;
    if (count > bytes_.size() - next_) refuse_packed("the packed bytes end too early");
    next_ += count;
    return bytes_.subspan(next_ - count, count);
  }
  std::size_t used() const { return next_ - count_ / 8; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t next_ = 0;
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
};

/// A Huffman code: shorter ones first, of one length in the order of their symbols.
class Code {
 public:
  /// `lengths`: in bits, by symbol; 0 for one that does not occur. @throws FormatError unless they make a code.
  void build(std::span<const std::uint8_t> lengths, bool of_lengths = false) {
    counts_.fill(0);
    for (const std::uint8_t length : lengths) ++counts_[length];
    counts_[0] = 0;
    int left = 1;
    std::size_t used = 0;
    std::array<std::uint16_t, kMaxLength + 1> places{};
    for (std::size_t length = 1; length <= kMaxLength; ++length) {
      left = 2 * left - counts_[length];
      if (left < 0) refuse_packed("a code of more symbols than its lengths allow");
      places[length] = static_cast<std::uint16_t>(used);
      used += counts_[length];
    }
    // A symbol that is alone has a code of one bit, and none at all none; not so the lengths of other codes.
    const bool is_alone = used == 1 && counts_[1] == 1 && !of_lengths;
    if (left > 0 && used > 0 && !is_alone) refuse_packed("a code of fewer symbols than its lengths allow");
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] > 0) symbols_[places[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
    }
    fill_table();
  }

  unsigned next(Bits& bits) const {
    const std::uint16_t found = table_[bits.peek(table_bits_)];
    if (found == 0) return next_long(bits);
    bits.drop(found & 15u);
    return found >> 4;
  }

 private:
  /// No larger than the longest code asks for: small blocks cost little.
  void fill_table() {
    table_bits_ = kTableBits;
    while (table_bits_ > 1 &&
           std::all_of(counts_.begin() + table_bits_, counts_.end(), [](auto n) { return n == 0; })) {
      --table_bits_;
    }
    const std::size_t size = std::size_t{1} << table_bits_;
    std::fill_n(table_.begin(), size, std::uint16_t{0});
    std::uint32_t code = 0;
    std::size_t place = 0;
    for (unsigned length = 1; length <= table_bits_; ++length, code <<= 1) {
      for (unsigned i = 0; i < counts_[length]; ++i, ++code, ++place) {
        std::uint32_t reversed = 0;  // codes come highest bit first
        for (unsigned bit = 0; bit < length; ++bit) reversed |= (code >> bit & 1u) << (length - 1 - bit);
        const auto entry = static_cast<std::uint16_t>(symbols_[place] << 4 | length);
        for (std::size_t at = reversed; at < size; at += std::size_t{1} << length) table_[at] = entry;
      }
    }
  }

  unsigned next_long(Bits& bits) const {
    const std::uint32_t ahead = bits.peek(kMaxLength);
    std::uint32_t code = 0, first = 0, place = 0;
    for (unsigned length = 1; length <= kMaxLength; ++length) {
      code |= ahead >> (length - 1) & 1u;
      const std::uint32_t count = counts_[length];
      if (code < first + count) {
        bits.drop(length);
        return symbols_[place + (code - first)];
      }
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    refuse_packed("bits that are no code");
  }

  std::array<std::uint16_t, kMaxLength + 1> counts_{};
  std::array<std::uint16_t, kLiterals> symbols_{};  // by code
  unsigned table_bits_ = 1;
  std::array<std::uint16_t, std::size_t{1} << kTableBits> table_{};  // symbol and length; 0: longer, or none
};

class Inflater {
 public:
  Inflater(std::span<const std::byte> packed, std::span<std::byte> memory) : bits_(packed), memory_(memory) {}

  Inflated run() {
    bool last = false, full = false;
    while (!last && !full) {
      last = bits_.take(1) != 0;
      switch (bits_.take(2)) {
        case 0:
          full = !stored();
          break;
        case 1:
          make_fixed_codes();
          full = !packed(fixed_);
          break;
        case 2:
          read_own_codes();
          full = !packed(own_);
          break;
        default:
          refuse_packed("a block of an unknown kind");
      }
    }
    return {size_, bits_.used(), !full};
  }

 private:
  struct Codes {
    Code literals, distances;
  };

  // Both return false if the memory is full before the block ends.

  bool stored() {
    const auto head = bits_.take_bytes(4);
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
    const unsigned length = byte(0) | byte(1) << 8;
    if ((byte(2) | byte(3) << 8) != (~length & 0xffffu)) refuse_packed("a stored block with two lengths");
    const auto bytes = bits_.take_bytes(length);
    const std::size_t fits = std::min(bytes.size(), memory_.size() - size_);
    if (fits > 0) std::memcpy(memory_.data() + size_, bytes.data(), fits);
    size_ += fits;
    return fits == bytes.size();
  }

  bool packed(const Codes& codes) {
    for (;;) {
      const unsigned symbol = codes.literals.next(bits_);
      if (symbol == kEndOfBlock) return true;
      if (symbol < kEndOfBlock) {
        if (size_ == memory_.size()) return false;
        memory_[size_++] = static_cast<std::byte>(symbol);
      } else if (!repeat(symbol - kEndOfBlock - 1, codes)) {
        return false;
      }
    }
  }

  bool repeat(unsigned symbol, const Codes& codes) {
    constexpr std::array<std::uint16_t, 29> kLengths{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                     31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    constexpr std::array<std::uint16_t, kDistances> kPlaces{
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    if (symbol >= kLengths.size()) refuse_packed("a length that does not exist");
    const unsigned length_bits = symbol < 8 || symbol == 28 ? 0 : (symbol - 4) / 4;
    const std::size_t length = kLengths[symbol] + std::size_t{bits_.take(length_bits)};
    const unsigned place = codes.distances.next(bits_);
    if (place >= kDistances) refuse_packed("a distance that does not exist");
    const std::size_t distance = kPlaces[place] + std::size_t{bits_.take(place < 4 ? 0 : (place - 2) / 2)};
    if (distance > size_) refuse_packed("a distance beyond the beginning");
    const std::size_t fits = std::min(length, memory_.size() - size_);
    std::byte* to = memory_.data() + size_;
    for (std::size_t i = 0; i < fits; ++i)
      to[i] = to[static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(distance)];
    size_ += fits;
    return fits == length;
  }

  /// Once: a file may have a block in ten bits.
  void make_fixed_codes() {
    if (std::exchange(has_fixed_, true)) return;
    std::array<std::uint8_t, kLiterals> lengths;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      lengths[i] = static_cast<std::uint8_t>(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
    }
    fixed_.literals.build(lengths);
    std::array<std::uint8_t, 32> five;  // of which the last two do not occur
    five.fill(5);
    fixed_.distances.build(five);
  }

  /// The lengths of the block's codes, which are packed by a code themselves.
  void read_own_codes() {
    constexpr std::array<std::uint8_t, kLengthCodes> kOrder{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                            11, 4,  12, 3, 13, 2, 14, 1, 15};
    const std::size_t literals = bits_.take(5) + 257, distances = bits_.take(5) + 1, lengths = bits_.take(4) + 4;
    if (literals > kLiterals - 2 || distances > kDistances) refuse_packed("more codes than there are symbols");
    std::array<std::uint8_t, kLiterals + 32> all{};
    for (std::size_t i = 0; i < lengths; ++i) all[kOrder[i]] = static_cast<std::uint8_t>(bits_.take(3));
    own_.literals.build(std::span(all).first(kLengthCodes), true);
    all.fill(0);
    for (std::size_t i = 0; i < literals + distances;) {
      const unsigned symbol = own_.literals.next(bits_);
      if (symbol < 16) {
        all[i++] = static_cast<std::uint8_t>(symbol);
        continue;
      }
      if (symbol == 16 && i == 0) refuse_packed("a length repeated before the first");
      const std::uint8_t length = symbol == 16 ? all[i - 1] : std::uint8_t{0};
      const std::size_t times = symbol == 16   ? 3 + bits_.take(2)
                                : symbol == 17 ? 3 + bits_.take(3)
                                               : 11 + bits_.take(7);
      if (times > literals + distances - i) refuse_packed("more lengths than codes");
      std::fill_n(all.begin() + static_cast<std::ptrdiff_t>(i), times, length);
      i += times;
    }
    if (all[kEndOfBlock] == 0) refuse_packed("a block without an end");
    own_.literals.build(std::span(all).first(literals));
    own_.distances.build(std::span(all).subspan(literals, distances));
  }

  Bits bits_;
  std::span<std::byte> memory_;
  std::size_t size_ = 0;
  Codes own_, fixed_;
  bool has_fixed_ = false;
};

}  // namespace

Inflated inflate(std::span<const std::byte> packed, std::span<std::byte> memory) {
  return Inflater(packed, memory).run();
}

}  // namespace teff::serialize
