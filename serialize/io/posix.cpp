// SPDX-License-Identifier: MIT
#include "teff/serialize/io/posix.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <system_error>

#include "teff/engine/error.h"

namespace teff::serialize {

const std::size_t kMaxPieces = IOV_MAX;

void throw_io_error(const std::string& call, const std::string& path) {
  const int reason = errno;
  throw IoError(call + " " + path + ": " + std::generic_category().message(reason));
}

void check_path(const std::string& path) {
  if (path.empty()) throw IoError("expected the path of a file, got an empty one");
  if (path.find('\0') != std::string::npos) throw IoError("expected the path of a file, got one with a NUL character");
}

std::span<iovec> drop_front(std::span<iovec> pieces, std::size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().iov_len) {
    bytes -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (bytes > 0) {
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + bytes;
    pieces.front().iov_len -= bytes;
  }
  return pieces;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

}  // namespace teff::serialize
