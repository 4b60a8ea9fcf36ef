#!/bin/sh
# SPDX-License-Identifier: MIT
# kernel_symbols.sh NM ISA OBJECT...
# Of equally named weak functions (inline functions, templates) the linker keeps one. If it came from an object that was
# compiled for a wider instruction set, the program would crash on older machines. So every weak symbol of a kernel
# object must carry the set's name: teff::kernels::ISA or Eigen_teff_ISA.
set -u
nm=$1 isa=$2
shift 2
length=$(printf %s "$isa" | wc -c)
bad=$(for object in "$@"; do
  "$nm" --defined-only "$object" | awk -v object="${object##*/}" '$2 ~ /^[WwVvu]$/ { print $3, "in", object }'
done | grep -v -e "7kernels$((length))$isa" -e "Eigen_teff_$isa" -e '^DW\.ref\.__gxx_personality')
if [ -n "$bad" ]; then
  echo "weak symbols that other objects may replace, or that may replace those of other objects:"
  printf '%s\n' "$bad" | c++filt
  exit 1
fi
echo "$# objects of $isa have no weak symbols but their own"
