#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh NM LIBRARY HEADER MAP: the library exports the functions of the header, all of them with a version, and
# nothing else; and the header compiles to no other names.
set -eu
nm=$1 library=$2 header=$3 map=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^TEFF_C_API/ { on = 1 } on { print } /;/ { on = 0 }' "$header" | grep -oE '\bteff_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$work/header"
grep -oE '\bteff_[a-z0-9_]+;' "$map" | tr -d ';' | sort -u >"$work/map"
"$nm" -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sort -u >"$work/library"
sed -n 's/@@TEFF_C_[0-9.]*$//p' "$work/library" >"$work/versioned"

failed=0
# same WHAT A B
same() {
  if ! diff "$work/$2" "$work/$3" >"$work/diff"; then
    echo "$1 differ:"
    cat "$work/diff"
    failed=1
  fi
}
[ -s "$work/header" ] || { echo "no functions in $header"; exit 1; }
same "functions of $header and of $map" header map
same "functions of $header and versioned symbols of $library" header versioned
if [ "$(wc -l <"$work/library")" -ne "$(wc -l <"$work/versioned")" ]; then
  echo "symbols without a version:"
  grep -v '@@TEFF_C_' "$work/library"
  failed=1
fi
echo "$(wc -l <"$work/versioned") functions"
exit $failed
