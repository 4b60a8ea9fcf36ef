#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests what the files promise at full length and prints the table of docs/files.md: promise, test, figure. Takes minutes.
# Usage: sh run.sh [--quick]; builds in build/tests and build/fuzz, or in TEFF_BUILD and TEFF_FUZZ_BUILD.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

kills=1000 loads=10000 damages=1000000 cycles=100000 fuzz=1000000
if [ "${1:-}" = --quick ]; then
  kills=50 loads=500 damages=50000 cycles=2000 fuzz=10000
fi

launcher=
if command -v ccache >/dev/null; then
  launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR CCACHE_NOHASHDIR
fi
corpus=tests/fuzz/corpus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# By default where tests/run.sh builds, too.
build=${TEFF_BUILD:-build/tests}
fuzz_build=${TEFF_FUZZ_BUILD:-build/fuzz}
# shellcheck disable=SC2086
make_programs() {
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTEFF_BUILD_TESTS=ON -DTEFF_BUILD_BENCHMARKS=OFF \
    $launcher && cmake --build "$build" --target teff_reliability
}

# Puts lines "promise | test | figure" into the table.
row() {
  printf '| %s |\n' "$1"
}
rows() {
  "$@" >"$work/rows" || failed=1
  while IFS= read -r line; do row "$line"; done <"$work/rows"
}

mkdir -p build
make_programs >build/reliability.log 2>&1 || { cat build/reliability.log; exit 1; }
programs=$build/tests/reliability/teff_reliability_
printf '| promise | test | result |\n|---|---|---|\n'
rows "${programs}damage" "$damages"
rows "${programs}saving" "$kills" "$loads"

# A disk that is really full: a file system of 512 KiB of our own, where a user may have one.
if unshare -rm sh -c 'mount -t tmpfs -o size=512k none /mnt' 2>/dev/null; then
  # shellcheck disable=SC2016
  rows unshare -rm sh -c 'mount -t tmpfs -o size=512k none /mnt && "$1" /mnt' sh "${programs}full_disk"
else
  row 'R6 | a full file system | skipped: no name space of our own'
fi

rows "${programs}memory" "$corpus" "$cycles"
rows "${programs}hostile" "$corpus" 2>/dev/null
# shellcheck disable=SC3045
if (ulimit -s 256 && "${programs}hostile" "$corpus") >/dev/null 2>&1; then
  row 'R11 | the same with 256 KiB of stack | all loaded or refused'
else
  row 'R11 | the same with 256 KiB of stack | BROKEN' && failed=1
fi

if command -v strace >/dev/null && strace -o "$work/trace" -f -e trace=file,network,process "${programs}read" "$corpus" >/dev/null 2>&1; then
  # After the marker: nothing but the files of the corpus is opened, nothing is run, no network.
  strange=$(sed -n '/reliability-marker/,$p' "$work/trace" |
    grep -cvE "reliability-marker|\"$corpus/|fstat(at)?\([0-9]+, (\"\", )?\{|exit_group|exited with" || true)
  opened=$(sed -n '/reliability-marker/,$p' "$work/trace" | grep -cE "openat?\(.*\"$corpus/" || true)
  [ "$strange" -eq 0 ] && [ "$opened" -gt 0 ] || failed=1
  row "R12 | system calls for files, network and processes while $opened hostile files are loaded, under strace | $strange others than opening them"
else
  row 'R12 | system calls of a load under strace | skipped: there is no strace'
fi

rows sh tests/fuzz/run.sh "$fuzz"

# The same bytes for any number of threads, whatever fresh memory holds, and from another compiler.
same_bytes() {
  for threads in 1 2 5; do
    for fill in 0 85 170; do
      TEFF_ISA=baseline TEFF_NUM_THREADS=$threads MALLOC_PERTURB_=$fill \
        ASAN_OPTIONS=max_malloc_fill_size=1000000000:malloc_fill_byte=$fill "$1"
    done
  done
}
same_bytes "${programs}same_bytes" >"$work/bytes"
compilers=GCC
clang_program=$fuzz_build/tests/reliability/teff_reliability_same_bytes
if [ -d "$fuzz_build" ] && cmake --build "$fuzz_build" --target teff_reliability_same_bytes >>build/fuzz.log 2>&1; then
  same_bytes "$clang_program" >>"$work/bytes"
  compilers='GCC and clang'
fi
different=$(sort -u "$work/bytes" | wc -l)
[ "$different" -eq 2 ] || failed=1
row "R21 | a dictionary and a model saved $(($(wc -l <"$work/bytes") / 2)) times: $compilers, 1 to 5 threads, fresh memory filled with patterns | $((different / 2)) version of each file"

if grep -rnE 'cereal/types/(memory|polymorphic)\.hpp' engine nn serialize >&2; then
  row 'R26 | readers that include pointers of cereal | BROKEN' && failed=1
else
  row 'R26 | readers that include pointers of cereal | none'
fi

exit $failed
