// SPDX-License-Identifier: MIT
#pragma once

// Private: the table of the tensors of a .teff file, and where their bytes lie. See FORMAT.md.

#include <cstdint>
#include <span>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/teff/dict_codec.h"

namespace teff::serialize {

struct TensorEntry {
  TensorType type;
  std::uint64_t offset = 0;  // in the file; 0 for a tensor without elements
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

template <class Archive>
void serialize(Archive& archive, TensorEntry& entry) {
  archive(entry.type, entry.offset, entry.bytes, entry.checksum);
}
template <>
inline constexpr std::size_t kMinBytes<TensorEntry> = 40;

/// Where every tensor of the table finds its bytes: the tensors that come first at their place ("owners"), in
/// the order of the file, and for every tensor the owner whose bytes it shares, often itself.
struct Layout {
  std::vector<std::size_t> owners;
  std::vector<std::size_t> owner_of;  // by tensor
  std::uint64_t file_bytes = 0;
};

/// Gives each entry type, offset and length, for a header that ends at `header_end`. Tensors of one dtype on
/// the same memory share their place.
Layout lay_out(std::span<const Tensor> tensors, std::uint64_t header_end, std::vector<TensorEntry>& table);

/// Checks that the entries lie as lay_out puts them: aligned, one after the other, without gap or overlap, up
/// to the end of the file. @throws FormatError.
Layout check_layout(const std::vector<TensorEntry>& table, std::uint64_t header_end, std::uint64_t file_bytes);

/// The next place where a tensor may begin.
constexpr std::uint64_t align(std::uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace teff::serialize
