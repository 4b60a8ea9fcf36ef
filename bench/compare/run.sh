#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares Teff with the other engines that this machine has; see README.md beside it.
# Usage: sh bench/compare/run.sh [--threads N] [--isa widest|avx2] [--cpu-time] [--quick] [--only TEXT] [--out DIR]
# TEFF_BUILD is the build folder. TEFF_ORT is a folder with onnxruntime-node in its node_modules; without it npm, if
# there is one, installs that package below the build folder.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${TEFF_BUILD:-$root/build/compare}

cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DTEFF_BUILD_BENCHMARKS=ON -DTEFF_BUILD_TESTS=OFF \
  -DTEFF_BUILD_EXAMPLES=OFF >/dev/null
cmake --build "$build" --parallel --target teff_compare

if [ -z "${TEFF_ORT:-}" ]; then
  TEFF_ORT=$build/ort
  if [ ! -d "$TEFF_ORT/node_modules" ] && command -v npm >/dev/null; then
    npm install --silent --ignore-scripts --no-fund --no-audit --prefix "$TEFF_ORT" onnxruntime-node ||
      echo "npm could not install onnxruntime-node" >&2
  fi
fi
export TEFF_ORT
exec python3 "$root/bench/compare/compare.py" --build "$build/compare" --out "$build/results" "$@"
