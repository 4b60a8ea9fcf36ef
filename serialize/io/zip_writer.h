// SPDX-License-Identifier: MIT
#pragma once

// Private: zip files as torch.save writes them: entries that are not compressed, their bytes at multiples of 64.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/io/byte_sink.h"

namespace teff::serialize {

class ZipWriter {
 public:
  struct Entry {
    std::string name;  // with the root
    std::uint64_t header = 0;
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;
  };

  /// `root`: the folder of all entries; empty for none. Refers to the sink, which takes each byte once, in order.
  ZipWriter(ByteSink& sink, std::string root) : sink_(sink), root_(std::move(root)) {}

  /// An entry of these bytes, and of more behind them.
  void add(std::string_view name, std::span<const std::byte> bytes, std::span<const std::byte> more = {});
  /// The entries so far.
  const std::vector<Entry>& entries() const { return entries_; }
  /// Writes the directory.
  void finish();

 private:
  void put_bytes(Entry& entry, std::span<const std::byte> bytes);
  void put_local_header(const Entry& entry);
  void put_descriptor(const Entry& entry);
  void put_directory();
  void flush();

  ByteSink& sink_;
  const std::string root_;
  std::vector<Entry> entries_;
  std::vector<std::byte> pending_;  // of headers and small entries
  std::uint64_t flushed_ = 0;
};

}  // namespace teff::serialize
