// SPDX-License-Identifier: MIT
#include "fuzz/torch_mutator.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "fuzz/zip_entries.h"

namespace teff::fuzz {
namespace {

void change_name(std::string& name, Mutator mutate) {
  Bytes bytes(name.begin(), name.end());
  mutate(bytes);
  bytes.resize(std::min<std::size_t>(bytes.size(), 200));
  name.assign(bytes.begin(), bytes.end());
}

}  // namespace

void mutate_torch(Bytes& file, Random& random, Mutator mutate) {
  std::vector<ZipPart> entries = random() % 4 == 0 ? std::vector<ZipPart>() : unpack_zip(file);
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
      entries.push_back(ZipPart(*at));
      break;
    default:
      mutate(entries[chosen].bytes);
      break;
  }
  file = pack_zip(entries);
}

void mutate_safetensors(Bytes& file, Random& random, Mutator mutate) {
  constexpr std::size_t kLengthBytes = 8;
  if (file.size() <= kLengthBytes || random() % 16 == 0) return mutate(file);
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(kLengthBytes);
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(length, file.size() - kLengthBytes));
  Bytes header(begin, end), data(end, file.end());
  mutate(random() % 8 == 0 ? data : header);
  length = header.size();
  file.resize(kLengthBytes);
  std::memcpy(file.data(), &length, sizeof length);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
}

}  // namespace teff::fuzz
