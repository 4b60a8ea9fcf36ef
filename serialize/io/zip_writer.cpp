// SPDX-License-Identifier: MIT
#include "teff/serialize/io/zip_writer.h"

#include <algorithm>

#include "teff/serialize/io/crc32.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/zip_format.h"

namespace teff::serialize {
namespace {

using namespace zip;

constexpr std::size_t kZipChunkBytes = 256 * 1024;  // checked while they are in the core's cache, then written
constexpr std::size_t kSmallBytes = 16 * 1024;      // below, gathering is quicker than a system call
constexpr std::uint16_t kMadeBy = 0x031e, kNeeded = 0x2d;

std::uint16_t flags_of(const ZipWriter::Entry& entry) {
  return entry.bytes > 0 ? kHasDescriptor | kUtf8Name : kUtf8Name;
}

bool is_large(std::uint64_t number) { return number >= kElsewhere32; }

std::uint32_t narrow(std::uint64_t number) {
  return is_large(number) ? kElsewhere32 : static_cast<std::uint32_t>(number);
}

void put_text(std::vector<std::byte>& bytes, std::string_view text) {
  const auto raw = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

}  // namespace

void ZipWriter::add(std::string_view name, std::span<const std::byte> bytes, std::span<const std::byte> more) {
  const std::string root = root_.empty() ? "" : root_ + '/';
  Entry entry{root + std::string(name), flushed_ + pending_.size(), bytes.size() + more.size()};
  put_local_header(entry);
  put_bytes(entry, bytes);
  put_bytes(entry, more);
  if (entry.bytes > 0) put_descriptor(entry);
  if (pending_.size() >= kZipChunkBytes) flush();
  entries_.push_back(std::move(entry));
}

void ZipWriter::put_bytes(Entry& entry, std::span<const std::byte> bytes) {
  if (bytes.size() <= kSmallBytes) {
    entry.crc = crc32(bytes, entry.crc);
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    return;
  }
  flush();
  while (!bytes.empty()) {
    const auto chunk = bytes.first(std::min(bytes.size(), kZipChunkBytes));
    entry.crc = crc32(chunk, entry.crc);
    sink_.write(chunk, flushed_);
    flushed_ += chunk.size();
    bytes = bytes.subspan(chunk.size());
  }
}

void ZipWriter::flush() {
  sink_.write(std::span<const std::byte>(pending_), flushed_);
  flushed_ += pending_.size();
  pending_.clear();
}

/// The checksum is not known yet: it stands behind the bytes, and in the directory. An extra field named FB fills up to
/// the next multiple of 64.
void ZipWriter::put_local_header(const Entry& entry) {
  const bool large = is_large(entry.bytes);
  const std::size_t wide = large ? 20 : 0;
  const std::uint64_t end = entry.header + kLocalBytes + entry.name.size() + wide + 4;
  const auto padding = static_cast<std::uint16_t>((kAlignment - end % kAlignment) % kAlignment);
  const std::uint32_t size = large ? kElsewhere32 : 0;
  const std::uint16_t zero = 0;
  put(pending_, kLocal, zero, flags_of(entry), zero, zero, zero, std::uint32_t{0}, size, size,
      static_cast<std::uint16_t>(entry.name.size()), static_cast<std::uint16_t>(wide + 4 + padding));
  put_text(pending_, entry.name);
  if (large) put(pending_, kZip64, std::uint16_t{16}, entry.bytes, entry.bytes);
  put_text(pending_, "FB");
  put(pending_, padding);
  pending_.insert(pending_.end(), padding, std::byte{'Z'});
}

void ZipWriter::put_descriptor(const Entry& entry) {
  put(pending_, kDescriptor, entry.crc);
  if (is_large(entry.bytes)) {
    put(pending_, entry.bytes, entry.bytes);
  } else {
    put(pending_, narrow(entry.bytes), narrow(entry.bytes));
  }
}

void ZipWriter::put_directory() {
  const std::uint16_t zero = 0;
  for (const Entry& entry : entries_) {
    const std::uint16_t wide =
        static_cast<std::uint16_t>((is_large(entry.bytes) ? 16 : 0) + (is_large(entry.header) ? 8 : 0));
    put(pending_, kCentral, zero, zero, flags_of(entry), zero, zero, zero, entry.crc, narrow(entry.bytes),
        narrow(entry.bytes), static_cast<std::uint16_t>(entry.name.size()),
        static_cast<std::uint16_t>(wide > 0 ? wide + 4 : 0), zero, zero, zero, std::uint32_t{0}, narrow(entry.header));
    put_text(pending_, entry.name);
    if (wide > 0) put(pending_, kZip64, wide);
    if (is_large(entry.bytes)) put(pending_, entry.bytes, entry.bytes);
    if (is_large(entry.header)) put(pending_, entry.header);
  }
}

void ZipWriter::finish() {
  const std::uint64_t begin = flushed_ + pending_.size();
  put_directory();
  const std::uint64_t end = flushed_ + pending_.size(), count = entries_.size();
  put(pending_, kEnd64, std::uint64_t{kEnd64Bytes - 12}, kMadeBy, kNeeded, std::uint32_t{0}, std::uint32_t{0}, count,
      count, end - begin, begin);
  put(pending_, kLocator, std::uint32_t{0}, end, std::uint32_t{1});
  const std::uint16_t zero = 0, entries = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kElsewhere16));
  put(pending_, kEnd, zero, zero, entries, entries, narrow(end - begin), narrow(begin), zero);
  flush();
}

}  // namespace teff::serialize
