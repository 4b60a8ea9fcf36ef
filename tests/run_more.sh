#!/bin/sh
# SPDX-License-Identifier: MIT
# What run.sh leaves out because it takes longer: sh tests/run_more.sh [JOB...], all jobs without arguments.
#   compiles    tests that compile: the library as its users do, each public header; they need the build of run.sh
#   sanitizers  all tests with AddressSanitizer, UndefinedBehaviorSanitizer, assert() and libstdc++'s assertions
#   threads     the tests of what several threads do, with ThreadSanitizer
#   clang       all tests and all examples, by clang
# Each job builds its own library, apart from the first, and only with the kernels that it is about. The files of a
# folder are compiled together (CMAKE_UNITY_BUILD), as some users do; run.sh compiles each alone.
set -eu
cd "$(dirname "$0")/.."
. tests/common.sh

one_isa='' two_isas=''
case $(uname -m) in
  x86_64) one_isa=-DTEFF_ISAS=avx2 two_isas='-DTEFF_ISAS=baseline;avx2' ;;
esac

# quick_build NAME TARGET OPTION...: in few large objects, little optimised, with line numbers for what sanitizers report.
quick_build() {
  name=$1 target=$2
  shift 2
  build "$name" "$target" -DCMAKE_UNITY_BUILD=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" "$@"
}

compiles() {
  if [ ! -f build/tests/CTestTestfile.cmake ]; then
    echo "compiles: expected the build of tests/run.sh" >&2
    return 1
  fi
  run_tests tests -L compiles
}

# Debug: without NDEBUG. No MPI: Open MPI itself leaks.
# shellcheck disable=SC2086
sanitizers() {
  quick_build tests-asan teff_all_tests $two_isas -DCMAKE_CXX_FLAGS="-fsanitize=address,undefined \
-fno-sanitize-recover=all -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS"
  run_tests tests-asan
}

# shellcheck disable=SC2086
threads() {
  quick_build tests-tsan teff_tests $one_isa -DTEFF_BUILD_CLI=OFF -DTEFF_BUILD_C=OFF \
    -DCMAKE_CXX_FLAGS="-fsanitize=thread -fno-omit-frame-pointer"
  TSAN_OPTIONS=halt_on_error=1 run_tests tests-tsan -L threads
}

# shellcheck disable=SC2086
clang() {
  sh cmake/install_packages.sh clang
  if ! command -v clang++ >/dev/null; then
    echo "clang: skipped, there is no clang++"
    return
  fi
  build tests-clang all -DCMAKE_UNITY_BUILD=ON $one_isa -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS=-Werror
  run_tests tests-clang -LE compiles
}

[ $# -gt 0 ] || set -- compiles sanitizers threads clang
for job in "$@"; do
  case $job in
    compiles | sanitizers | threads | clang) "$job" ;;
    *)
      echo "run_more.sh: expected compiles, sanitizers, threads or clang, got $job" >&2
      exit 2
      ;;
  esac
done
