// SPDX-License-Identifier: MIT
#pragma once

// Private: a generator's state as it is taken and put back, under the lock of the fill functions (random.h), and as it
// is in dictionaries.

#include "teff/engine/dict.h"
#include "teff/engine/random.h"

namespace teff::detail {

Generator copy_of(const Generator& generator);
void assign(Generator& generator, const Generator& state);

/// @throws TypeError, ValueError unless it is the state of a generator.
inline Generator to_generator(const Value& value) {
  Generator generator;
  generator.set_state(value.as_tensor().span<std::uint8_t>());
  return generator;
}

}  // namespace teff::detail
