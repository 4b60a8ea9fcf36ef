#!/bin/sh
# SPDX-License-Identifier: MIT
# What can be told of the sources without building them: their format, which folder includes which, and a few mistakes
# that clang-tidy finds. `sh tests/check.sh --fix` gives the files their format instead.
set -eu
cd "$(dirname "$0")/.."

# Other versions format differently, and check differently.
version=14
sh cmake/install_packages.sh cmake ninja-build clang clang-format-$version clang-tidy-$version libeigen3-dev \
  libcereal-dev libxxhash-dev libcli11-dev nlohmann-json3-dev
format=clang-format-$version tidy=clang-tidy-$version
failed=0

if ! command -v $format >/dev/null; then
  echo "format: not checked, there is no $format"
elif [ "${1:-}" = --fix ]; then
  git ls-files -z '*.h' '*.cpp' | xargs -0 $format -i
  exit
else
  unlike=$(git ls-files -z '*.h' '*.cpp' |
    xargs -0 $format --dry-run 2>&1 | sed -n 's/:[0-9]*:[0-9]*: warning: code should be clang-formatted.*//p' | uniq)
  if [ -n "$unlike" ]; then
    echo "not as $format writes them; the cure: sh tests/check.sh --fix"
    echo "$unlike"
    failed=1
  fi
fi

sh tests/public_headers/check_includes.sh . || failed=1

# All of the library, for one instruction set, several files in one as CMAKE_UNITY_BUILD joins them: each header is
# read 20 times instead of 250 times.
if ! command -v $tidy >/dev/null || ! command -v clang++ >/dev/null; then
  echo "clang-tidy: not run, there is no $tidy or no clang++"
else
  isa=
  if [ "$(uname -m)" = x86_64 ]; then
    isa=-DTEFF_ISAS=avx2
  fi
  mkdir -p build
  cmake -S . -B build/tidy -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCMAKE_UNITY_BUILD=ON -DTEFF_BUILD_TESTS=OFF -DTEFF_BUILD_EXAMPLES=OFF -DTEFF_BUILD_BENCHMARKS=OFF $isa \
    >build/tidy.log || { cat build/tidy.log; exit 1; }
  sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/tidy/compile_commands.json | tr '\n' '\0' |
    xargs -0 -P 2 -n 1 $tidy --quiet -p build/tidy >build/tidy.out 2>build/tidy.err || {
    cat build/tidy.out
    grep -i ' error: ' build/tidy.err || true
    failed=1
  }
fi
exit $failed
