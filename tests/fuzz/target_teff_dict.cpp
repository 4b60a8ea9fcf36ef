// SPDX-License-Identifier: MIT
#include <cstring>
#include <sstream>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff::fuzz {

/// A file that loads has one way to be written only, and prints.
void run_teff_dict(std::span<const std::byte> bytes) {
  Dict dict;
  try {
    dict = load(bytes);
  } catch (const FormatError& error) {
    expect_refusal(error.what());
    return check_file(bytes, false);
  }
  check_file(bytes, true);
  const Dict metadata = serialize::read_teff(serialize::MemorySource(bytes), serialize::FileKind::dict, {},
                                             [&](serialize::HeaderReader& archive) { archive(dict = {}); });
  std::ostringstream saved, printed;
  save(dict, saved, {.metadata = metadata});
  expect(saved.str().size() == bytes.size() && std::memcmp(saved.str().data(), bytes.data(), bytes.size()) == 0,
         "a dictionary that was loaded is saved to the same bytes");
  printed << dict << metadata;
}

}  // namespace teff::fuzz
