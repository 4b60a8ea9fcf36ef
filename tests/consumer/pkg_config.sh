#!/bin/sh
# SPDX-License-Identifier: MIT
# pkg_config.sh COMPILER SOURCE LIBRARY_DIR WORK_DIR: builds the source with a plain compiler line and runs it.
set -eu
compiler=$1 source=$2 library_dir=$3 work=$4
mkdir -p "$work"
cd "$work"
PKG_CONFIG_PATH=$library_dir/pkgconfig
LD_LIBRARY_PATH=$library_dir
export PKG_CONFIG_PATH LD_LIBRARY_PATH
set -x
# shellcheck disable=SC2046
"$compiler" -std=c++20 "$source" -o recipe $(pkg-config --cflags --libs --static teff)
./recipe
