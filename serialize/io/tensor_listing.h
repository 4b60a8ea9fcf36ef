// SPDX-License-Identifier: MIT
#pragma once

// Private: what a reader says of a file with tensors that Teff cannot hold: which these are, and which others there
// are.

#include <cstddef>
#include <string>
#include <vector>

#include "teff/engine/tensor.h"

namespace teff::serialize {

class TensorListing {
 public:
  /// `place` and `type` must be fit to be printed.
  void add_unsupported(const std::string& place, const std::string& type) { unsupported_.add(place, type); }
  void add(const std::string& place, const TensorType& type);
  /// The same for what is no tensor: an object of a class that nobody knows.
  void add_unknown(const std::string& place, const std::string& what);
  /// Whether more of them would only be counted: what describes them need not be made.
  bool shows_more_unsupported() const;
  bool shows_more() const;
  /// What to say of a file with unsupported ones; empty if there was none.
  std::string refusal() const;
  /// @throws FormatError if there was an unsupported one.
  void check() const;

 private:
  /// As many names as an error shows, and how many there are.
  struct Names {
    void add(const std::string& place, const std::string& type);
    std::string text() const;

    std::vector<std::string> shown;
    std::size_t count = 0;
  };

  Names unsupported_, supported_;
  bool has_unknown_ = false;
};

}  // namespace teff::serialize
