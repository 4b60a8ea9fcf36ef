// SPDX-License-Identifier: MIT
#include "fuzz/torch_mutator.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>

#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/zip_format.h"
#include "teff/serialize/io/zip_writer.h"

namespace teff::fuzz {
namespace {

namespace zip = serialize::zip;

struct Entry {
  std::string name;
  Bytes bytes;
};

template <class T>
T number_at(const Bytes& bytes, std::size_t place) {
  T value{};
  if (place <= bytes.size() && bytes.size() - place >= sizeof value) {
    std::memcpy(&value, bytes.data() + place, sizeof value);
  }
  return value;
}

/// Part of the bytes, as much as there is.
Bytes part(const Bytes& bytes, std::size_t begin, std::size_t count) {
  begin = std::min(begin, bytes.size());
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(count, bytes.size() - begin))};
}

/// The entries of a small zip as its directory lists them; none if it cannot be read.
std::vector<Entry> entries_of(const Bytes& file) {
  std::vector<Entry> entries;
  if (file.size() < zip::kEndBytes) return entries;
  const std::size_t end = file.size() - zip::kEndBytes;
  if (number_at<std::uint32_t>(file, end) != zip::kEnd) return entries;
  std::size_t place = number_at<std::uint32_t>(file, end + 16);
  while (number_at<std::uint32_t>(file, place) == zip::kCentral) {
    const std::size_t name = number_at<std::uint16_t>(file, place + 28);
    const std::size_t local = number_at<std::uint32_t>(file, place + 42);
    const std::size_t begin = local + zip::kLocalBytes + number_at<std::uint16_t>(file, local + 26) +
                              number_at<std::uint16_t>(file, local + 28);
    const Bytes name_bytes = part(file, place + zip::kCentralBytes, name);
    entries.push_back(
        {{name_bytes.begin(), name_bytes.end()}, part(file, begin, number_at<std::uint32_t>(file, place + 24))});
    place += zip::kCentralBytes + name + number_at<std::uint16_t>(file, place + 30) +
             number_at<std::uint16_t>(file, place + 32);
  }
  return entries;
}

Bytes pack(const std::vector<Entry>& entries) {
  // NumPy's arrays are in no folder.
  const std::size_t slash = entries[0].name.find('/');
  const std::string root = slash == std::string::npos ? "" : entries[0].name.substr(0, slash);
  const std::size_t skipped = root.empty() ? 0 : root.size() + 1;
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::ZipWriter writer(sink, root);
  for (const Entry& entry : entries) {
    writer.add(entry.name.substr(std::min(skipped, entry.name.size())), std::as_bytes(std::span(entry.bytes)));
  }
  writer.finish();
  const std::string file = stream.str();
  return {file.begin(), file.end()};
}

void change_name(std::string& name, Mutator mutate) {
  Bytes bytes(name.begin(), name.end());
  mutate(bytes);
  bytes.resize(std::min<std::size_t>(bytes.size(), 200));
  name.assign(bytes.begin(), bytes.end());
}

}  // namespace

void mutate_torch(Bytes& file, Random& random, Mutator mutate) {
  std::vector<Entry> entries = random() % 4 == 0 ? std::vector<Entry>() : entries_of(file);
  if (entries.empty()) return mutate(file);
  const std::size_t chosen = random() % 2 == 0 ? 0 : random() % entries.size();  // the pickle comes first
  const auto at = entries.begin() + static_cast<std::ptrdiff_t>(chosen);
  switch (random() % 16) {
    case 0:
      change_name(entries[chosen].name, mutate);
      break;
    case 1:
      if (entries.size() > 1) entries.erase(at);
      break;
    case 2:
      entries.push_back(Entry(*at));
      break;
    default:
      mutate(entries[chosen].bytes);
      break;
  }
  file = pack(entries);
}

void mutate_safetensors(Bytes& file, Random& random, Mutator mutate) {
  constexpr std::size_t kLengthBytes = 8;
  if (file.size() <= kLengthBytes || random() % 16 == 0) return mutate(file);
  const std::size_t header_bytes = std::min<std::size_t>(number_at<std::uint64_t>(file, 0), file.size() - kLengthBytes);
  Bytes header = part(file, kLengthBytes, header_bytes), data = part(file, kLengthBytes + header_bytes, file.size());
  mutate(random() % 8 == 0 ? data : header);
  const std::uint64_t length = header.size();
  file.resize(kLengthBytes);
  std::memcpy(file.data(), &length, sizeof length);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
}

}  // namespace teff::fuzz
