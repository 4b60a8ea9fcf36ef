// SPDX-License-Identifier: MIT
#pragma once

// Private: where in the content of a file something is, and names from files made fit to be printed.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/io/limits.h"

namespace teff::serialize {

/// Whether all bytes are values of a bool: others must never be read as one.
bool are_bools(std::span<const std::byte> bytes);

/// The text with control characters, quotes and backslashes as codes, abridged to `max_bytes`: fit to be printed.
std::string escaped(std::string_view text, std::size_t max_bytes);

/// Where in the content an archive is: `optimizer/state[3]/momentum_buffer`.
class Place {
 public:
  void enter(std::string_view key) { steps_.push_back({key, 0, kNone}); }
  void enter(std::size_t index) { steps_.push_back({{}, index, kNone}); }
  void leave() { steps_.pop_back(); }
  std::size_t depth() const { return steps_.size(); }
  /// Fit to be printed.
  std::string text() const;

  /// As in FileEntry: keys in full, with the characters that would end them behind a backslash.
  std::string path() const;

  /// Remembers where the archive is now. Texts of all tensors together could be longer than the file by far: places
  /// share what they have in common.
  std::size_t mark();
  std::string text_of(std::size_t mark) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Step {
    std::string_view key;  // null: an index
    std::size_t index;
    std::size_t mark;
  };
  struct Mark {
    std::string_view key;
    std::size_t index;
    std::size_t parent;
  };
  std::vector<Step> steps_;
  std::vector<Mark> marks_;
};

/// Steps into a part of the content for the guard's lifetime. @throws what archive.refuse throws when it is
/// too deep.
template <class Archive>
class Within {
 public:
  Within(Archive& archive, auto step) : archive_(archive) {
    if (archive.place.depth() == kMaxDepth)
      archive.refuse("dictionaries, lists or modules deeper than 64 in each other");
    archive.place.enter(step);
  }
  ~Within() { archive_.place.leave(); }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  Archive& archive_;
};

}  // namespace teff::serialize
