// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/target.h"

namespace teff::fuzz {

/// Changes a field of a protocol buffer, takes it out, or puts another there; the lengths of all messages that it is in
/// are right again.
void mutate_onnx(Bytes& file, Random& random, Mutator mutate);

}  // namespace teff::fuzz
