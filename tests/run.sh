#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and runs all tests: as a release, then with AddressSanitizer and UndefinedBehaviorSanitizer.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

sh cmake/install_packages.sh cmake g++ ninja-build pkg-config ccache libeigen3-dev libcereal-dev libxxhash-dev \
  doctest-dev libcli11-dev zlib1g-dev

launcher=
if command -v ccache >/dev/null; then
  launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR CCACHE_NOHASHDIR
fi

# check NAME OPTION...: configures, builds and tests in build/NAME
check() {
  build=build/$1
  shift
  printf '\n== %s: %s\n' "$build" "$*"
  cmake -S . -B "$build" -G Ninja -DTEFF_BUILD_TESTS=ON -DTEFF_BUILD_BENCHMARKS=OFF $launcher "$@" >"$build.log" ||
    { cat "$build.log"; return 1; }
  cmake --build "$build"
  ctest --test-dir "$build" --output-on-failure -j2
}

mkdir -p build
check tests -DCMAKE_BUILD_TYPE=Release
# Line numbers and no more: this halves the time of the build.
check tests-asan -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
  -DCMAKE_CXX_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
-D_GLIBCXX_ASSERTIONS"
