#!/bin/sh
# SPDX-License-Identifier: MIT
# abi.sh COMPILER HEADER_DIR BASELINE [--update]: what programs of an earlier patch version were compiled against still
# holds: functions, their arguments, the sizes and fields of structs, the numbers of enumerations. (Debian: abigail-tools)
#
# Compared are the header's declarations, of which a library of empty functions is made: that the real one defines the
# same is what its own compiler checks, and what symbols.sh looks at. The baseline holds for x86-64.
set -eu
compiler=$1 headers=$2 baseline=$3 update=${4:-}
if ! command -v abidw >/dev/null || ! command -v abidiff >/dev/null; then
  echo "skipped: no abidw, no abidiff (Debian: abigail-tools)"
  exit 77
fi
if [ "$(uname -m)" != x86_64 ]; then
  echo "skipped: the baseline is for x86_64, this is $(uname -m)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  cat "$headers/teff/teff_c.h"
  # Of the enumerations functions take the numbers alone.
  sed -n 's/^enum \(teff_[a-z_]*\) .*/enum \1 abi_\1;/p' "$headers/teff/teff_c.h"
  awk '/^TEFF_C_API/ { on = 1 } on { print } /;/ { on = 0 }' "$headers/teff/teff_c.h" | sed 's/;$/ { __builtin_trap(); }/'
} >"$work/abi.c"
(cd "$work" && "$compiler" -std=c99 -g -fPIC -shared -w -o libteff_c.so abi.c)
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-architecture "$work/libteff_c.so" |
  sed "s: path='[^']*'::" >"$work/abi.xml"
if [ "$update" = --update ]; then
  cp "$work/abi.xml" "$baseline"
  echo "written: $baseline"
  exit
fi
grep -q teff_model_run "$work/abi.xml" || { echo "no functions were found in $headers/teff/teff_c.h"; exit 1; }
# Functions may be added; anything else is a break.
abidiff --no-added-syms "$baseline" "$work/abi.xml"
