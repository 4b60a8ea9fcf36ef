// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/dict.h"

namespace teff::testing {

/// A copy of the values, not the handles, of all tensors below.
inline Value deep_copy(const Value& value) {
  if (value.is_tensor() && value.as_tensor().defined()) return value.as_tensor().detach().clone();
  if (value.is_dict()) {
    Dict copy;
    for (const auto& [key, item] : value.as_dict()) copy.insert(key, deep_copy(item));
    return copy;
  }
  if (value.is_list()) {
    List copy;
    for (const Value& item : value.as_list()) copy.push_back(deep_copy(item));
    return copy;
  }
  return value;
}

}  // namespace teff::testing
