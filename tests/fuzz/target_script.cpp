// SPDX-License-Identifier: MIT
#include <string_view>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/serialize/script/script_syntax.h"

namespace teff::fuzz {

/// The archive's tensors load, and its network.
void run_script(std::span<const std::byte> bytes) {
  check_dict(bytes, {}, FileFormat::teff);
  check_network(bytes);
}

/// The bytes as code.
void run_script_code(std::span<const std::byte> bytes) {
  try {
    serialize::parse_script({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const FormatError& error) {
    expect(std::string_view(error.what()).starts_with("line "), "a refusal of code begins with its line");
  }
}

}  // namespace teff::fuzz
