// SPDX-License-Identifier: MIT
#pragma once

// The files of tests/golden/torch, and what they hold.

#include <string>

#include "teff/teff.h"

namespace teff::testing {

inline std::string torch_golden(const std::string& name) { return TEFF_GOLDEN_DIR "/torch/" + name; }

/// first, first + 1, ...
inline Tensor counted(double first, const Shape& shape, DType dtype = DType::float32) {
  const double end = first + static_cast<double>(numel(shape));
  return arange(first, end, 1, {.dtype = DType::float32}).view(shape).to(dtype);
}

inline std::string keys_of(const Dict& dict) {
  std::string keys;
  for (const DictItem& item : dict) keys += item.key + ' ';
  return keys;
}

}  // namespace teff::testing
