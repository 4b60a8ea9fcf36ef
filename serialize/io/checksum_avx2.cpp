// SPDX-License-Identifier: MIT

// Compiled with -mavx2 where the processor may have it; see CMakeLists.txt.
#ifdef __AVX2__

#include "teff/serialize/io/checksum_kernel.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

TEFF_CHECKSUM_KERNEL(kChecksumAvx2)

#endif
