// SPDX-License-Identifier: MIT
#include "teff/serialize/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <random>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr int kMaxLinks = 40;
constexpr int kMaxNames = 100;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) throw_io_error("readlink", path);
  const std::string text(target.data(), static_cast<std::size_t>(length));
  return text.starts_with('/') ? text : folder_of(path) + text;
}

/// In folders where everybody may write, as /tmp, others could lead to any file of ours: as Linux does by default, only
/// links of this user and of the folder's owner are followed.
void check_link(const std::string& path, const struct stat& link) {
  struct stat folder {};
  if (::stat(folder_of(path).c_str(), &folder) != 0) throw_io_error("stat", folder_of(path));
  constexpr mode_t kShared = S_ISVTX | S_IWOTH;
  if ((folder.st_mode & kShared) != kShared || link.st_uid == ::geteuid() || link.st_uid == folder.st_uid) return;
  throw IoError("expected no link of another user in a folder that all may write to, got one: " + path);
}

/// The file that `path` leads to.
std::string follow_links(const std::string& given) {
  check_path(given);
  std::string path = given;
  for (int links = 0; links < kMaxLinks; ++links) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) {
      // A link of /proc leads to an open file, which may have lost its name, or never had one.
      struct stat opened {};
      if (links > 0 && ::stat(given.c_str(), &opened) == 0 &&
          (::lstat(path.c_str(), &status) != 0 || status.st_ino != opened.st_ino || status.st_dev != opened.st_dev)) {
        throw IoError("expected a file that has a name, which a new one can take, got one without");
      }
      return path;
    }
    check_link(path, status);
    path = read_link(path);
  }
  errno = ELOOP;
  throw_io_error("lstat", path);
}

/// The status of the file that is to be replaced, if there is one.
/// @throws IoError if it is not a file, or one that may not be written.
std::optional<struct stat> replaceable(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_io_error("lstat", path);
  }
  if (S_ISDIR(status.st_mode)) throw IoError("expected the path of a file, got a folder");
  if (!S_ISREG(status.st_mode)) throw IoError("expected a regular file, got a device, pipe or socket");
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw_io_error("write to", path);
  return status;
}

/// A name that is not taken yet, in all likelihood; O_EXCL makes sure.
std::string temporary_name() {
  std::random_device random;
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), ".teff-%08x%08x.tmp", random(), random());
  return name.data();
}

int flush(const Descriptor& descriptor) {
  return uninterrupted([&] { return ::fsync(descriptor.get()); });
}

void flush_folder(const std::string& folder) {
  const Descriptor descriptor(
      uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (descriptor.get() < 0)
    throw_io_error("the new file is in place but may not survive a power failure: open", folder);
  // Some file systems cannot flush a folder, and say so.
  if (flush(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw_io_error("the new file is in place but may not survive a power failure: fsync", folder);
  }
}

}  // namespace

AtomicFile::Temporary::Temporary(const std::string& folder, mode_t mode) {
  for (int names = 0; names < kMaxNames; ++names) {
    path = folder + temporary_name();
    descriptor.exchange(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (descriptor.get() >= 0) return;
    if (errno != EEXIST && errno != EINTR) break;
  }
  throw_io_error("create a file in folder", folder);
}

AtomicFile::Temporary::~Temporary() {
  if (!path.empty()) ::unlink(path.c_str());
}

AtomicFile::AtomicFile(const std::string& path, bool durable)
    : target_(follow_links(path)),
      replaced_(replaceable(target_)),
      folder_(folder_of(target_)),
      temporary_(folder_, replaced_ ? 0600 : 0666),
      durable_(durable) {
  // Until then the new file is for this user alone, so that nobody reads what he may not.
  if (replaced_) keep_owner_and_permissions();
}

void AtomicFile::write(std::span<iovec> pieces, std::uint64_t offset) {
  pieces = drop_front(pieces, 0);
  while (!pieces.empty()) {
    const int count = static_cast<int>(std::min(pieces.size(), kMaxPieces));
    const ssize_t written = uninterrupted(
        [&] { return ::pwritev(temporary_.descriptor.get(), pieces.data(), count, static_cast<off_t>(offset)); });
    if (written == 0) errno = ENOSPC;
    if (written <= 0) throw_io_error("write to", temporary_.path);
    pieces = drop_front(pieces, static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void AtomicFile::keep_owner_and_permissions() const {
  const int descriptor = temporary_.descriptor.get();
  struct stat made {};
  if (::fstat(descriptor, &made) != 0) throw_io_error("fstat", temporary_.path);
  mode_t mode = replaced_->st_mode & 0777;
  // Only some users may give a file away; if not, the new file is theirs. A group that is not the old one gets nothing.
  const auto give = [&](uid_t user, gid_t group) { return ::fchown(descriptor, user, group) == 0; };
  const bool same_owner = replaced_->st_uid == made.st_uid, same_group = replaced_->st_gid == made.st_gid;
  constexpr auto kUnchanged = static_cast<uid_t>(-1);
  if ((!same_owner || !same_group) && !give(replaced_->st_uid, replaced_->st_gid) && !same_group &&
      !give(kUnchanged, replaced_->st_gid)) {
    mode &= ~static_cast<mode_t>(070);
  }
  errno = 0;
  // Some file systems know no permissions: there nothing differs.
  if (mode == (made.st_mode & 0777)) return;
  if (::fchmod(descriptor, mode) != 0) throw_io_error("fchmod", temporary_.path);
}

void AtomicFile::commit() {
  if (durable_ && flush(temporary_.descriptor) != 0) throw_io_error("fsync", temporary_.path);
  // Network file systems report a failed write as late as here.
  if (::close(temporary_.descriptor.exchange(-1)) != 0 && errno != EINTR) throw_io_error("close", temporary_.path);
  if (::rename(temporary_.path.c_str(), target_.c_str()) != 0) throw_io_error("rename to", target_);
  temporary_.path.clear();
  if (durable_) flush_folder(folder_);
}

}  // namespace teff::serialize
