// SPDX-License-Identifier: MIT
#pragma once

// Private to serialize/c: options and bytes of files.

#include <cstddef>
#include <span>

#include "teff/serialize/options.h"
#include "teff/teff_c.h"

namespace teff::c {

/// @throws ValueError for options that are none of this library's.
LoadOptions load_options_of(const teff_load_options* given, const char* function);
SaveOptions save_options_of(const teff_save_options* given, const char* function);

/// @throws ValueError for null that is to be more than nothing.
std::span<const std::byte> bytes_of(const void* bytes, std::size_t size, const char* function);

}  // namespace teff::c
