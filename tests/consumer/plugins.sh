#!/bin/sh
# SPDX-License-Identifier: MIT
# plugins.sh COMPILER NM SOURCE_DIR PREFIX LIBRARY_DIR WORK_DIR: two plugins with the static library inside, as README.md
# says to build them.
set -eu
compiler=$1 nm=$2 source=$3 prefix=$4 library=$5 work=$6
mkdir -p "$work"
cd "$work"

no_unique=
if "$compiler" -fno-gnu-unique -fsyntax-only -x c++ /dev/null 2>/dev/null; then no_unique=-fno-gnu-unique; fi
"$compiler" -std=c++20 "$source/host.cpp" -o host -ldl
for name in first second; do
  "$compiler" -std=c++20 -fPIC -shared -fvisibility=hidden -fvisibility-inlines-hidden $no_unique -I"$prefix/include" \
    "$source/plugin.cpp" -o $name.so "$library/libteff.a" -pthread
  "$nm" -D --defined-only $name.so >$name.symbols
  if grep -E ' _Z(N[KRO]*|T[A-Z][a-z0-9_]*N)4teff' $name.symbols; then
    echo "$name.so exports symbols of Teff: another version in the process may take them for its own"
    exit 1
  fi
  if grep ' u ' $name.symbols; then
    echo "$name.so has symbols that are one in the process: it cannot be unloaded"
    exit 1
  fi
done
./host "$work/first.so" "$work/second.so"
