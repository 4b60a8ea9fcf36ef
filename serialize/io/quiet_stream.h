// SPDX-License-Identifier: MIT
#pragma once

// Private: streams of the program.

#include <ios>

namespace teff::serialize {

/// While it lives the stream throws nothing by itself, whatever its exceptions(): what went wrong is told by an
/// IoError.
class QuietStream {
 public:
  explicit QuietStream(std::ios& stream) : stream_(stream), exceptions_(stream.exceptions()) {
    stream_.exceptions(std::ios::goodbit);
  }
  ~QuietStream() {
    try {
      stream_.exceptions(exceptions_);
    } catch (const std::ios::failure&) {  // the stream's state, which is now set to throw: it has thrown already
    }
  }
  QuietStream(const QuietStream&) = delete;
  QuietStream& operator=(const QuietStream&) = delete;

 private:
  std::ios& stream_;
  std::ios::iostate exceptions_;
};

}  // namespace teff::serialize
