// SPDX-License-Identifier: MIT
#include "reliability/system_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <optional>

namespace teff::reliability {
namespace {

constexpr std::size_t kCalls = 12;
constexpr std::array<const char*, kCalls> kNames = {"open",  "pwritev", "preadv",    "fsync",  "close", "rename",
                                                    "fstat", "lstat",   "faccessat", "fchmod", "mmap",  "unlink"};

bool recording = false;  // not while the program starts
bool failed = false;
int changes_until_kill = 0;
std::array<int, kCalls> counts{};
std::optional<Fault> planned;
std::vector<Record> made;

bool changes_files(Call call) {
  return call == Call::open || call == Call::pwritev || call == Call::fsync || call == Call::close ||
         call == Call::rename || call == Call::fchmod || call == Call::unlink;
}

/// The fault of this call, if it has one.
const Fault* begin(Call call, const char* path = "", int descriptor = -1, int flags = 0) {
  if (changes_files(call) && changes_until_kill > 0 && --changes_until_kill == 0) ::kill(::getpid(), SIGKILL);
  if (!recording) return nullptr;
  made.push_back({call, path, descriptor, flags});
  const int number = ++counts[static_cast<std::size_t>(call)];
  if (!planned || planned->call != call || planned->number != number) return nullptr;
  failed = true;
  errno = planned->error;
  return &*planned;
}

/// The first `bytes` bytes of the pieces; ends with the piece in which they end.
std::vector<iovec> first(const iovec* pieces, int count, std::size_t bytes) {
  std::vector<iovec> result;
  for (int i = 0; i < count && bytes > 0; ++i) {
    result.push_back({pieces[i].iov_base, std::min(bytes, pieces[i].iov_len)});
    bytes -= result.back().iov_len;
  }
  return result;
}

ssize_t move_bytes(long call, int descriptor, const iovec* pieces, int count, off_t offset) {
  return ::syscall(call, descriptor, pieces, static_cast<unsigned long>(count), offset, 0L);
}

ssize_t move_part(long call, int descriptor, const iovec* pieces, int count, off_t offset, const Fault& fault) {
  if (fault.error != 0) return -1;
  const std::vector<iovec> part = first(pieces, count, fault.part);
  return part.empty() ? 0 : move_bytes(call, descriptor, part.data(), static_cast<int>(part.size()), offset);
}

}  // namespace

const char* to_string(Call call) { return kNames[static_cast<std::size_t>(call)]; }

void start_recording(const Fault* fault) {
  recording = true;
  failed = false;
  counts = {};
  made.clear();
  planned = fault == nullptr ? std::nullopt : std::optional(*fault);
}

const std::vector<Record>& records() { return made; }
bool has_failed() { return failed; }
void kill_before(int number) { changes_until_kill = number; }

}  // namespace teff::reliability

using teff::reliability::begin;
using teff::reliability::Call;

// The C library's functions, by the numbers of their system calls.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  if (begin(Call::open, path, -1, flags) != nullptr) return -1;
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t offset) {
  const auto* fault = begin(Call::pwritev, "", descriptor);
  if (fault == nullptr) return teff::reliability::move_bytes(SYS_pwritev, descriptor, pieces, count, offset);
  return teff::reliability::move_part(SYS_pwritev, descriptor, pieces, count, offset, *fault);
}

ssize_t preadv(int descriptor, const iovec* pieces, int count, off_t offset) {
  const auto* fault = begin(Call::preadv, "", descriptor);
  if (fault == nullptr) return teff::reliability::move_bytes(SYS_preadv, descriptor, pieces, count, offset);
  return teff::reliability::move_part(SYS_preadv, descriptor, pieces, count, offset, *fault);
}

int fsync(int descriptor) {
  return begin(Call::fsync, "", descriptor) != nullptr ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int close(int descriptor) {
  // Like Linux: the descriptor is closed even if close fails.
  const bool fails = begin(Call::close, "", descriptor) != nullptr;
  const int error = errno;
  const int result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (!fails) return result;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  if (begin(Call::rename, to) != nullptr) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int fstat(int descriptor, struct stat* status) noexcept {
  if (begin(Call::fstat, "", descriptor) != nullptr) return -1;
  return ::fstatat(descriptor, "", status, AT_EMPTY_PATH);
}

int lstat(const char* path, struct stat* status) noexcept {
  if (begin(Call::lstat, path) != nullptr) return -1;
  return ::fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int faccessat(int folder, const char* path, int mode, int) noexcept {
  if (begin(Call::faccessat, path) != nullptr) return -1;
  return static_cast<int>(::syscall(SYS_faccessat, folder, path, mode));
}

int fchmod(int descriptor, mode_t mode) noexcept {
  return begin(Call::fchmod, "", descriptor) != nullptr ? -1
                                                        : static_cast<int>(::syscall(SYS_fchmod, descriptor, mode));
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int descriptor, off_t offset) noexcept {
  // Memory for the program itself is none of the tests' business.
  if (descriptor >= 0 && begin(Call::mmap, "", descriptor) != nullptr) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, bytes, protection, flags, descriptor, offset));
}

int unlink(const char* path) noexcept {
  if (begin(Call::unlink, path) != nullptr) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

}  // extern "C"
