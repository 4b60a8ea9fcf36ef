// SPDX-License-Identifier: MIT
#pragma once

// Private: a file that appears whole or not at all.

#include <cstdint>
#include <span>
#include <string>

#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/system.h"

namespace teff::serialize {

/// Writes to a temporary file in the folder of `path`, which commit() renames to `path`. Until then, and on
/// every failure, what was at `path` is untouched; the destructor removes the temporary file. A link at
/// `path` stays, and what it points to is replaced. The permissions of the replaced file are kept.
///
/// All functions throw IoError that names the call that failed and the system's reason.
class AtomicFile final : public ByteSink {
 public:
  /// `durable`: commit() flushes the file before and the folder after the renaming.
  AtomicFile(const std::string& path, bool durable);

  void write(std::span<Piece> pieces, std::uint64_t offset) override;
  using ByteSink::write;
  bool is_rewritable() const override { return true; }
  void commit();

 private:
  /// A new file that is removed unless it was renamed.
  struct Temporary {
    Temporary(const std::string& folder, bool is_private);
    ~Temporary();
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    std::string path;  // empty: renamed
    SystemFile file;
  };

  Target target_;
  Temporary temporary_;
  bool durable_;
};

}  // namespace teff::serialize
