// SPDX-License-Identifier: MIT
#pragma once

// Private: paths of keys as text. See FileEntry::path.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "teff/engine/dict.h"

namespace teff::serialize {

/// Calls visit(path, tensor) for every tensor in the dict, in its order.
/// @throws FormatError if all paths together are longer than `max_bytes`: long keys in each other make the paths of a
/// small file fill the memory.
void for_tensors(const Dict& dict, std::uint64_t max_bytes,
                 const std::function<void(const std::string& path, const Tensor& tensor)>& visit);

/// The value that a path leads to. @throws IndexError that names the step that leads nowhere.
const Value& value_at(const Dict& dict, std::string_view path);

/// Takes out the value that a path leads to; in a list None takes its place. False if it leads nowhere.
bool erase_at(Dict& dict, std::string_view path);

}  // namespace teff::serialize
