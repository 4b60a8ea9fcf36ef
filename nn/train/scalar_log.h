// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "teff/export.h"

// Numbers that a training run writes down. Each call is in the file when it returns. One thread at a time.

namespace TEFF_EXPORT teff {

/// A table in a text file (RFC 4180, lines end in "\n"), its first row the names of the columns.
class CsvLog {
 public:
  /// Begins the file anew. @throws IoError if it cannot be written; ValueError for no columns.
  CsvLog(std::string path, const std::vector<std::string>& columns);
  /// Numbers are written with as many digits as they need to be read back: 0.1, 3.0, nan.
  /// @throws ValueError unless there is a number for each column; IoError.
  void add(std::span<const double> row);
  void add(std::initializer_list<double> row) { add(std::span<const double>(row.begin(), row.size())); }

 private:
  void write(const std::string& line);

  std::string path_;
  std::size_t columns_;
  std::ofstream out_;
};

struct TensorBoardLogOptions {
  /// Seconds since 1970; default: the system's.
  std::function<double()> clock;
};

/// Curves for TensorBoard: an event file in a directory.
///
///   TensorBoardLog log("runs/first");
///   log.add_scalar("loss/train", loss.item<float>(), step);
class TensorBoardLog {
 public:
  /// Makes the directory if need be, and in it a file of a name that is not yet there:
  /// events.out.tfevents.<seconds>.<process>.<number>.
  /// @throws IoError if they cannot be written.
  explicit TensorBoardLog(const std::string& directory, TensorBoardLogOptions options = {});
  /// A point of the curve `tag`; the value is kept as float32. @throws IoError.
  void add_scalar(const std::string& tag, double value, std::int64_t step);

  const std::string& path() const { return path_; }

 private:
  void write_event(const std::string& fields);

  std::function<double()> clock_;
  std::string path_;
  std::ofstream out_;
};

}  // namespace teff
