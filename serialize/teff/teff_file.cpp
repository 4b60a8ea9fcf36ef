// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/teff_file.h"

#include <algorithm>
#include <array>

#include "teff/engine/error.h"
#include "teff/serialize/io/checksum.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/tensor_data.h"
#include "teff/serialize/teff/tensor_table.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kHolds[] = {"", "a dictionary (state dict or checkpoint)", "an entire model"};
constexpr std::string_view kReadBy[] = {"", "load", "load_model"};

/// `items`: of the rest of the header.
std::vector<std::byte> encode(const std::vector<TensorEntry>& table, std::size_t items) {
  HeaderWriter archive(items);
  archive(table);
  return archive.bytes();
}

/// Preamble, table, metadata and content in one piece.
class Head {
 public:
  Head(FileKind kind, const HeaderWriter& rest)
      : bytes_(kPreambleBytes), tensors_(rest.tensors()), items_(rest.items()) {
    preamble_.kind = kind;
    preamble_.features = rest.features();
    table_.assign(tensors_.size(), {});
    for (std::size_t i = 0; i < tensors_.size(); ++i) table_[i].type = tensors_[i].type();
    const std::vector<std::byte> table = encode(table_, items_);
    bytes_.insert(bytes_.end(), table.begin(), table.end());
    bytes_.insert(bytes_.end(), rest.bytes().begin(), rest.bytes().end());
    preamble_.header_bytes = bytes_.size() - kPreambleBytes;
    if (preamble_.header_bytes > kMaxHeaderBytes) {
      throw ValueError("expected names, text and structure of at most " + std::to_string(kMaxHeaderBytes) +
                       " bytes, got " + std::to_string(preamble_.header_bytes) + ": keep large data as a tensor");
    }
  }

  void write(ByteSink& file) {
    const Layout layout = lay_out(tensors_, bytes_.size(), table_);
    preamble_.file_bytes = layout.file_bytes;
    write_data(file, bytes_, tensors_, layout, table_, [&] { finish(); });
  }

 private:
  /// Once the tensors' checksums are known. The table takes the same number of bytes, whatever they are.
  void finish() {
    const std::vector<std::byte> table = encode(table_, items_);
    std::copy(table.begin(), table.end(), bytes_.begin() + kPreambleBytes);
    preamble_.header_checksum = checksum(std::span(bytes_).subspan(kPreambleBytes));
    const PreambleBytes preamble = serialize::encode(preamble_);
    std::copy(preamble.begin(), preamble.end(), bytes_.begin());
  }

  Preamble preamble_;
  std::vector<std::byte> bytes_;
  const std::vector<Tensor>& tensors_;
  std::size_t items_;
  std::vector<TensorEntry> table_;
};

Preamble read_preamble(const ByteSource& file, bool whole) {
  PreambleBytes bytes;
  const auto first =
      std::span(bytes).first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), file.size())));
  file.read(first, 0);
  const Preamble preamble = decode_preamble(first);
  if (whole) check_file_bytes(preamble, file.size());
  check_header_bytes(preamble, file.size());
  return preamble;
}

void check_kind(FileKind actual, FileKind expected) {
  if (actual == expected) return;
  const auto index = static_cast<std::size_t>(actual);
  throw FormatError("it holds " + std::string(kHolds[index]) + ": use " + std::string(kReadBy[index]));
}

std::vector<std::byte> read_header(const ByteSource& file, const Preamble& preamble) {
  std::vector<std::byte> header(static_cast<std::size_t>(preamble.header_bytes));
  file.read(header, kPreambleBytes);
  if (const std::uint64_t actual = checksum(header); actual != preamble.header_checksum) {
    throw FormatError("header at offset 64: damaged: expected checksum " + hex(preamble.header_checksum) + ", got " +
                      hex(actual));
  }
  return header;
}

}  // namespace

void write_teff(ByteSink& file, FileKind kind, const Dict& metadata,
                const std::function<void(HeaderWriter&)>& content) {
  HeaderWriter rest;
  rest(metadata);
  content(rest);
  Head(kind, rest).write(file);
}

TeffHeader::TeffHeader(const ByteSource& file, bool whole)
    : preamble(read_preamble(file, whole)),
      bytes(read_header(file, preamble)),
      archive(bytes, kPreambleBytes, preamble.features) {
  archive(table);
  layout = check_layout(table, end(), preamble.file_bytes);
}

Dict read_teff(const ByteSource& file, FileKind kind, const LoadOptions& options,
               const std::function<void(HeaderReader&)>& content) {
  TeffHeader header(file);
  check_kind(header.preamble.kind, kind);
  const std::shared_ptr<const Mapping> mapping = options.mmap ? file.map() : nullptr;
  const std::vector<Tensor> tensors = make_tensors(header.table, header.layout, mapping);

  HeaderReader& archive = header.archive;
  archive.set_tensors(tensors);
  Dict metadata;
  archive(metadata);
  content(archive);
  archive.finish();
  read_data(file, header.end(), header.table, header.layout, tensors,
            {mapping.get(), options.verify, [&](std::size_t tensor) { return archive.name_of(tensor); }});
  return metadata;
}

}  // namespace teff::serialize
