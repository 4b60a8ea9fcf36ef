#!/bin/sh
# SPDX-License-Identifier: MIT
# Lets libFuzzer run every target, one after the other, and prints how many inputs each has read. Needs clang.
# Usage: sh run.sh RUNS [TARGET...]; builds in build/fuzz, or in TEFF_FUZZ_BUILD. An input may take a second, or
# TEFF_FUZZ_TIMEOUT: libFuzzer looks at the clock, which on a busy machine says little.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
runs=$1
build=${TEFF_FUZZ_BUILD:-build/fuzz}
shift

if ! command -v clang++ >/dev/null; then
  echo "R15 | libFuzzer with ASan and UBSan | skipped: there is no clang++"
  exit 0
fi
launcher=
if command -v ccache >/dev/null; then
  launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR CCACHE_NOHASHDIR
fi
isas=
case $(uname -m) in
  x86_64) isas='-DTEFF_ISAS=baseline' ;;
esac
mkdir -p build/fuzz-corpus build/fuzz-findings
# shellcheck disable=SC2086
cmake --preset fuzz -B "$build" $launcher $isas >build/fuzz.log || { cat build/fuzz.log; exit 1; }
cmake --build "$build" --target teff_fuzzers >>build/fuzz.log || { cat build/fuzz.log; exit 1; }

# What was freed counts as used while AddressSanitizer keeps it: less than its usual 256 MiB.
ASAN_OPTIONS=quarantine_size_mb=32
export ASAN_OPTIONS
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)
failed=0
for target in "$@"; do
  if [ "$target" = image ] && [ ! -x "$build/tests/fuzz/fuzz_image" ]; then
    echo "R15 | libFuzzer with ASan and UBSan: image | skipped: there is no libpng or libjpeg"
    continue
  fi
  mkdir -p "build/fuzz-corpus/$target"
  if nice "$build/tests/fuzz/fuzz_$target" -runs="$runs" -max_len=8192 -rss_limit_mb=256 -malloc_limit_mb=64 \
    -timeout="${TEFF_FUZZ_TIMEOUT:-1}" -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz-findings/$target-" \
    "build/fuzz-corpus/$target" "tests/fuzz/corpus/$target" >"build/fuzz-$target.log" 2>&1; then
    printf 'R15 | libFuzzer with ASan and UBSan: %s | %s inputs, no finding\n' "$target" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz-$target.log")"
  else
    printf 'R15 | libFuzzer with ASan and UBSan: %s | FINDING, see build/fuzz-%s.log\n' "$target" "$target"
    failed=1
  fi
done
exit $failed
