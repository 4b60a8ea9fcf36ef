// SPDX-License-Identifier: MIT
#include "teff/serialize/io/place.h"

#include <algorithm>

#include "teff/engine/text.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxShownBytes = 80;

/// `key`: null for an index.
void append(std::string& text, std::string_view key, std::size_t index) {
  if (key.data() == nullptr) {
    text.append("[").append(std::to_string(index)).append("]");
  } else {
    if (!text.empty()) text += "/";
    text += escaped(key, kMaxShownBytes);
  }
}

}  // namespace

bool are_bools(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte <= std::byte{1}; });
}

std::string escaped(std::string_view text, std::size_t max_bytes) {
  const std::string result = detail::escaped(text.substr(0, max_bytes), "\"\\");
  return text.size() > max_bytes ? result + "..." : result;
}

std::string Place::text() const {
  std::string text;
  for (const Step& step : steps_) append(text, step.key, step.index);
  return text;
}

std::string Place::path() const {
  std::string path;
  for (const Step& step : steps_) {
    if (step.key.data() == nullptr) {
      path.append("[").append(std::to_string(step.index)).append("]");
      continue;
    }
    if (!path.empty()) path += '/';
    for (const char c : step.key) {
      if (c == '/' || c == '[' || c == '\\') path += '\\';
      path += c;
    }
  }
  return path;
}

std::size_t Place::mark() {
  std::size_t parent = kNone;
  for (Step& step : steps_) {
    if (step.mark == kNone) {
      step.mark = marks_.size();
      marks_.push_back({step.key, step.index, parent});
    }
    parent = step.mark;
  }
  return parent;
}

std::string Place::text_of(std::size_t mark) const {
  std::vector<std::size_t> path;
  for (; mark != kNone; mark = marks_[mark].parent) path.push_back(mark);
  std::string text;
  for (auto step = path.rbegin(); step != path.rend(); ++step) append(text, marks_[*step].key, marks_[*step].index);
  return text;
}

}  // namespace teff::serialize
