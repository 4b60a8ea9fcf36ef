// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/target.h"

namespace teff::fuzz {

/// Changes a .teff file at one place. Mostly the table of tensors, lengths and checksums are made right again, as far
/// as the header can still be read.
void mutate_teff(Bytes& file, Random& random, Mutator mutate);

}  // namespace teff::fuzz
