#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh NM LIBRARY: a shared library exports what its public headers declare, with the version of the release.
set -eu
nm=$1 library=$2
"$nm" -D --defined-only "$library" | awk '{ print $NF }' >exported
# Functions, virtual tables and types, thunks; and the name of the version itself.
if grep -vE '^(_Z(N[KRO]*|T[ISVT]N|T[hvc][nh0-9_]*N)4teff.*@@)?TEFF_[0-9.]+$' exported; then
  echo "these are not Teff's own, or have no version"
  exit 1
fi
if c++filt <exported | grep -E 'teff::(serialize|ops|kernels|cli)::'; then
  echo "these are private"
  exit 1
fi
echo "$(wc -l <exported) symbols are exported"
