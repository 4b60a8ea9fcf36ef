// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/target.h"

namespace teff::fuzz {

/// Changes the code of a TorchScript archive, word by word and line by line, and packs all entries anew; sometimes
/// another entry, or the file at any place.
void mutate_script(Bytes& file, Random& random, Mutator mutate);

/// The same with the graph of a program of torch.export, which is JSON.
void mutate_exported(Bytes& file, Random& random, Mutator mutate);

/// Changes such code alone.
void mutate_code(Bytes& code, Random& random, Mutator mutate);

}  // namespace teff::fuzz
