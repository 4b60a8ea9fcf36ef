#!/bin/sh
# SPDX-License-Identifier: MIT
# package.sh CPACK BUILD_DIR WORK_DIR: the archive, and where dpkg is the Debian package, have what an installation has.
set -eu
cpack=$1 build=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
cd "$work"
"$cpack" --config "$build/CPackConfig.cmake" >log || { cat log; exit 1; }

more=
if [ -f "$build/teff_c.pc" ]; then more='/include/teff/teff_c.h /libteff_c.so /pkgconfig/teff_c.pc'; fi
if [ -f "$build/serialize/cli/teff.1.gz" ]; then more="$more /man1/teff.1.gz /bash-completion/completions/teff"; fi

# expect_files LIST: the lines that matter
expect_files() {
  for file in /include/teff/teff.h '/libteff\.(a|so)$' /cmake/teff/teffConfig.cmake /pkgconfig/teff.pc /doc/teff/NOTICE \
    /doc/teff/LICENSE $more; do
    grep -qE -e "$file" "$1" || { echo "$1 has no $file"; cat "$1"; exit 1; }
  done
}
tar tzf teff-*.tar.gz >archive
expect_files archive
if command -v dpkg-deb >/dev/null; then
  dpkg-deb --info teff_*.deb
  dpkg-deb --contents teff_*.deb >deb
  expect_files deb
fi
