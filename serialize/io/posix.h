// SPDX-License-Identifier: MIT
#pragma once

// Private: what reader and writer of files share.

#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace teff::serialize {

/// @throws IoError "<call> <path>: <the system's reason for errno>".
[[noreturn]] void throw_io_error(const std::string& call, const std::string& path);

/// @throws IoError for a path that the system could not even be given: empty, or with a NUL.
void check_path(const std::string& path);

/// Drops the first `bytes` bytes of the pieces.
std::span<iovec> drop_front(std::span<iovec> pieces, std::size_t bytes);

/// The largest number of pieces that one system call takes.
extern const std::size_t kMaxPieces;

/// Repeats a system call as long as signals interrupt it.
template <class Call>
auto uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Owns a file descriptor; a negative one is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return number_; }
  /// Gives up the descriptor it had, without closing it.
  int exchange(int number) { return std::exchange(number_, number); }

 private:
  int number_ = -1;
};

}  // namespace teff::serialize
