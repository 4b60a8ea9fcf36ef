// SPDX-License-Identifier: MIT
#pragma once

// A small language for tests of PyTorch's files: zip files and pickles put together by hand.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serialize/file_fixture.h"

namespace teff::testing {

/// An entry of a zip file. What is set replaces what is right.
struct ZipPart {
  std::string name;
  std::string data;
  std::string extra = {};  // of the directory
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::optional<std::uint32_t> crc = {};  // in both headers, as all of these
  std::optional<std::uint32_t> packed = {};
  std::optional<std::uint32_t> bytes = {};
  std::optional<std::uint32_t> header = {};    // offset, in the directory
  std::optional<std::string> local_name = {};  // in the local header
  std::string gap = {};                        // after the data
};

/// The fields of the end of the directory that differ from what is right.
struct ZipEnd {
  std::optional<std::uint16_t> entries = {};
  std::optional<std::uint32_t> bytes = {};
  std::optional<std::uint32_t> offset = {};
  std::string comment = {};
};

std::string zip_of(const std::vector<ZipPart>& parts, const ZipEnd& end = {});

/// A number of `size` bytes, little-endian.
std::string number(std::uint64_t value, std::size_t size);

// Pieces of pickles.

inline const std::string kProto = "\x80\x02";
std::string text(std::string_view text);                             // BINUNICODE
std::string global(std::string_view module, std::string_view name);  // GLOBAL
std::string tuple(std::string_view items);                           // MARK ... TUPLE
std::string dict(std::string_view items);                            // EMPTY_DICT MARK ... SETITEMS

/// What stands in a pickle for a tensor. Sizes and strides are pickles themselves: "K\x02\x85".
struct TensorPart {
  std::string type = "FloatStorage";
  std::string key = "0";
  std::string numel = "K\x02";
  std::string offset = std::string("K\0", 2);
  std::string sizes = "K\x02\x85";
  std::string strides = "K\x01\x85";
};
std::string tensor_pickle(const TensorPart& part = {});

/// A file with this pickle, two floats as data/0, and other entries.
std::string pt_of(std::string_view pickle, std::vector<ZipPart> more = {});
/// The same with the dict {"a": the tensor}.
std::string pt_with(const TensorPart& part);

Dict load_bytes(std::string_view bytes, const LoadOptions& options = {});

}  // namespace teff::testing
