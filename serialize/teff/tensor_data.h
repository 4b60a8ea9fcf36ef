// SPDX-License-Identifier: MIT
#pragma once

// Private: the tensors' bytes between memory and file, without a copy on the way.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/teff/tensor_table.h"

namespace teff::serialize {

/// Writes the head (preamble and header) and the tensors that own their bytes. Each checksum of the table is
/// set on the way; then `finish` is called once, to bring the bytes of the head up to date.
void write_data(ByteSink& file, std::span<std::byte> head, std::span<const Tensor> tensors, const Layout& layout,
                std::vector<TensorEntry>& table, const std::function<void()>& finish);

/// A tensor that has memory of its own for the entry: on the mapping if there is one, else not initialised.
Tensor make_tensor(const TensorEntry& entry, const std::shared_ptr<const Mapping>& mapping);

/// Tensors for the entries of the table, those that share a place sharing memory.
std::vector<Tensor> make_tensors(const std::vector<TensorEntry>& table, const Layout& layout,
                                 const std::shared_ptr<const Mapping>& mapping);

struct ReadOptions {
  const Mapping* mapping = nullptr;  // the tensors lie there: nothing is read
  bool verify = true;
  std::function<std::string(std::size_t)> name_of;  // of a tensor, for error messages
};

/// Fills the tensors and checks the padding before each, bool tensors' bytes, and, with `verify`, the
/// checksums.
void read_data(const ByteSource& file, std::uint64_t header_end, const std::vector<TensorEntry>& table,
               const Layout& layout, std::span<const Tensor> tensors, const ReadOptions& options);

/// Fills and checks only the tensors that are named, without the padding before them. Each must own its bytes.
void read_some(const ByteSource& file, const std::vector<TensorEntry>& table, std::span<const std::size_t> owners,
               std::span<const Tensor> tensors, const ReadOptions& options);

/// What is wrong with the bytes of a tensor, which are read piece by piece and not kept; empty if nothing is.
std::string find_damage(const ByteSource& file, const TensorEntry& entry);
/// The same for the padding before an entry, which begins at `offset`.
std::string find_padding_damage(const ByteSource& file, const TensorEntry& entry, std::uint64_t offset);

}  // namespace teff::serialize
