#!/bin/sh
# SPDX-License-Identifier: MIT
# minimal.sh ROOT WORK WRITE_MODEL RUN_MODEL STRIP CEILING CMAKE_OPTION...: installs the preset minimal, builds run_model
# with it, and compares what it makes of a model with what the full library's RUN_MODEL makes of it, bit by bit.
set -eu
root=$1 work=$2 write_model=$3 run_model=$4 strip=$5 ceiling=$6
shift 6

cd "$root"
cmake --preset minimal -B "$work/build" "$@"
cmake --build "$work/build"
rm -rf "$work/prefix"
cmake --install "$work/build" --prefix "$work/prefix"
for gone in nn/optim nn/data nn/layers/loss.h nn/clip_grad.h engine/testing.h serialize/training; do
  if [ -e "$work/prefix/include/teff/$gone" ]; then
    echo "the header $gone is installed, and what it declares is not in the library" >&2
    exit 1
  fi
done

cmake -S tests/consumer/minimal -B "$work/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/prefix" "$@"
cmake --build "$work/consumer"

"$write_model" "$work/model.teff"
for isa in baseline avx2; do
  if [ $isa = avx2 ] && ! grep -q '^flags.* avx2 ' /proc/cpuinfo; then
    echo "not compared on avx2, which this machine has not"
    continue
  fi
  TEFF_ISA=$isa "$run_model" "$work/model.teff" >"$work/full.txt"
  TEFF_ISA=$isa "$work/consumer/run_model" "$work/model.teff" >"$work/minimal.txt"
  [ -s "$work/full.txt" ]
  cmp "$work/full.txt" "$work/minimal.txt"
done
sh tests/size.sh "$strip" "$work/consumer/run_model" "$ceiling"
