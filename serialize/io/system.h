// SPDX-License-Identifier: MIT
#pragma once

// Private: files as the system knows them. Nothing else in serialize/ calls the system; system_posix.cpp has it for
// POSIX, system_windows.cpp for Windows. Paths are UTF-8 on Windows, and bytes elsewhere.
//
// All functions throw IoError "<call> <path>: <the system's reason>", unless they say otherwise.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "teff/serialize/io/piece.h"

namespace teff::serialize {

/// @throws IoError for a path that the system could not even be given: empty, or with a NUL.
void check_path(const std::string& path);

/// The folder of a file, with the separator that ends it; "./" if the path names none.
std::string folder_of(const std::string& path);

/// An open file.
class SystemFile {
 public:
  SystemFile() = default;
  SystemFile(SystemFile&& other) noexcept : handle_(std::exchange(other.handle_, kNone)), size_(other.size_) {}
  SystemFile& operator=(SystemFile&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SystemFile();

  /// A regular file, to read it. Neither waits for a pipe nor, unless `follow`, takes a link.
  /// @throws IoError for folders, devices, pipes and sockets, too.
  static SystemFile open(const std::string& path, bool follow = true);
  /// A new file, to write it; none if there is something of that name. `is_private`: for this user alone.
  static std::optional<SystemFile> create(const std::string& path, bool is_private);

  /// Of a file to read: bytes, when it was opened.
  std::uint64_t size() const { return size_; }
  /// One call of the system: how many bytes it moved from `offset` on; reading, 0 at the end of the file.
  std::size_t read(std::span<const Piece> pieces, std::uint64_t offset) const;
  std::size_t write(std::span<const Piece> pieces, std::uint64_t offset, const std::string& path) const;
  /// Until it is on the disk.
  void flush(const std::string& path) const;
  /// Network file systems report a failed write as late as here.
  void close(const std::string& path);

 private:
  friend class Mapping;
  friend class Target;
  static constexpr std::intptr_t kNone = -1;

  explicit SystemFile(std::intptr_t handle) : handle_(handle) {}

  std::intptr_t handle_ = kNone;  // a descriptor, or a HANDLE
  std::uint64_t size_ = 0;
};

/// The whole file in memory, copy on write: what is written to it never reaches the file.
class Mapping {
 public:
  Mapping(const SystemFile& file, std::size_t bytes);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::byte* data() const { return data_; }

 private:
  std::byte* data_;
  std::size_t bytes_;
};

/// Where a file is to be saved, and what is there. A link stays, and what it points to is the target.
class Target {
 public:
  /// @throws IoError if what is there is no regular file, or may not be written.
  explicit Target(const std::string& path);
  Target(Target&&) noexcept;
  ~Target();

  const std::string& path() const { return path_; }
  std::string folder() const { return folder_of(path_); }
  /// Whether there is a file.
  bool exists() const { return replaced_ != nullptr; }
  /// Gives the new file, which is at `path`, the owner and the permissions of the old one, as far as this user may.
  void give_owner_and_permissions(const SystemFile& file, const std::string& path) const;

 private:
  struct Status;
  std::string path_;
  std::unique_ptr<const Status> replaced_;
};

/// Gives the file at `from` the name `to`, in place of what has it: at no moment there is none.
void replace(const std::string& from, const std::string& to);
/// Never throws.
void remove(const std::string& path) noexcept;
/// Until the names in it are on the disk, where a file system can do that.
void flush_folder(const std::string& folder);

}  // namespace teff::serialize
