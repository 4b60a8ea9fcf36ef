// SPDX-License-Identifier: MIT
#include "teff/serialize/io/file_reader.h"

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {

void FileReader::read(std::span<Piece> pieces, std::uint64_t offset) const {
  pieces = drop_front(pieces, 0);
  while (!pieces.empty()) {
    const std::size_t got = file_.read(pieces, offset);
    if (got == 0) {
      throw FormatError("expected " + std::to_string(size()) + " bytes, got the end of the file at offset " +
                        std::to_string(offset) + ": it was changed while it was read");
    }
    pieces = drop_front(pieces, got);
    offset += got;
  }
}

std::shared_ptr<const Mapping> FileReader::map() const {
  return std::make_shared<const Mapping>(file_, static_cast<std::size_t>(size()));
}

std::shared_ptr<const ByteSource> FileReader::beside(const std::string& name) const {
  const bool is_plain = !name.empty() && name != "." && name != ".." && name.find_first_of("/\\:") == name.npos &&
                        name.find('\0') == name.npos;
  if (!is_plain) {
    throw UnsupportedError("expected the name of a file in the same folder, got \"" + escaped(name, 200) + '"');
  }
  const std::string folder = folder_of(path_);
  return std::make_shared<FileReader>(folder + name, false);
}

}  // namespace teff::serialize
