// SPDX-License-Identifier: MIT
#pragma once

// Private: protocol buffers, written. A message is put together before it is written, for what encloses it says how
// long it is; the bytes of tensors stay where they are.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/io/byte_sink.h"

namespace teff::serialize {

class WireMessage {
 public:
  void number(std::uint32_t field, std::int64_t value);
  void real(std::uint32_t field, float value);
  void text(std::uint32_t field, std::string_view value);
  void message(std::uint32_t field, WireMessage value);
  /// The tensor's bytes, of which it holds a handle.
  void bytes(std::uint32_t field, const Tensor& value);

  std::uint64_t size() const { return bytes_; }
  /// From offset 0 on. @throws IoError.
  void write(ByteSink& sink) const;

 private:
  /// The text and, behind it, the tensor.
  struct Piece {
    std::string text;
    Tensor tensor;
  };

  void varint(std::uint64_t number);
  void key(std::uint32_t field, std::uint32_t kind) { varint(std::uint64_t{field} << 3 | kind); }
  void append(std::string_view text);

  std::vector<Piece> pieces_;
  std::uint64_t bytes_ = 0;
};

}  // namespace teff::serialize
