// SPDX-License-Identifier: MIT
#include "teff/serialize/io/zip_reader.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "teff/engine/error.h"
#include "teff/serialize/io/crc32.h"
#include "teff/serialize/io/inflate.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/zip_format.h"

namespace teff::serialize {
namespace {

using namespace zip;

constexpr std::size_t kShownNameBytes = 200;
constexpr std::uint16_t kDeflated = 8;
// What packed entries may unfold to, together, beyond a multiple of the file's size.
constexpr std::uint64_t kMaxUnfolding = 16, kUnfoldingSlack = 16 * 1024 * 1024;
// macOS keeps what its file system knows of a file beside it in the zip, under this folder.
constexpr std::string_view kOfMac = "__MACOSX/";

[[noreturn]] void refuse_zip(const std::string& what) { throw FormatError("zip: " + what); }

[[noreturn]] void refuse_zip(const ZipEntry& entry, const std::string& what) {
  refuse_zip("entry " + quoted_name(entry.name) + ": " + what);
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> read_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t count) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  source.read(std::span(bytes), offset);
  return bytes;
}

/// How many bytes of comment end the file: the last end of a directory that is followed by as many as it says.
std::uint64_t comment_bytes(const ByteSource& source) {
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{0xffff}}) {  // nearly always there is none
    const std::uint64_t count = std::min<std::uint64_t>(source.size(), kEndBytes + most);
    const std::vector<std::byte> tail = read_bytes(source, source.size() - count, count);
    for (std::size_t comment = 0; comment + kEndBytes <= tail.size(); ++comment) {
      const auto end = std::span(tail).subspan(tail.size() - comment - kEndBytes);
      std::uint32_t signature = 0;
      std::uint16_t length = 0;
      Fields(end).get(signature);
      Fields(end.subspan(kEndBytes - sizeof length)).get(length);
      if (signature == kEnd && length == comment) return comment;
    }
  }
  return 0;
}

/// The end of the directory, which must be the end of the file, but for a comment of that many bytes.
ZipDirectory read_end(std::span<const std::byte> tail, std::uint64_t comment_bytes) {
  std::uint32_t signature = 0, bytes = 0, offset = 0;
  std::uint16_t disk = 0, first_disk = 0, here = 0, entries = 0, comment = 0;
  if (tail.size() >= kEndBytes) {
    Fields(tail.last(kEndBytes)).get(signature, disk, first_disk, here, entries, bytes, offset, comment);
  }
  if (signature != kEnd || comment != comment_bytes) {
    refuse_zip(
        "expected the end of the directory as the last bytes, got others: the file was cut off, or something was "
        "appended");
  }
  if (disk != 0 || first_disk != 0 || here != entries) refuse_zip("expected a file in one part");
  return {entries, bytes, offset};
}

bool needs_end64(const ZipDirectory& directory) {
  return directory.entries == kElsewhere16 || directory.bytes == kElsewhere32 || directory.offset == kElsewhere32;
}

bool has_end64(std::span<const std::byte> tail) {
  if (tail.size() < kEnd64Bytes + kLocatorBytes + kEndBytes) return false;
  std::uint32_t signature = 0;
  Fields(tail.subspan(kEnd64Bytes)).get(signature);
  return signature == kLocator;
}

/// Takes the numbers from the ZIP64 record, which `tail` begins with at that offset. Those that fit stand in both.
void widen(ZipDirectory& directory, std::span<const std::byte> tail, std::uint64_t offset) {
  std::uint64_t length = 0, here = 0, locator_offset = 0;
  std::uint32_t signature = 0, locator = 0, disk = 0, first_disk = 0, locator_disk = 0, disks = 0;
  std::uint16_t made_by = 0, needed = 0;
  ZipDirectory wide;
  Fields(tail).get(signature, length, made_by, needed, disk, first_disk, here, wide.entries, wide.bytes, wide.offset,
                   locator, locator_disk, locator_offset, disks);
  const bool one_part = disk == 0 && first_disk == 0 && locator_disk == 0 && disks <= 1 && here == wide.entries;
  const auto same = [](std::uint64_t value, std::uint64_t narrow, std::uint64_t elsewhere) {
    return value == narrow || narrow == elsewhere;
  };
  if (signature != kEnd64 || length != kEnd64Bytes - 12 || locator_offset != offset || !one_part ||
      !same(wide.entries, directory.entries, kElsewhere16) || !same(wide.bytes, directory.bytes, kElsewhere32) ||
      !same(wide.offset, directory.offset, kElsewhere32)) {
    refuse_zip("the two ends of the directory do not agree");
  }
  directory = wide;
}

/// The numbers of a directory's entry that did not fit are in its extra field, in this order.
void read_zip64(ZipEntry& entry, std::span<const std::byte> extra) {
  const auto needs = [](std::uint64_t value) { return value == kElsewhere32; };
  bool missing = needs(entry.bytes) || needs(entry.packed) || needs(entry.header);
  for (Fields fields(extra); fields.left() > 0;) {
    std::uint16_t id = 0, size = 0;
    if (fields.left() < 4) refuse_zip(entry, "expected extra fields of at least 4 bytes, got the end");
    fields.get(id, size);
    if (size > fields.left()) refuse_zip(entry, "an extra field is longer than what holds it");
    Fields field(fields.take(size));
    if (id != kZip64) continue;
    if (!std::exchange(missing, false)) refuse_zip(entry, "expected no ZIP64 field, or no further one, got one");
    for (std::uint64_t* value : {&entry.bytes, &entry.packed, &entry.header}) {
      if (!needs(*value)) continue;
      if (field.left() < 8) refuse_zip(entry, "its ZIP64 field is too short");
      field.get(*value);
    }
  }
  if (missing) refuse_zip(entry, "expected a ZIP64 field, got none");
}

void check_flags(const ZipEntry& entry) {
  if ((entry.flags & 1) != 0) throw UnsupportedError("zip: entry " + quoted_name(entry.name) + ": it is encrypted");
  constexpr unsigned kEffort = 3u << 1;  // that its packer took, also of what it stored
  if ((entry.flags & ~(kHasDescriptor | kUtf8Name | kEffort)) != 0) {
    refuse_zip(entry, "expected no flags but 1, 2, 3 and 11, got " + std::to_string(entry.flags));
  }
}

/// The local header repeats the directory; the lengths may stand behind the bytes instead.
void check_local(const ZipEntry& entry, Fields fields, std::uint64_t& header_bytes) {
  std::uint32_t signature = 0, crc = 0, packed = 0, bytes = 0;
  std::uint16_t needed = 0, flags = 0, method = 0, time = 0, date = 0, name_bytes = 0, extra_bytes = 0;
  fields.get(signature, needed, flags, method, time, date, crc, packed, bytes, name_bytes, extra_bytes);
  if (signature != kLocal) refuse_zip(entry, "expected its header at offset " + std::to_string(entry.header));
  if (name_bytes != entry.name.size() || as_text(fields.take(entry.name.size())) != entry.name) {
    refuse_zip(entry, "its header has another name");
  }
  const bool later = (entry.flags & kHasDescriptor) != 0;
  const auto same = [&](std::uint64_t local, std::uint64_t value, bool wide) {
    return local == value || (later && local == 0) || (wide && local == kElsewhere32);
  };
  if (flags != entry.flags || method != entry.method || !same(crc, entry.crc, false) ||
      !same(packed, entry.packed, true) || !same(bytes, entry.bytes, true)) {
    refuse_zip(entry, "its header does not say what the directory says");
  }
  header_bytes = kLocalBytes + name_bytes + std::uint64_t{extra_bytes};
}

/// What lies between the bytes of an entry and the next header.
void check_descriptor(const ZipEntry& entry, std::span<const std::byte> bytes) {
  const bool expected = (entry.flags & kHasDescriptor) != 0;
  const std::size_t without = bytes.size() % 8 == 0 ? bytes.size() - 4 : bytes.size();  // signature
  if (!expected ? !bytes.empty() : without != 12 && without != 20) {
    refuse_zip(entry,
               "expected the next entry right behind it, got " + std::to_string(bytes.size()) + " bytes between");
  }
  if (!expected) return;
  Fields fields(bytes);
  std::uint32_t signature = kDescriptor, crc = 0, packed = 0, size = 0;
  std::uint64_t packed64 = 0, size64 = 0;
  if (without != bytes.size()) fields.get(signature);
  fields.get(crc);
  if (without == 12) {
    fields.get(packed, size);
    packed64 = packed;
    size64 = size;
  } else {
    fields.get(packed64, size64);
  }
  if (signature != kDescriptor || crc != entry.crc || packed64 != entry.packed || size64 != entry.bytes) {
    refuse_zip(entry, "what lies behind its bytes does not say what the directory says");
  }
}

}  // namespace

bool is_entry_name(std::string_view name) {
  if (name.empty() || name.find('\0') != name.npos || name.find('\\') != name.npos) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part == "." || part == ".." || (part.empty() && (begin == 0 || end < name.size()))) return false;
    begin = end + 1;
  }
  return true;
}

std::string quoted_name(std::string_view name) { return '"' + escaped(name, kShownNameBytes) + '"'; }

void check_crc(const ZipEntry& entry, std::uint32_t actual) {
  if (entry.crc == actual || !entry.has_crc) return;
  const auto hex32 = [](std::uint32_t value) {
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", value);
    return std::string(digits.data());
  };
  refuse_zip("entry " + quoted_name(entry.name) + " at offset " + std::to_string(entry.offset) +
             ": damaged: expected CRC-32 " + hex32(entry.crc) + ", got " + hex32(actual));
}

ZipReader::ZipReader(const ByteSource& source) : source_(source) {
  const ZipDirectory directory = find_directory();
  read_directory(directory);
  check_names();
  check_layout(directory);
}

ZipDirectory ZipReader::find_directory() const {
  const std::uint64_t comment = comment_bytes(source_), size = source_.size() - comment;
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(size, kEnd64Bytes + kLocatorBytes + kEndBytes);
  std::uint64_t end = size - tail_bytes;
  const std::vector<std::byte> tail = read_bytes(source_, end, tail_bytes);
  ZipDirectory directory = read_end(tail, comment);
  if (has_end64(tail)) {
    widen(directory, tail, end);
  } else {
    end = size - kEndBytes;
    if (needs_end64(directory)) refuse_zip("expected a ZIP64 directory, got none");
  }
  if (directory.offset > end || directory.bytes != end - directory.offset) {
    refuse_zip("expected a directory that ends at offset " + std::to_string(end) + ", got " +
               std::to_string(directory.bytes) + " bytes at offset " + std::to_string(directory.offset));
  }
  if (directory.bytes > kMaxHeaderBytes || directory.entries > directory.bytes / kCentralBytes) {
    refuse_zip("expected a directory of at most 64 MiB, and 46 bytes or more for each entry, got " +
               std::to_string(directory.bytes) + " bytes for " + std::to_string(directory.entries) + " entries");
  }
  return directory;
}

void ZipReader::read_directory(const ZipDirectory& directory) {
  directory_ = read_bytes(source_, directory.offset, directory.bytes);
  Fields fields(directory_);
  entries_.reserve(static_cast<std::size_t>(directory.entries));
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    std::uint32_t signature = 0, crc = 0, packed = 0, bytes = 0, attributes = 0, header = 0;
    std::uint16_t made_by = 0, needed = 0, time = 0, date = 0, name = 0, extra = 0, comment = 0, disk = 0, kind = 0;
    ZipEntry entry;
    if (fields.left() < kCentralBytes) refuse_zip("the directory ends in entry " + std::to_string(i));
    fields.get(signature, made_by, needed, entry.flags, entry.method, time, date, crc, packed, bytes, name, extra,
               comment, disk, kind, attributes, header);
    if (signature != kCentral || fields.left() < std::size_t{name} + extra + comment) {
      refuse_zip("expected entry " + std::to_string(i) + " of " + std::to_string(directory.entries) +
                 " in the directory, got other bytes");
    }
    entry.name = as_text(fields.take(name));
    entry.crc = crc;
    entry.bytes = bytes;
    entry.packed = packed;
    entry.header = header;
    read_zip64(entry, fields.take(extra));
    if (disk != 0) refuse_zip(entry, "expected a file in one part, got part " + std::to_string(disk));
    fields.take(comment);
    check_flags(entry);
    entries_.push_back(entry);
  }
  if (fields.left() > 0)
    refuse_zip("expected the end of the directory, got " + std::to_string(fields.left()) + " bytes");
  if (entries_.empty()) refuse_zip("expected an entry, got none");
  const bool has_crc =
      std::any_of(entries_.begin(), entries_.end(), [](const ZipEntry& entry) { return entry.crc != 0; });
  for (ZipEntry& entry : entries_) entry.has_crc = has_crc;
}

void ZipReader::check_names() {
  const auto first = std::find_if(entries_.begin(), entries_.end(),
                                  [](const ZipEntry& entry) { return !entry.name.starts_with(kOfMac); });
  if (first != entries_.end()) root_ = first->name.substr(0, first->name.find('/') + 1);
  for (const ZipEntry& entry : entries_) {
    if (!is_entry_name(entry.name)) refuse_zip(entry, "expected a relative name without .., got another");
    if (!entry.name.starts_with(root_) && !entry.name.starts_with(kOfMac)) root_ = {};
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const ZipEntry& entry = entries_[i];
    const std::size_t root = entry.name.starts_with(root_) ? root_.size() : 0;
    if (!by_name_.emplace(entry.name.substr(root), i).second) refuse_zip(entry, "expected a name once, got it again");
  }
}

void ZipReader::check_layout(const ZipDirectory& directory) {
  std::vector<std::size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return entries_[a].header < entries_[b].header; });
  std::uint64_t end = 0;  // of the bytes of the entry before
  for (std::size_t i = 0; i <= order.size(); ++i) {
    ZipEntry* entry = i < order.size() ? &entries_[order[i]] : nullptr;
    const ZipEntry* before = i > 0 ? &entries_[order[i - 1]] : nullptr;
    const std::uint64_t next = entry != nullptr ? entry->header : directory.offset;
    const ZipEntry& named = before != nullptr ? *before : *entry;
    if (next < end) refuse_zip(named, "it overlaps what follows it");
    if (next - end > 24 || (before == nullptr && next != 0))
      refuse_zip(named, "expected no gap between entries, got one");
    const std::uint64_t gap = next - end;
    const std::uint64_t header = entry != nullptr ? kLocalBytes + entry->name.size() : 0;
    if (header > directory.offset - next) refuse_zip(*entry, "its header reaches into the directory");
    const std::vector<std::byte> bytes = read_bytes(source_, end, gap + header);
    if (before != nullptr) check_descriptor(*before, std::span(bytes).first(static_cast<std::size_t>(gap)));
    if (entry == nullptr) break;
    std::uint64_t header_bytes = 0;
    check_local(*entry, Fields(std::span(bytes).subspan(static_cast<std::size_t>(gap))), header_bytes);
    if (header_bytes > directory.offset - next || entry->packed > directory.offset - next - header_bytes) {
      refuse_zip(*entry, "expected its " + std::to_string(entry->packed) + " bytes before the directory, got the end");
    }
    entry->offset = next + header_bytes;
    end = entry->offset + entry->packed;
  }
}

void ZipReader::check_packing() const {
  const std::uint64_t most = kMaxUnfolding * source_.size() + kUnfoldingSlack;
  std::uint64_t unfolded = 0;
  for (const ZipEntry& entry : entries_) {
    if (entry.method != 0 && entry.method != kDeflated) {
      throw UnsupportedError("zip: entry " + quoted_name(entry.name) + ": it is compressed by method " +
                             std::to_string(entry.method) +
                             ", which is read nowhere here: unpack the file and pack "
                             "it again with zip -0 -r");
    }
    if (!entry.is_packed() && entry.packed != entry.bytes) {
      refuse_zip(entry, "expected as many bytes packed as unpacked, got " + std::to_string(entry.packed) + " and " +
                            std::to_string(entry.bytes));
    }
    if (!entry.is_packed()) continue;
    if (entry.bytes > most || unfolded > most - entry.bytes) {
      throw UnsupportedError("zip: entry " + quoted_name(entry.name) + ": expected compressed entries of at most " +
                             std::to_string(most) +
                             " bytes together (16 MiB and 16 times the file), got more: unpack "
                             "the file and pack it again with zip -0 -r");
    }
    unfolded += entry.bytes;
  }
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

std::vector<std::byte> ZipReader::read(const ZipEntry& entry, std::uint64_t max_bytes, bool verify) const {
  if (entry.bytes > max_bytes) {
    refuse_zip(entry, "expected at most " + std::to_string(max_bytes) + " bytes, got " + std::to_string(entry.bytes));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(entry.bytes));
  unpack(source_, entry, bytes);
  if (verify) check_crc(entry, crc32(bytes));
  return bytes;
}

void unpack(const ByteSource& source, const ZipEntry& entry, std::span<std::byte> memory) {
  if (!entry.is_packed()) return source.read(memory, entry.offset);
  const bool whole = memory.size() == entry.bytes;
  // No code takes more than 15 bits for a byte, and stored blocks 5 bytes for 64 kB.
  const std::uint64_t enough = whole ? entry.packed : std::min<std::uint64_t>(entry.packed, 2 * memory.size() + 4096);
  const std::vector<std::byte> packed = read_bytes(source, entry.offset, enough);
  Inflated unpacked;
  try {
    unpacked = inflate(packed, memory);
  } catch (const FormatError& error) {
    refuse_zip(entry, error.what());
  }
  if (unpacked.bytes < memory.size() || (whole && (!unpacked.ended || unpacked.used != packed.size()))) {
    refuse_zip(entry, "expected its " + std::to_string(entry.packed) + " bytes to unpack to " +
                          std::to_string(entry.bytes) + ", got others");
  }
}

}  // namespace teff::serialize
