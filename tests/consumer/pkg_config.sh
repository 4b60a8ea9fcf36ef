#!/bin/sh
# SPDX-License-Identifier: MIT
# pkg_config.sh CMAKE COMPILER SOURCE_DIR LIBRARY WORK_DIR: installed in several ways, each with the library that was built
# already; pkg-config must name the folders where header and library are. In Debian's way, a program is built and run.
set -eu
cmake=$1 compiler=$2 source=$3 library=$4 work=$5
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# install_as NAME DESTDIR PREFIX OPTION...: what --install needs of a build is the libraries' files
install_as() {
  name=$1 destdir=$2 prefix=$3
  shift 3
  "$cmake" -S "$source" -B "$name" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DTEFF_BUILD_TESTS=OFF \
    -DTEFF_BUILD_EXAMPLES=OFF -DTEFF_BUILD_BENCHMARKS=OFF -DTEFF_BUILD_CLI=OFF -DTEFF_BUILD_C=OFF \
    -DCMAKE_INSTALL_PREFIX="$prefix" "$@" >"$name.log"
  ln -s "$library" "$name/"
  mkdir -p "$name/nn/train"
  ln -s "${library%/*}/nn/train/libteff_train.a" "$name/nn/train/"
  DESTDIR=$destdir "$cmake" --install "$name" >"$name.log"
}

# flags PKGCONFIG_DIR OPTION: as for a program outside of the system's folders
flags() {
  PKG_CONFIG_PATH=$1 PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config "$2" teff
}

# expect_file NAME FLAG FLAGS FILE: the folder of -I or -L has the file
expect_file() {
  for word in $3; do
    case $word in
      "$2"*) [ ! -f "${word#"$2"}/$4" ] || return 0 ;;
    esac
  done
  echo "$1: $4 is in no folder of: $3"
  exit 1
}

# check NAME PKGCONFIG_DIR
check() {
  expect_file "$1" -I "$(flags "$2" --cflags)" teff/teff.h
  expect_file "$1" -L "$(flags "$2" --libs)" "$(basename "$library")"
}

install_as debian "$work/debian.root" /usr -DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu
check debian "$work/debian.root/usr/lib/x86_64-linux-gnu/pkgconfig"
install_as fedora "$work/fedora.root" /usr -DCMAKE_INSTALL_LIBDIR=lib64 -DCMAKE_INSTALL_INCLUDEDIR=include/teff-0.1
check fedora "$work/fedora.root/usr/lib64/pkgconfig"
install_as absolute '' "$work/absolute.prefix" -DCMAKE_INSTALL_LIBDIR="$work/elsewhere/lib" \
  -DCMAKE_INSTALL_INCLUDEDIR="$work/headers"
check absolute "$work/elsewhere/lib/pkgconfig"

licences=$work/debian.root/usr/share/doc/teff
if [ ! -s "$licences/LICENSE" ] || [ ! -s "$licences/NOTICE" ]; then
  echo "no licences in $licences"
  exit 1
fi

PKG_CONFIG_PATH=$work/debian.root/usr/lib/x86_64-linux-gnu/pkgconfig
export PKG_CONFIG_PATH
set -x
# shellcheck disable=SC2046
"$compiler" -std=c++20 "$source/examples/recipe.cpp" -o recipe $(pkg-config --cflags --libs --static teff)
./recipe
