#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh [FOLDER]: makes the API reference of the public headers by Doxygen, in FOLDER/html (build/docs/html). A warning
# is an error. Nothing needs to be configured or built before. The theme, Debian's doxygen-awesome-css, is used where it
# is installed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
command -v doxygen >/dev/null || sh cmake/install_packages.sh doxygen doxygen-awesome-css
out=${1:-build/docs}
rm -rf "$out"
mkdir -p "$out/include/teff"

# As CMake does it: the folders under the names by which programs include them, and the public headers, of which the
# lists have one a line.
headers=
for folder in engine nn serialize; do
  ln -s "$root/$folder" "$out/include/teff/$folder"
  names=$(sed -nE 's,^ +([a-z0-9_/]+\.h)\)?$,\1,p' "$folder/CMakeLists.txt")
  [ -n "$names" ] || { echo "docs/build.sh: no public headers in $folder/CMakeLists.txt" >&2; exit 1; }
  for name in $names; do
    headers="$headers $out/include/teff/$folder/$name"
  done
done

# Doxygen is silent about a place of the example that it does not find.
sed -nE 's/^\\(skip|until) //p' docs/index.md | while read -r words; do
  grep -qF -- "$words" examples/recipe.cpp || { echo "docs/index.md: examples/recipe.cpp has no '$words'" >&2; exit 1; }
done

version=$(sed -n 's/^project(teff VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
theme=/usr/share/doxygen-awesome-css
{
  cat docs/Doxyfile
  echo "PROJECT_NUMBER = $version"
  echo "OUTPUT_DIRECTORY = $out"
  echo "STRIP_FROM_PATH = $out/include ."
  echo "STRIP_FROM_INC_PATH = $out/include"
  echo "INPUT = docs CHANGELOG.md SECURITY.md serialize/FORMAT.md $headers"
  [ ! -d "$theme" ] || echo "HTML_EXTRA_STYLESHEET = $theme/doxygen-awesome.css"
} >"$out/Doxyfile"
doxygen "$out/Doxyfile"
echo "$out/html/index.html"
