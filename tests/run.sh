#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the library as a release, for all instruction sets, and runs all tests but those that compile much themselves:
# run_more.sh runs these, and all tests again under sanitizers and by clang.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh

mpi=
if command -v mpiexec >/dev/null; then
  mpi=-DTEFF_WITH_MPI=ON
fi
# shellcheck disable=SC2086
build tests tests/all -DCMAKE_BUILD_TYPE=Release $mpi
run_tests tests -LE compiles
