// SPDX-License-Identifier: MIT
// The same program as C++.
#include "hostile.c"
#include "main.c"
