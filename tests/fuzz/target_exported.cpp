// SPDX-License-Identifier: MIT
#include "fuzz/checks.h"

namespace teff::fuzz {

/// The program's state dict loads, and its network.
void run_exported(std::span<const std::byte> bytes) {
  check_dict(bytes, {}, FileFormat::teff);
  check_network(bytes);
}

}  // namespace teff::fuzz
