// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/target.h"

namespace teff::fuzz {

/// Changes an entry of a zip and packs all entries anew; other files, and sometimes a zip, at any place.
void mutate_torch(Bytes& file, Random& random, Mutator mutate);

/// Changes the header of a .safetensors file, mostly, and sets its length.
void mutate_safetensors(Bytes& file, Random& random, Mutator mutate);

}  // namespace teff::fuzz
