// SPDX-License-Identifier: MIT
#include "teff/serialize/io/file_reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

// Not blocking: opening a pipe would wait for somebody to write to it.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

}  // namespace

Mapping::Mapping(int descriptor, std::size_t bytes) : bytes_(bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  if (address == MAP_FAILED) throw_io_error("mmap", std::to_string(bytes) + " bytes");
  data_ = static_cast<std::byte*>(address);
}

Mapping::~Mapping() { ::munmap(data_, bytes_); }

FileReader::FileReader(const std::string& path) {
  check_path(path);
  open(uninterrupted([&] { return ::open(path.c_str(), kFlags); }), path);
}

void FileReader::open(int descriptor, const std::string& path) {
  path_ = path;
  descriptor_.exchange(descriptor);
  if (descriptor_.get() < 0) throw_io_error("open", path);
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) throw_io_error("fstat", path);
  if (S_ISDIR(status.st_mode)) throw IoError("expected a file, got a folder");
  if (!S_ISREG(status.st_mode)) throw IoError("expected a regular file, got a device, pipe or socket");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void FileReader::read(std::span<iovec> pieces, std::uint64_t offset) const {
  pieces = drop_front(pieces, 0);
  while (!pieces.empty()) {
    const int count = static_cast<int>(std::min(pieces.size(), kMaxPieces));
    const ssize_t got =
        uninterrupted([&] { return ::preadv(descriptor_.get(), pieces.data(), count, static_cast<off_t>(offset)); });
    if (got < 0) throw_io_error("read", "at offset " + std::to_string(offset));
    if (got == 0) {
      throw FormatError("expected " + std::to_string(size_) + " bytes, got the end of the file at offset " +
                        std::to_string(offset) + ": it was changed while it was read");
    }
    pieces = drop_front(pieces, static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::shared_ptr<const Mapping> FileReader::map() const {
  return std::make_shared<const Mapping>(descriptor_.get(), static_cast<std::size_t>(size_));
}

std::shared_ptr<const ByteSource> FileReader::beside(const std::string& name) const {
  const bool is_plain = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
                        name.find('\\') == name.npos && name.find('\0') == name.npos;
  if (!is_plain) {
    throw UnsupportedError("expected the name of a file in the same folder, got \"" + escaped(name, 200) + '"');
  }
  const std::size_t slash = path_.rfind('/');
  const std::string path = path_.substr(0, slash == path_.npos ? 0 : slash + 1) + name;
  std::shared_ptr<FileReader> reader(new FileReader);
  reader->open(uninterrupted([&] { return ::open(path.c_str(), kFlags | O_NOFOLLOW); }), path);
  return reader;
}

}  // namespace teff::serialize
