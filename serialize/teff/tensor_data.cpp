// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/tensor_data.h"

#include <algorithm>
#include <array>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/parallel.h"
#include "teff/serialize/io/checksum.h"
#include "teff/serialize/teff/preamble.h"

namespace teff::serialize {
namespace {

// Bytes between two system calls: they are hashed while they are in the core's cache.
constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kMaxChunkPieces = 512;
// Bytes that one task of parallel_for reads.
constexpr std::uint64_t kTaskBytes = 4 * 1024 * 1024;

std::span<std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.raw_data()), tensor.nbytes()};
}

Piece as_piece(std::span<std::byte> bytes) { return {bytes.data(), bytes.size()}; }

bool are_zeros(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

constexpr const char* kNotZeros = "expected zeros before it, got others: damaged";
constexpr const char* kNotBools = "expected bool values of 0 or 1, got others";

std::string wrong_checksum(std::uint64_t stored, std::uint64_t actual) {
  return "damaged: expected checksum " + hex(stored) + ", got " + hex(actual);
}

/// Calls function(bytes, is_last) for the chunks of a tensor.
template <class Function>
void for_chunks(std::span<std::byte> bytes, Function&& function) {
  while (bytes.size() > kChunkBytes) {
    function(bytes.first(kChunkBytes), false);
    bytes = bytes.subspan(kChunkBytes);
  }
  function(bytes, true);
}

/// Gathers pieces of the file in memory and writes them with few system calls.
class PieceWriter {
 public:
  explicit PieceWriter(ByteSink& file) : file_(file) {}

  void add(std::span<std::byte> bytes) {
    if (bytes.empty()) return;
    pieces_.push_back(as_piece(bytes));
    pending_ += bytes.size();
  }
  bool is_full() const { return pending_ >= kChunkBytes || pieces_.size() >= kMaxChunkPieces; }
  void flush() {
    file_.write(std::span(pieces_), offset_);
    offset_ += pending_;
    pending_ = 0;
    pieces_.clear();
  }
  std::uint64_t flushed() const { return offset_; }
  std::uint64_t offset() const { return offset_ + pending_; }

 private:
  ByteSink& file_;
  std::vector<Piece> pieces_;
  std::uint64_t offset_ = 0;
  std::uint64_t pending_ = 0;
};

/// Reads tensors that follow each other in the file, and checks what it reads.
class DataReader {
 public:
  DataReader(const ByteSource& file, const std::vector<TensorEntry>& table, std::span<const Tensor> tensors,
             const ReadOptions& options)
      : file_(file), table_(table), tensors_(tensors), options_(options) {}

  /// `offset`: of the padding before the first tensor.
  void run(std::span<const std::size_t> owners, std::uint64_t offset) {
    offset_ = offset;
    for (const std::size_t owner : owners) {
      const std::uint64_t padding = table_[owner].offset - offset_ - pending_;
      add({kPadding, owner, padding_at(padding)});
      for_chunks(bytes_of(tensors_[owner]), [&](std::span<std::byte> bytes, bool is_last) {
        add({is_last ? kLast : kMiddle, owner, bytes});
      });
    }
    flush();
  }

 private:
  enum Role { kPadding, kMiddle, kLast };
  struct Part {
    Role role;
    std::size_t tensor;  // it belongs to, or comes before
    std::span<std::byte> bytes;
  };

  std::span<std::byte> padding_at(std::uint64_t bytes) {
    const auto count = static_cast<std::size_t>(bytes);
    if (options_.mapping != nullptr) return {options_.mapping->data() + offset_ + pending_, count};
    return std::span(padding_[pieces_.size()]).first(count);
  }

  void add(const Part& piece) {
    pieces_.push_back(piece);
    pending_ += piece.bytes.size();
    if (pending_ >= kChunkBytes || pieces_.size() >= padding_.size()) flush();
  }

  void flush() {
    if (options_.mapping == nullptr) {
      requests_.clear();
      for (const Part& piece : pieces_) requests_.push_back(as_piece(piece.bytes));
      file_.read(requests_, offset_);
    }
    for (const Part& piece : pieces_) check(piece);
    offset_ += pending_;
    pending_ = 0;
    pieces_.clear();
  }

  void check(const Part& piece) {
    if (piece.role == kPadding) {
      if (are_zeros(piece.bytes)) return;
      refuse(piece.tensor, kNotZeros);
    }
    if (table_[piece.tensor].type.dtype == DType::bool_ && !are_bools(piece.bytes)) {
      refuse(piece.tensor, kNotBools);
    }
    if (!options_.verify) return;
    checksum_.update(piece.bytes);
    if (piece.role == kMiddle) return;
    const std::uint64_t stored = table_[piece.tensor].checksum;
    const std::uint64_t actual = checksum_.finish();
    if (actual != stored) refuse(piece.tensor, wrong_checksum(stored, actual));
  }

  [[noreturn]] void refuse(std::size_t tensor, const std::string& what) const {
    throw FormatError("tensor " + options_.name_of(tensor) + " at offset " + std::to_string(table_[tensor].offset) +
                      ": " + what);
  }

  const ByteSource& file_;
  const std::vector<TensorEntry>& table_;
  std::span<const Tensor> tensors_;
  const ReadOptions& options_;
  Checksum checksum_;
  std::uint64_t offset_ = 0;  // of the first piece
  std::uint64_t pending_ = 0;
  std::vector<Part> pieces_;
  std::vector<Piece> requests_;
  std::array<std::array<std::byte, kAlignment>, kMaxChunkPieces> padding_;
};

/// Splits the owners into runs of about kTaskBytes: the first of each, and the end.
std::vector<std::size_t> task_bounds(const Layout& layout, const std::vector<TensorEntry>& table) {
  std::vector<std::size_t> bounds{0};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < layout.owners.size(); ++i) {
    bytes += table[layout.owners[i]].bytes;
    if (bytes < kTaskBytes && i + 1 < layout.owners.size()) continue;
    bounds.push_back(i + 1);
    bytes = 0;
  }
  return bounds;
}

}  // namespace

namespace {

/// Sets the checksums of all entries, from those of the owners.
void share_checksums(const Layout& layout, std::vector<TensorEntry>& table) {
  for (std::size_t i = 0; i < table.size(); ++i) table[i].checksum = table[layout.owner_of[i]].checksum;
}

/// Reads every tensor once more than writing does: for sinks that take each byte once.
void compute_checksums(std::span<const Tensor> tensors, const Layout& layout, std::vector<TensorEntry>& table) {
  parallel_for(static_cast<std::int64_t>(layout.owners.size()), [&](std::int64_t i) {
    const std::size_t owner = layout.owners[static_cast<std::size_t>(i)];
    table[owner].checksum = checksum(bytes_of(tensors[owner]));
  });
  share_checksums(layout, table);
}

}  // namespace

void write_data(ByteSink& file, std::span<std::byte> head, std::span<const Tensor> tensors, const Layout& layout,
                std::vector<TensorEntry>& table, const std::function<void()>& finish) {
  static std::array<std::byte, kAlignment> zeros{};
  const bool rewritable = file.is_rewritable();
  if (!rewritable) {
    compute_checksums(tensors, layout, table);
    finish();
  }
  Checksum checksum;
  PieceWriter writer(file);
  writer.add(head);
  for (const std::size_t owner : layout.owners) {
    TensorEntry& entry = table[owner];
    writer.add(std::span(zeros).first(static_cast<std::size_t>(entry.offset - writer.offset())));
    for_chunks(bytes_of(tensors[owner]), [&](std::span<std::byte> bytes, bool is_last) {
      if (rewritable) checksum.update(bytes);
      if (rewritable && is_last) entry.checksum = checksum.finish();
      writer.add(bytes);
      if (writer.is_full() && writer.offset() < layout.file_bytes) writer.flush();
    });
  }
  if (rewritable) {
    share_checksums(layout, table);
    finish();
  }
  const bool head_is_written = writer.flushed() > 0;
  writer.flush();
  if (rewritable && head_is_written) file.write(head, 0);
}

Tensor make_tensor(const TensorEntry& entry, const std::shared_ptr<const Mapping>& mapping) {
  if (mapping == nullptr || entry.bytes == 0) return empty(entry.type.shape, {.dtype = entry.type.dtype});
  return Tensor::from_external(mapping->data() + entry.offset, entry.type, [mapping](void*) {});
}

std::vector<Tensor> make_tensors(const std::vector<TensorEntry>& table, const Layout& layout,
                                 const std::shared_ptr<const Mapping>& mapping) {
  const NoGradGuard no_grad;
  std::vector<Tensor> tensors;
  tensors.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const TensorEntry& entry = table[i];
    if (layout.owner_of[i] != i) {
      tensors.push_back(tensors[layout.owner_of[i]].view(entry.type.shape));
    } else {
      tensors.push_back(make_tensor(entry, mapping));
    }
  }
  return tensors;
}

void read_data(const ByteSource& file, std::uint64_t header_end, const std::vector<TensorEntry>& table,
               const Layout& layout, std::span<const Tensor> tensors, const ReadOptions& options) {
  const std::vector<std::size_t> bounds = task_bounds(layout, table);
  parallel_for(static_cast<std::int64_t>(bounds.size()) - 1, [&](std::int64_t task) {
    const auto i = static_cast<std::size_t>(task);
    const auto owners = std::span(layout.owners).subspan(bounds[i], bounds[i + 1] - bounds[i]);
    std::uint64_t offset = header_end;
    if (bounds[i] > 0) {
      const TensorEntry& before = table[layout.owners[bounds[i] - 1]];
      offset = before.offset + before.bytes;
    }
    DataReader(file, table, tensors, options).run(owners, offset);
  });
}

void read_some(const ByteSource& file, const std::vector<TensorEntry>& table, std::span<const std::size_t> owners,
               std::span<const Tensor> tensors, const ReadOptions& options) {
  parallel_for(static_cast<std::int64_t>(owners.size()), [&](std::int64_t i) {
    const std::size_t owner = owners[static_cast<std::size_t>(i)];
    DataReader(file, table, tensors, options).run({&owner, 1}, table[owner].offset);
  });
}

std::string find_damage(const ByteSource& file, const TensorEntry& entry) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(entry.bytes, kChunkBytes)));
  Checksum checksum;
  for (std::uint64_t done = 0; done < entry.bytes;) {
    const std::uint64_t bytes = std::min<std::uint64_t>(entry.bytes - done, buffer.size());
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(bytes));
    file.read(piece, entry.offset + done);
    if (entry.type.dtype == DType::bool_ && !are_bools(piece)) return kNotBools;
    checksum.update(piece);
    done += bytes;
  }
  const std::uint64_t actual = checksum.finish();
  return actual == entry.checksum ? "" : wrong_checksum(entry.checksum, actual);
}

std::string find_padding_damage(const ByteSource& file, const TensorEntry& entry, std::uint64_t offset) {
  std::array<std::byte, kAlignment> padding;
  const auto bytes = std::span(padding).first(static_cast<std::size_t>(entry.offset - offset));
  file.read(bytes, offset);
  return are_zeros(bytes) ? "" : kNotZeros;
}

}  // namespace teff::serialize
