// SPDX-License-Identifier: MIT
#include "teff/nn/train/scalar_log.h"

#include <unistd.h>

#include <bit>
#include <chrono>
#include <filesystem>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff {
namespace {

std::string quoted_if_needed(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + '"';
}

void expect_written(const std::ofstream& out, const std::string& owner, const std::string& path) {
  if (!out) throw IoError(owner + ": expected a file that can be written, got " + nn::detail::quoted(path));
}

// Event files are records of protocol buffers: https://protobuf.dev/programming-guides/encoding.

std::string little_endian(std::uint64_t bits, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(bits >> (8 * i) & 0xff);
  return result;
}

std::string varint(std::uint64_t value) {
  std::string result;
  for (; value >= 0x80; value >>= 7) result += static_cast<char>((value & 0x7f) | 0x80);
  return result + static_cast<char>(value);
}

/// A field of bytes: a string, or a message.
std::string bytes_field(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
}

/// CRC-32C (Castagnoli) bit by bit: records are short. Masked, as sums of data that hold sums are.
std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

std::string record(const std::string& event) {
  const std::string length = little_endian(event.size(), 8);
  return length + little_endian(masked_crc(length), 4) + event + little_endian(masked_crc(event), 4);
}

double system_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string free_path(const std::string& directory, double now) {
  const std::string start = directory + "/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now)) + '.' +
                            std::to_string(getpid()) + '.';
  int number = 0;
  while (std::filesystem::exists(start + std::to_string(number))) ++number;
  return start + std::to_string(number);
}

}  // namespace

CsvLog::CsvLog(std::string path, const std::vector<std::string>& columns)
    : path_(std::move(path)), columns_(columns.size()), out_(path_, std::ios::binary) {
  nn::detail::expect(!columns.empty(), "CsvLog", "at least one column", "none");
  std::string line;
  for (const std::string& column : columns) line += (line.empty() ? "" : ",") + quoted_if_needed(column);
  write(line);
}

void CsvLog::add(std::span<const double> row) {
  nn::detail::expect(row.size() == columns_, "CsvLog", std::to_string(columns_) + " numbers",
                     std::to_string(row.size()));
  std::string line;
  for (const double number : row) line += (line.empty() ? "" : ",") + nn::detail::python_float(number);
  write(line);
}

void CsvLog::write(const std::string& line) {
  out_ << line << '\n' << std::flush;
  expect_written(out_, "CsvLog", path_);
}

TensorBoardLog::TensorBoardLog(const std::string& directory, TensorBoardLogOptions options)
    : clock_(options.clock ? std::move(options.clock) : system_clock) {
  std::error_code ignored;  // opening the file fails then
  std::filesystem::create_directories(directory, ignored);
  path_ = free_path(directory, clock_());
  out_.open(path_, std::ios::binary);
  write_event(bytes_field(3, "brain.Event:2"));  // Event.file_version
}

void TensorBoardLog::add_scalar(const std::string& tag, double value, std::int64_t step) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  const std::string simple_value = varint(2 << 3 | 5) + little_endian(bits, 4);
  const std::string summary = bytes_field(1, bytes_field(1, tag) + simple_value);
  const std::string step_field = step == 0 ? "" : varint(2 << 3) + varint(static_cast<std::uint64_t>(step));
  write_event(step_field + bytes_field(5, summary));
}

void TensorBoardLog::write_event(const std::string& fields) {
  const std::string wall_time = varint(1 << 3 | 1) + little_endian(std::bit_cast<std::uint64_t>(clock_()), 8);
  out_ << record(wall_time + fields) << std::flush;
  expect_written(out_, "TensorBoardLog", path_);
}

}  // namespace teff
