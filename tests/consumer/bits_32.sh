#!/bin/sh
# SPDX-License-Identifier: MIT
# bits_32.sh COMPILER SOURCE_DIR INCLUDE_DIR WORK_DIR: what must know the width of a pointer, where that is 32 bits.
set -eu
compiler=$1 source=$2 include=$3 work=$4
mkdir -p "$work"
cd "$work"
printf '#include <mutex>\nint main() { throw 1; }\n' >probe.cpp
if ! "$compiler" -m32 probe.cpp -o probe 2>/dev/null; then
  echo "skipped: this compiler does not build for 32 bits (Debian: g++-multilib)"
  exit 77
fi
"$compiler" -m32 -std=c++20 -Wall -Wextra -Werror -I"$include" "$source/tests/consumer/bits_32.cpp" \
  "$source/engine/allocator.cpp" "$source/engine/shape.cpp" -o main
./main
