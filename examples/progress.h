// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace fashion {

/// Whether standard output is a terminal that can redraw a line.
bool is_terminal();

/// Shows how far an epoch is: on a terminal a bar that is redrawn in place, at most ten times a second;
/// elsewhere a plain line after each quarter.
class Progress {
 public:
  Progress(std::string title, std::int64_t total, std::ostream& out, bool terminal);
  /// Removes the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total images are through; `loss` is shown beside.
  void update(std::int64_t done, double loss);
  double seconds() const;
  double images_per_second() const;

 private:
  bool is_due() const;
  std::string bar() const;
  std::string text(double loss) const;

  using Clock = std::chrono::steady_clock;

  std::string title_;
  std::int64_t total_;
  std::ostream& out_;
  bool terminal_;
  std::int64_t done_ = 0;
  std::int64_t shown_ = 0;  // value of done_ when it was last shown
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
};

}  // namespace fashion
