// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace teff::reliability {

/// Calls visit(name, bytes) for all files of the fuzzing corpus, and for files of about 1 MB that ask for as much work
/// and memory as the formats allow: as many values, keys, tensors, nodes as fit, as deep as they may lie.
void for_each_hostile_file(const std::string& corpus,
                           const std::function<void(const std::string& name, const std::string& bytes)>& visit);

}  // namespace teff::reliability
