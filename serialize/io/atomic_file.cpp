// SPDX-License-Identifier: MIT
#include "teff/serialize/io/atomic_file.h"

#include <array>
#include <cstdio>
#include <random>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr int kMaxNames = 100;

/// A name that is not taken yet, in all likelihood; SystemFile::create makes sure.
std::string temporary_name() {
  std::random_device random;
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), ".teff-%08x%08x.tmp", random(), random());
  return name.data();
}

}  // namespace

AtomicFile::Temporary::Temporary(const std::string& folder, bool is_private) {
  for (int names = 0; names < kMaxNames; ++names) {
    path = folder + temporary_name();
    if (std::optional<SystemFile> made = SystemFile::create(path, is_private)) {
      file = std::move(*made);
      return;
    }
  }
  throw IoError("create a file in folder " + folder + ": every name is taken");
}

AtomicFile::Temporary::~Temporary() {
  if (path.empty()) return;
  file = SystemFile();  // Windows removes no open file
  remove(path);
}

AtomicFile::AtomicFile(const std::string& path, bool durable)
    : target_(path), temporary_(target_.folder(), target_.exists()), durable_(durable) {
  // Until then the new file is for this user alone, so that nobody reads what he may not.
  if (target_.exists()) target_.give_owner_and_permissions(temporary_.file, temporary_.path);
}

void AtomicFile::write(std::span<Piece> pieces, std::uint64_t offset) {
  pieces = drop_front(pieces, 0);
  while (!pieces.empty()) {
    const std::size_t written = temporary_.file.write(pieces, offset, temporary_.path);
    pieces = drop_front(pieces, written);
    offset += written;
  }
}

void AtomicFile::commit() {
  if (durable_) temporary_.file.flush(temporary_.path);
  temporary_.file.close(temporary_.path);
  replace(temporary_.path, target_.path());
  temporary_.path.clear();
  if (durable_) flush_folder(target_.folder());
}

}  // namespace teff::serialize
