// SPDX-License-Identifier: MIT
#if !defined(_WIN32)

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <system_error>

#include "teff/engine/error.h"
#include "teff/serialize/io/system.h"

namespace teff::serialize {
namespace {

constexpr int kMaxLinks = 40;
constexpr std::size_t kMaxPieces = 256;  // of one system call: few enough to list them on the stack
static_assert(kMaxPieces <= IOV_MAX);

[[noreturn]] void throw_io_error(const std::string& call, const std::string& path) {
  const int reason = errno;
  throw IoError(call + " " + path + ": " + std::generic_category().message(reason));
}

/// Repeats a system call as long as signals interrupt it.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int descriptor(std::intptr_t handle) { return static_cast<int>(handle); }

/// Calls call(pieces, count) with the first pieces as the system takes them.
template <class Call>
ssize_t move_pieces(std::span<const Piece> pieces, Call&& call) {
  std::array<iovec, kMaxPieces> list;
  const std::size_t count = std::min(pieces.size(), kMaxPieces);
  for (std::size_t i = 0; i < count; ++i) list[i] = {pieces[i].data, pieces[i].size};
  return uninterrupted([&] { return call(list.data(), static_cast<int>(count)); });
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

void check_regular(const struct stat& status, const char* folder) {
  if (S_ISDIR(status.st_mode)) throw IoError(folder);
  if (!S_ISREG(status.st_mode)) throw IoError("expected a regular file, got a device, pipe or socket");
}

/// The status of the file that is to be replaced, if there is one.
/// @throws IoError if it is not a file, or one that may not be written.
std::optional<struct stat> replaceable(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_io_error("lstat", path);
  }
  check_regular(status, "expected the path of a file, got a folder");
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw_io_error("write to", path);
  return status;
}

int flush_descriptor(int number) {
  return uninterrupted([&] { return ::fsync(number); });
}

}  // namespace

void check_path(const std::string& path) {
  if (path.empty()) throw IoError("expected the path of a file, got an empty one");
  if (path.find('\0') != std::string::npos) throw IoError("expected the path of a file, got one with a NUL character");
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

SystemFile::~SystemFile() {
  if (handle_ != kNone) ::close(descriptor(handle_));
}

SystemFile SystemFile::open(const std::string& path, bool follow) {
  check_path(path);
  // Not blocking: opening a pipe would wait for somebody to write to it.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
  const int number = uninterrupted([&] { return ::open(path.c_str(), flags); });
  if (number < 0) throw_io_error("open", path);
  SystemFile file(number);
  struct stat status {};
  if (::fstat(number, &status) != 0) throw_io_error("fstat", path);
  check_regular(status, "expected a file, got a folder");
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

std::optional<SystemFile> SystemFile::create(const std::string& path, bool is_private) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int number = ::open(path.c_str(), kFlags, is_private ? 0600 : 0666);
  if (number >= 0) return SystemFile(number);
  if (errno == EEXIST || errno == EINTR) return std::nullopt;
  throw_io_error("create a file in folder", folder_of(path));
}

std::size_t SystemFile::read(std::span<const Piece> pieces, std::uint64_t offset) const {
  const ssize_t got = move_pieces(pieces, [&](const iovec* list, int count) {
    return ::preadv(descriptor(handle_), list, count, static_cast<off_t>(offset));
  });
  if (got < 0) throw_io_error("read", "at offset " + std::to_string(offset));
  return static_cast<std::size_t>(got);
}

std::size_t SystemFile::write(std::span<const Piece> pieces, std::uint64_t offset, const std::string& path) const {
  const ssize_t written = move_pieces(pieces, [&](const iovec* list, int count) {
    return ::pwritev(descriptor(handle_), list, count, static_cast<off_t>(offset));
  });
  if (written == 0) errno = ENOSPC;
  if (written <= 0) throw_io_error("write to", path);
  return static_cast<std::size_t>(written);
}

void SystemFile::flush(const std::string& path) const {
  if (flush_descriptor(descriptor(handle_)) != 0) throw_io_error("fsync", path);
}

void SystemFile::close(const std::string& path) {
  if (::close(descriptor(std::exchange(handle_, kNone))) != 0 && errno != EINTR) throw_io_error("close", path);
}

Mapping::Mapping(const SystemFile& file, std::size_t bytes) : bytes_(bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor(file.handle_), 0);
  if (address == MAP_FAILED) throw_io_error("mmap", std::to_string(bytes) + " bytes");
  data_ = static_cast<std::byte*>(address);
}

Mapping::~Mapping() { ::munmap(data_, bytes_); }

struct Target::Status {
  struct stat stat;
};

Target::Target(const std::string& path) : path_(follow_links(path)) {
  if (const auto status = replaceable(path_)) replaced_ = std::make_unique<const Status>(Status{*status});
}

Target::Target(Target&&) noexcept = default;
Target::~Target() = default;

void Target::give_owner_and_permissions(const SystemFile& file, const std::string& path) const {
  const int number = descriptor(file.handle_);
  const struct stat& old = replaced_->stat;
  struct stat made {};
  if (::fstat(number, &made) != 0) throw_io_error("fstat", path);
  mode_t mode = old.st_mode & 0777;
  // Only some users may give a file away; if not, the new file is theirs. A group that is not the old one gets nothing.
  const auto give = [&](uid_t user, gid_t group) { return ::fchown(number, user, group) == 0; };
  const bool same_owner = old.st_uid == made.st_uid, same_group = old.st_gid == made.st_gid;
  constexpr auto kUnchanged = static_cast<uid_t>(-1);
  if ((!same_owner || !same_group) && !give(old.st_uid, old.st_gid) && !same_group && !give(kUnchanged, old.st_gid)) {
    mode &= ~static_cast<mode_t>(070);
  }
  errno = 0;
  // Some file systems know no permissions: there nothing differs.
  if (mode == (made.st_mode & 0777)) return;
  if (::fchmod(number, mode) != 0) throw_io_error("fchmod", path);
}

void replace(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_io_error("rename to", to);
}

void remove(const std::string& path) noexcept { ::unlink(path.c_str()); }

void flush_folder(const std::string& folder) {
  const int number = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (number < 0) throw_io_error("the new file is in place but may not survive a power failure: open", folder);
  const int flushed = flush_descriptor(number), reason = errno;
  ::close(number);
  // Some file systems cannot flush a folder, and say so.
  if (flushed == 0 || reason == EINVAL || reason == ENOTSUP) return;
  errno = reason;
  throw_io_error("the new file is in place but may not survive a power failure: fsync", folder);
}

}  // namespace teff::serialize

#endif
