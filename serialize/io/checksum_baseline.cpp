// SPDX-License-Identifier: MIT
#include "teff/serialize/io/checksum_kernel.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

TEFF_CHECKSUM_KERNEL(kChecksumBaseline)
