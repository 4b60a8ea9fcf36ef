// SPDX-License-Identifier: MIT
#pragma once

// Private: what stands in front of the elements of an array in NumPy's .npy format, versions 1.0 to 3.0: a magic, a
// length, and a dictionary as Python writes it, which is read and never evaluated.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"

namespace teff::serialize {

struct NpyHeader {
  std::string descr;           // "<f8"
  std::optional<DType> dtype;  // none: Teff has no such type, and `kind` says what it is
  std::string kind;
  bool is_swapped = false;  // its bytes are in the order of big-endian machines
  bool is_fortran = false;  // the first dimension changes quickest
  std::vector<std::int64_t> sizes;
  std::uint64_t bytes = 0;  // of the header: where the elements begin
};

/// `read(offset, bytes)` gives bytes of a file of `file_bytes` bytes. @throws FormatError
NpyHeader read_npy_header(std::uint64_t file_bytes,
                          const std::function<std::vector<std::byte>(std::uint64_t, std::size_t)>& read);

/// The type of the header's array. @throws FormatError for a shape that Teff does not have, or if the elements are not
/// what follows the header up to the end of the file.
TensorType npy_type(const NpyHeader& header, std::uint64_t file_bytes);

/// The header that NumPy writes for such an array in the order of C; none for a dtype that it does not have.
std::optional<std::string> npy_header_for(const TensorType& type);

}  // namespace teff::serialize
