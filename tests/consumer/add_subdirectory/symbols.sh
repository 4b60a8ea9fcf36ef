#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh NM LIBRARY: a shared library exports what its public headers declare, with the version of the release.
set -eu
nm=$1 library=$2
"$nm" -DC --defined-only "$library" | sed 's/^[0-9a-f]* *[A-Za-z] //' >exported
# "typeinfo for teff::Op", "non-virtual thunk to teff::...", and the name of the version itself
if grep -vE '^((vtable|typeinfo( name)?|VTT) for |(non-)?virtual thunk to )?teff::.*@@TEFF_[0-9.]+$|^TEFF_[0-9.]+' exported; then
  echo "these are not Teff's own"
  exit 1
fi
if grep -E 'teff::(serialize|ops|kernels|cli)::' exported; then
  echo "these are private"
  exit 1
fi
echo "$(wc -l <exported) symbols are exported"
