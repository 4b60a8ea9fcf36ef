// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <teff/engine/tensor.h>

namespace fashion {

/// The most bytes, unpacked, that an IDX file may hold.
inline constexpr std::size_t kMaxIdxBytes = std::size_t{1} << 28;

/// Reads an IDX file of unsigned bytes, the format of MNIST, gzip'd or not, as a uint8 tensor:
///
///     offset  type       field
///          0  uint16     0
///          2  uint8      type of the elements; 8: unsigned byte
///          3  uint8      number of dimensions, 1 to 8
///          4  uint32[d]  sizes, big-endian, the slowest dimension first
///        ...  uint8[]    elements
///
/// @throws teff::IoError if the file cannot be read; teff::FormatError, with its name, if it is anything
/// else.
teff::Tensor read_idx(const std::string& path);

/// The same for the content of a file. `name` begins error messages.
teff::Tensor parse_idx(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace fashion
