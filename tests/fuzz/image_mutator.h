// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/target.h"

namespace teff::fuzz {

/// Changes a picture's file at any place. Mostly the checksums of a PNG's chunks are made right again, as far as their
/// lengths lead.
void mutate_image(Bytes& file, Random& random, Mutator mutate);

}  // namespace teff::fuzz
