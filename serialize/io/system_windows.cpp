// SPDX-License-Identifier: MIT
#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/serialize/io/system.h"

namespace teff::serialize {
namespace {

constexpr DWORD kMaxBytes = 1u << 30;  // of one call

std::string narrow(std::wstring_view wide) {
  const int size = static_cast<int>(wide.size());
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide.data(), size, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<std::size_t>(std::max(bytes, 0)), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), size, text.data(), bytes, nullptr, nullptr);
  return text;
}

/// What the system says of an error, without the end of the line.
std::string reason_of(DWORD error) {
  wchar_t* message = nullptr;
  const DWORD length =
      FormatMessageW(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                     nullptr, error, 0, reinterpret_cast<wchar_t*>(&message), 0, nullptr);
  std::string text = length > 0 ? narrow({message, length}) : "error " + std::to_string(error);
  LocalFree(message);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

[[noreturn]] void throw_io_error(const std::string& call, const std::string& path) {
  const DWORD error = GetLastError();
  throw IoError(call + " " + path + ": " + reason_of(error));
}

/// The path as the system takes it. @throws IoError for bytes that are no UTF-8.
std::wstring wide(const std::string& path) {
  const int bytes = static_cast<int>(path.size());
  const int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, nullptr, 0);
  if (size <= 0) throw IoError("expected a path in UTF-8, got other bytes");
  std::wstring result(static_cast<std::size_t>(size), L'\0');
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, result.data(), size);
  return result;
}

HANDLE handle_of(std::intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

OVERLAPPED place_of(std::uint64_t offset) {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

/// Attributes of what is at the path; INVALID_FILE_ATTRIBUTES if there is nothing. @throws IoError for other errors.
DWORD attributes_of(const std::string& path, const std::wstring& name) {
  const DWORD attributes = GetFileAttributesW(name.c_str());
  if (attributes != INVALID_FILE_ATTRIBUTES) return attributes;
  const DWORD error = GetLastError();
  if (error != ERROR_FILE_NOT_FOUND && error != ERROR_PATH_NOT_FOUND) throw_io_error("look at", path);
  return attributes;
}

/// Where a link leads to.
std::string resolved(const std::string& path, const std::wstring& name) {
  const HANDLE file = CreateFileW(name.c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (file == INVALID_HANDLE_VALUE) throw_io_error("follow the link", path);
  std::wstring target(32768, L'\0');
  const DWORD length = GetFinalPathNameByHandleW(file, target.data(), static_cast<DWORD>(target.size()), 0);
  CloseHandle(file);
  if (length == 0 || length >= target.size()) throw_io_error("follow the link", path);
  target.resize(length);
  return narrow(target);
}

}  // namespace

void check_path(const std::string& path) {
  if (path.empty()) throw IoError("expected the path of a file, got an empty one");
  if (path.find('\0') != std::string::npos) throw IoError("expected the path of a file, got one with a NUL character");
}

std::string folder_of(const std::string& path) {
  const std::size_t separator = path.find_last_of("/\\:");  // C:model.teff is in the current folder of C:
  return separator == std::string::npos ? ".\\" : path.substr(0, separator + 1);
}

SystemFile::~SystemFile() {
  if (handle_ != kNone) CloseHandle(handle_of(handle_));
}

SystemFile SystemFile::open(const std::string& path, bool follow) {
  check_path(path);
  const std::wstring name = wide(path);
  const DWORD attributes = attributes_of(path, name);
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    throw IoError("expected a file, got a folder");
  }
  // Others may go on to write, rename and remove it.
  const HANDLE handle = CreateFileW(name.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                    nullptr, OPEN_EXISTING, follow ? 0 : FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
  if (handle == INVALID_HANDLE_VALUE) throw_io_error("open", path);
  SystemFile file(reinterpret_cast<std::intptr_t>(handle));
  const bool is_link = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
  if (GetFileType(handle) != FILE_TYPE_DISK || (is_link && !follow)) {
    throw IoError("expected a regular file, got a device, pipe or link");
  }
  LARGE_INTEGER size{};
  if (GetFileSizeEx(handle, &size) == 0) throw_io_error("size of", path);
  file.size_ = static_cast<std::uint64_t>(size.QuadPart);
  return file;
}

std::optional<SystemFile> SystemFile::create(const std::string& path, bool) {
  const HANDLE handle = CreateFileW(wide(path).c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, CREATE_NEW,
                                    FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle != INVALID_HANDLE_VALUE) return SystemFile(reinterpret_cast<std::intptr_t>(handle));
  if (GetLastError() == ERROR_FILE_EXISTS || GetLastError() == ERROR_ALREADY_EXISTS) return std::nullopt;
  throw_io_error("create a file in folder", folder_of(path));
}

std::size_t SystemFile::read(std::span<const Piece> pieces, std::uint64_t offset) const {
  std::size_t total = 0;
  for (const Piece& piece : pieces) {
    const auto wanted = static_cast<DWORD>(std::min<std::size_t>(piece.size, kMaxBytes));
    OVERLAPPED place = place_of(offset + total);
    DWORD got = 0;
    if (ReadFile(handle_of(handle_), piece.data, wanted, &got, &place) == 0 && GetLastError() != ERROR_HANDLE_EOF) {
      throw_io_error("read", "at offset " + std::to_string(offset + total));
    }
    total += got;
    if (got < piece.size) break;
  }
  return total;
}

std::size_t SystemFile::write(std::span<const Piece> pieces, std::uint64_t offset, const std::string& path) const {
  std::size_t total = 0;
  for (const Piece& piece : pieces) {
    const auto wanted = static_cast<DWORD>(std::min<std::size_t>(piece.size, kMaxBytes));
    OVERLAPPED place = place_of(offset + total);
    DWORD written = 0;
    if (WriteFile(handle_of(handle_), piece.data, wanted, &written, &place) == 0) throw_io_error("write to", path);
    total += written;
    if (written < piece.size) break;
  }
  if (total == 0) {
    SetLastError(ERROR_DISK_FULL);
    throw_io_error("write to", path);
  }
  return total;
}

void SystemFile::flush(const std::string& path) const {
  if (FlushFileBuffers(handle_of(handle_)) == 0) throw_io_error("flush", path);
}

void SystemFile::close(const std::string& path) {
  if (CloseHandle(handle_of(std::exchange(handle_, kNone))) == 0) throw_io_error("close", path);
}

Mapping::Mapping(const SystemFile& file, std::size_t bytes) : bytes_(bytes) {
  const std::string what = std::to_string(bytes) + " bytes";
  const HANDLE mapping =
      CreateFileMappingW(handle_of(file.handle_), nullptr, PAGE_WRITECOPY, 0, 0, nullptr);  // as long as the file
  if (mapping == nullptr) throw_io_error("map", what);
  data_ = static_cast<std::byte*>(MapViewOfFile(mapping, FILE_MAP_COPY, 0, 0, bytes));
  const DWORD error = GetLastError();
  CloseHandle(mapping);  // the view keeps it
  SetLastError(error);
  if (data_ == nullptr) throw_io_error("map", what);
}

Mapping::~Mapping() { UnmapViewOfFile(data_); }

struct Target::Status {};

Target::Target(const std::string& path) : path_(path) {
  check_path(path);
  std::wstring name = wide(path_);
  DWORD attributes = attributes_of(path_, name);
  if (attributes == INVALID_FILE_ATTRIBUTES) return;
  if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    path_ = resolved(path_, name);
    name = wide(path_);
    attributes = attributes_of(path_, name);
  }
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) throw IoError("expected the path of a file, got a folder");
  if ((attributes & FILE_ATTRIBUTE_READONLY) != 0) {
    SetLastError(ERROR_ACCESS_DENIED);
    throw_io_error("write to", path_);
  }
  replaced_ = std::make_unique<const Status>();
}

Target::Target(Target&&) noexcept = default;
Target::~Target() = default;

/// A file has those of its folder.
void Target::give_owner_and_permissions(const SystemFile&, const std::string&) const {}

void replace(const std::string& from, const std::string& to) {
  if (MoveFileExW(wide(from).c_str(), wide(to).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0)
    return;
  const DWORD error = GetLastError();
  const bool is_open =
      error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION || error == ERROR_USER_MAPPED_FILE;
  SetLastError(error);
  throw_io_error(is_open ? "rename, perhaps because a program has the file open, to" : "rename to", to);
}

void remove(const std::string& path) noexcept {
  try {
    DeleteFileW(wide(path).c_str());
  } catch (...) {  // no room for the name: the file stays
  }
}

void flush_folder(const std::string&) {}  // replace() has written it through

}  // namespace teff::serialize

#endif
