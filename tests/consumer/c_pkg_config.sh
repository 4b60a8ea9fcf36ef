#!/bin/sh
# SPDX-License-Identifier: MIT
# c_pkg_config.sh COMPILER SOURCE_DIR LIB_DIR WORK_DIR: a program in C finds the installed C interface by pkg-config, and
# needs no library of C++ to link.
set -eu
compiler=$1 source=$2 libraries=$3 work=$4
mkdir -p "$work"
cd "$work"
PKG_CONFIG_PATH=$libraries/pkgconfig
export PKG_CONFIG_PATH
set -x
# shellcheck disable=SC2046
"$compiler" -std=c99 -pedantic-errors "$source/examples/c/run_model.c" -o run_model $(pkg-config --cflags --libs teff_c)
LD_LIBRARY_PATH=$libraries ./run_model "$source/tests/golden/v1_model.teff"
