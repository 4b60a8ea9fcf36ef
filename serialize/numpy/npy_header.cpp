// SPDX-License-Identifier: MIT
#include "teff/serialize/numpy/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kNumpyMagic("\x93NUMPY", 6);
constexpr std::size_t kMaxTextBytes = 64 * 1024;
constexpr std::size_t kShownHeaderBytes = 100;

struct Descr {
  std::string_view name;  // without the order of bytes
  DType dtype;
};

constexpr std::array kDescrs = {
    Descr{"f4", DType::float32}, Descr{"f8", DType::float64}, Descr{"f2", DType::float16}, Descr{"i8", DType::int64},
    Descr{"i4", DType::int32},   Descr{"i2", DType::int16},   Descr{"i1", DType::int8},    Descr{"u1", DType::uint8},
    Descr{"u2", DType::uint16},  Descr{"u4", DType::uint32},  Descr{"u8", DType::uint64},  Descr{"b1", DType::bool_},
};

[[noreturn]] void refuse_header(const std::string& what) { throw FormatError("NumPy's header: " + what); }

/// What Teff has no place for.
std::string kind_of(std::string_view descr) {
  switch (descr.size() > 1 ? descr[1] : ' ') {
    case 'c':
      return "complex";
    case 'U':
    case 'S':
    case 'a':
      return "text";
    case 'O':
      return "Python objects";
    case 'M':
      return "dates";
    case 'm':
      return "times";
    case 'V':
      return "raw bytes";
    default:
      return "an unknown type";
  }
}

/// A dictionary of Python's of text, True, False, and tuples of whole numbers; of lists it only says that they are
/// there.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  void expect(char c) {
    if (!takes(c))
      refuse_header(std::string("expected ") + c + " at character " + std::to_string(place_) + ", got " + next());
  }
  bool takes(char c) {
    skip_space();
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  bool takes(std::string_view word) {
    skip_space();
    if (!text_.substr(place_).starts_with(word)) return false;
    place_ += word.size();
    return true;
  }
  std::string text() {
    skip_space();
    const char quote = place_ < text_.size() ? text_[place_] : ' ';
    if (quote != '\'' && quote != '"')
      refuse_header("expected text at character " + std::to_string(place_) + ", got " + next());
    const std::size_t end = text_.find(quote, ++place_);
    if (end == text_.npos) refuse_header("expected the end of a text, got that of the header");
    const std::string_view found = text_.substr(place_, end - place_);
    if (found.find('\\') != found.npos) refuse_header("expected text without \\, got some");
    place_ = end + 1;
    return std::string(found);
  }
  std::int64_t integer() {
    skip_space();
    std::int64_t value = 0;
    const char* begin = text_.data() + place_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) {
      refuse_header("expected a size at character " + std::to_string(place_) + ", got " + next());
    }
    place_ += static_cast<std::size_t>(end - begin);
    static_cast<void>(takes('L'));  // of Python 2
    return value;
  }
  void expect_end() {
    skip_space();
    if (place_ != text_.size())
      refuse_header("expected the end at character " + std::to_string(place_) + ", got " + next());
  }

 private:
  void skip_space() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\n')) ++place_;
  }
  std::string next() const {
    return place_ == text_.size() ? "the end" : '"' + escaped(text_.substr(place_, 20), kShownHeaderBytes) + '"';
  }

  std::string_view text_;
  std::size_t place_ = 0;
};

void set_type(NpyHeader& header, const std::string& descr) {
  header.descr = descr;
  const char order = descr.empty() ? ' ' : descr[0];
  const std::string_view name = std::string_view(descr).substr(std::min<std::size_t>(descr.size(), 1));
  const auto found = std::find_if(kDescrs.begin(), kDescrs.end(), [&](const Descr& one) { return one.name == name; });
  const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
  if (!has_order || found == kDescrs.end()) {
    header.kind = kind_of(descr);
    return;
  }
  header.dtype = found->dtype;
  header.is_swapped = order == '>' && size_of(found->dtype) > 1;
}

void read_sizes(Literal& literal, NpyHeader& header) {
  literal.expect('(');
  while (!literal.takes(')')) {
    if (header.sizes.size() == kMaxRank) refuse_header("expected at most 8 dimensions, got more");
    header.sizes.push_back(literal.integer());
    if (!literal.takes(',')) {
      if (header.sizes.size() == 1) literal.expect(',');  // (3) is no tuple
      return literal.expect(')');
    }
  }
}

void parse(std::string_view text, NpyHeader& header) {
  Literal literal(text);
  bool has_descr = false, has_order = false, has_shape = false;
  const auto once = [](bool& seen) {
    if (seen) refuse_header("expected a key once, got it again");
    seen = true;
  };
  literal.expect('{');
  while (!literal.takes('}')) {
    const std::string key = literal.text();
    literal.expect(':');
    if (key == "descr") {
      once(has_descr);
      if (literal.takes('[')) {  // what is in it nobody needs to know
        header.descr = "[...]";
        header.kind = "records of several fields";
        return;
      }
      set_type(header, literal.text());
    } else if (key == "fortran_order") {
      once(has_order);
      header.is_fortran = literal.takes("True");
      if (!header.is_fortran && !literal.takes("False")) refuse_header("expected True or False as fortran_order");
    } else if (key == "shape") {
      once(has_shape);
      read_sizes(literal, header);
    } else {
      refuse_header("expected descr, fortran_order or shape, got \"" + escaped(key, kShownHeaderBytes) + '"');
    }
    if (!literal.takes(',')) {
      literal.expect('}');
      break;
    }
  }
  literal.expect_end();
  if (!has_descr || !has_order || !has_shape) refuse_header("expected descr, fortran_order and shape, got fewer");
}

}  // namespace

NpyHeader read_npy_header(std::uint64_t file_bytes,
                          const std::function<std::vector<std::byte>(std::uint64_t, std::size_t)>& read) {
  constexpr std::size_t kFirstBytes = 10, kWideBytes = 12;
  if (file_bytes < kWideBytes) refuse_header("expected at least 12 bytes, got " + std::to_string(file_bytes));
  const std::vector<std::byte> first = read(0, kWideBytes);
  if (std::memcmp(first.data(), kNumpyMagic.data(), kNumpyMagic.size()) != 0) {
    refuse_header("expected \\x93NUMPY as the first bytes, got others");
  }
  const auto major = std::to_integer<unsigned>(first[6]), minor = std::to_integer<unsigned>(first[7]);
  if (major < 1 || major > 3 || minor != 0) {
    refuse_header("expected version 1.0, 2.0 or 3.0, got " + std::to_string(major) + '.' + std::to_string(minor));
  }
  NpyHeader header;
  header.bytes = major == 1 ? kFirstBytes : kWideBytes;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < header.bytes - 8; ++i) length |= std::to_integer<std::uint32_t>(first[8 + i]) << (8 * i);
  const std::uint64_t most = std::min<std::uint64_t>(kMaxTextBytes, file_bytes - header.bytes);
  if (length > most)
    refuse_header("expected at most " + std::to_string(most) + " bytes, got " + std::to_string(length));
  const std::vector<std::byte> text = read(header.bytes, length);
  header.bytes += length;
  parse({reinterpret_cast<const char*>(text.data()), text.size()}, header);
  return header;
}

TensorType npy_type(const NpyHeader& header, std::uint64_t file_bytes) {
  TensorType type{Shape(std::span<const std::int64_t>(header.sizes)), *header.dtype};
  try {
    const std::uint64_t bytes = static_cast<std::uint64_t>(numel(type.shape)) * size_of(type.dtype);
    if (bytes != file_bytes - header.bytes) {
      refuse_header("expected " + std::to_string(bytes) + " bytes for " + header.descr + ' ' + to_string(type.shape) +
                    ", got " + std::to_string(file_bytes - header.bytes) +
                    (bytes > file_bytes - header.bytes ? ": the file was cut off" : ": something was appended"));
    }
  } catch (const ShapeError& error) {
    refuse_header(error.what());
  }
  return type;
}

std::optional<std::string> npy_header_for(const TensorType& type) {
  const auto found =
      std::find_if(kDescrs.begin(), kDescrs.end(), [&](const Descr& one) { return one.dtype == type.dtype; });
  if (found == kDescrs.end()) return {};
  std::string text = "{'descr': '" + std::string(size_of(type.dtype) == 1 ? "|" : "<") + std::string(found->name) +
                     "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < type.shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(type.shape[i]);
  text += type.shape.size() == 1 ? ",), }" : "), }";
  const std::size_t head = kNumpyMagic.size() + 4;
  const std::size_t total = (head + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(total - head - 1, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string header(kNumpyMagic);
  for (const unsigned byte : {1u, 0u, length & 0xffu, static_cast<unsigned>(length) >> 8})
    header += static_cast<char>(byte);
  return header + text;
}

}  // namespace teff::serialize
