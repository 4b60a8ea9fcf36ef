// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/tensor_table.h"

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

[[noreturn]] void refuse(std::size_t tensor, const std::string& what) {
  throw FormatError("tensor " + std::to_string(tensor) + " of the table: " + what);
}

/// The owner of the bytes at an entry's offset, if it is not the entry itself.
std::size_t find_owner(const std::vector<TensorEntry>& table, std::size_t tensor, std::uint64_t expected,
                       const std::unordered_map<std::uint64_t, std::size_t>& owners) {
  const TensorEntry& entry = table[tensor];
  const auto owner = owners.find(entry.offset);
  if (owner == owners.end()) {
    refuse(tensor, "expected offset " + std::to_string(expected) + ", or that of an earlier tensor, got " +
                       std::to_string(entry.offset));
  }
  const TensorEntry& other = table[owner->second];
  if (entry.bytes != other.bytes || entry.type.dtype != other.type.dtype || entry.checksum != other.checksum) {
    refuse(tensor, "expected dtype, length and checksum of tensor " + std::to_string(owner->second) +
                       ", whose offset it shares, got others");
  }
  return owner->second;
}

}  // namespace

Layout lay_out(std::span<const Tensor> tensors, std::uint64_t header_end, std::vector<TensorEntry>& table) {
  Layout layout{{}, {}, header_end};
  std::map<std::tuple<const void*, std::uint64_t, DType>, std::size_t> owners;
  table.assign(tensors.size(), {});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    TensorEntry& entry = table[i];
    entry.type = tensors[i].type();
    entry.bytes = tensors[i].nbytes();
    layout.owner_of.push_back(i);
    if (entry.bytes == 0) continue;
    const auto [owner, is_new] = owners.emplace(std::tuple(tensors[i].raw_data(), entry.bytes, entry.type.dtype), i);
    if (!is_new) {
      layout.owner_of[i] = owner->second;
      entry.offset = table[owner->second].offset;
      continue;
    }
    layout.owners.push_back(i);
    entry.offset = align(layout.file_bytes);
    layout.file_bytes = entry.offset + entry.bytes;
  }
  return layout;
}

Layout check_layout(const std::vector<TensorEntry>& table, std::uint64_t header_end, std::uint64_t file_bytes) {
  Layout layout{{}, {}, header_end};
  std::unordered_map<std::uint64_t, std::size_t> owners;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const TensorEntry& entry = table[i];
    const auto bytes = static_cast<std::uint64_t>(numel(entry.type.shape)) * size_of(entry.type.dtype);
    if (entry.bytes != bytes) {
      refuse(i, "expected " + std::to_string(bytes) + " bytes for " + std::string(to_string(entry.type.dtype)) + " " +
                    to_string(entry.type.shape) + ", got " + std::to_string(entry.bytes));
    }
    layout.owner_of.push_back(i);
    if (bytes == 0) {
      if (entry.offset != 0)
        refuse(i, "expected offset 0 for a tensor without elements, got " + std::to_string(entry.offset));
      if (entry.checksum != 0) refuse(i, "expected checksum 0 for a tensor without elements, got another");
      continue;
    }
    const std::uint64_t expected = align(layout.file_bytes);
    if (entry.offset != expected) {
      layout.owner_of[i] = find_owner(table, i, expected, owners);
      continue;
    }
    if (expected > file_bytes || bytes > file_bytes - expected) {
      refuse(i, "expected at most the " + std::to_string(file_bytes) + " bytes of the file, got an end at offset " +
                    std::to_string(expected + bytes));
    }
    owners.emplace(entry.offset, i);
    layout.owners.push_back(i);
    layout.file_bytes = expected + bytes;
  }
  if (layout.file_bytes != file_bytes) {
    throw FormatError("tensor table: expected the last tensor to end with the file, at offset " +
                      std::to_string(file_bytes) + ", got " + std::to_string(layout.file_bytes));
  }
  return layout;
}

}  // namespace teff::serialize
