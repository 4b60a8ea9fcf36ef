#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and runs all tests: as a release, then with AddressSanitizer and UndefinedBehaviorSanitizer.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

sh cmake/install_packages.sh cmake g++ ninja-build pkg-config ccache libeigen3-dev libcereal-dev libxxhash-dev \
  doctest-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev graphviz libonnx-testdata python3-torch \
  python3-torchvision libopenmpi-dev openmpi-bin

launcher=
if command -v ccache >/dev/null; then
  launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR CCACHE_NOHASHDIR
fi

# check NAME TARGET OPTION...: configures, builds and tests in build/NAME
# shellcheck disable=SC2086
check() {
  build=build/$1 target=$2
  shift 2
  printf '\n== %s: %s\n' "$build" "$*"
  cmake -S . -B "$build" -G Ninja -DTEFF_BUILD_TESTS=ON -DTEFF_BUILD_BENCHMARKS=OFF $launcher "$@" >"$build.log" ||
    { cat "$build.log"; return 1; }
  cmake --build "$build" --target "$target"
  ctest --test-dir "$build" --output-on-failure -j2
}

mkdir -p build
# Not under the sanitizers: Open MPI itself leaks.
mpi=
if command -v mpiexec >/dev/null; then
  mpi=-DTEFF_WITH_MPI=ON
fi
# shellcheck disable=SC2086
check tests all -DCMAKE_BUILD_TYPE=Release $mpi

# The sanitizers' build takes half the time with line numbers alone, and without the widest kernels.
isas=
case $(uname -m) in
  x86_64) isas='-DTEFF_ISAS=baseline;avx2' ;;
esac
# shellcheck disable=SC2086
check tests-asan teff_all_tests $isas -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
  -DCMAKE_CXX_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
-D_GLIBCXX_ASSERTIONS"
