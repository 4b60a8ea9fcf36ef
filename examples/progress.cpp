// SPDX-License-Identifier: MIT
#include "examples/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string_view>
#include <utility>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

namespace fashion {
namespace {

constexpr std::int64_t kBarWidth = 24;
constexpr std::int64_t kPlainLines = 4;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

bool is_terminal() {
#ifdef _WIN32
  return _isatty(_fileno(stdout)) != 0;
#else
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
#endif
}

Progress::Progress(std::string title, std::int64_t total, std::ostream& out, bool terminal)
    : title_(std::move(title)), total_(total), out_(out), terminal_(terminal) {}

Progress::~Progress() {
  if (terminal_) out_ << kClearLine << std::flush;
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

double Progress::images_per_second() const {
  const double elapsed = seconds();
  return elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
}

bool Progress::is_due() const {
  if (terminal_) return Clock::now() - drawn_ >= kRedraw;
  return done_ * kPlainLines / total_ > shown_ * kPlainLines / total_;
}

std::string Progress::bar() const {
  const auto full = static_cast<std::size_t>(kBarWidth * done_ / total_);
  std::string bar(kBarWidth, ' ');
  std::fill_n(bar.begin(), full, '=');
  if (full < bar.size()) bar[full] = '>';
  return bar;
}

std::string Progress::text(double loss) const {
  const double rate = images_per_second();
  std::ostringstream text;
  text << title_ << ' ' << (terminal_ ? '[' + bar() + "] " : "") << std::setw(3) << 100 * done_ / total_ << " %  loss "
       << std::fixed << std::setprecision(4) << loss << std::setprecision(0) << std::setw(7) << rate << " images/s";
  if (terminal_ && rate > 0) text << "  " << static_cast<double>(total_ - done_) / rate << " s left";
  return text.str();
}

void Progress::update(std::int64_t done, double loss) {
  done_ = done;
  if (!is_due()) return;
  shown_ = done_;
  drawn_ = Clock::now();
  if (terminal_) {
    out_ << kClearLine << text(loss) << std::flush;
  } else {
    out_ << text(loss) << std::endl;
  }
}

}  // namespace fashion
