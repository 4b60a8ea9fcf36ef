#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs those of the given Debian packages that are missing, as root or with sudo. Where that is not possible it says
# what to install and goes on: the build does without most of them, downloads some, and names what it does not find. It
# fails if a program that every build needs is missing in the end.
# Usage: sh install_packages.sh PACKAGE...
set -eu

# What the packages are called elsewhere.
names() {
  cat <<'END'
apt                 dnf                  pacman          apk                brew
cmake               cmake                cmake           cmake              cmake
g++                 gcc-c++              gcc             g++                gcc
clang               clang                clang           clang              llvm
ninja-build         ninja-build          ninja           ninja              ninja
pkg-config          pkgconf-pkg-config   pkgconf         pkgconf            pkgconf
ccache              ccache               ccache          ccache             ccache
libeigen3-dev       eigen3-devel         eigen           eigen-dev          eigen
libcereal-dev       cereal-devel         cereal          cereal-dev         cereal
libxxhash-dev       xxhash-devel         xxhash          xxhash-dev         xxhash
doctest-dev         doctest-devel        doctest         doctest-dev        doctest
libcli11-dev        cli11-devel          cli11           cli11-dev          cli11
nlohmann-json3-dev  json-devel           nlohmann-json   nlohmann-json-dev  nlohmann-json
zlib1g-dev          zlib-devel           zlib            zlib-dev           zlib
libpng-dev          libpng-devel         libpng          libpng-dev         libpng
libjpeg-dev         libjpeg-turbo-devel  libjpeg-turbo   libjpeg-turbo-dev  jpeg-turbo
libbenchmark-dev    google-benchmark-devel  benchmark    benchmark-dev      google-benchmark
graphviz            graphviz             graphviz        graphviz           graphviz
doxygen             doxygen              doxygen         doxygen            doxygen
libopenmpi-dev      openmpi-devel        openmpi         openmpi-dev        open-mpi
openmpi-bin         openmpi              openmpi         openmpi            open-mpi
END
}

# name_in MANAGER PACKAGE: nothing if the table has no such package
name_in() {
  names | awk -v manager="$1" -v package="$2" '
    NR == 1 { for (i = 1; i <= NF; ++i) if ($i == manager) column = i }
    NR > 1 && $1 == package { print $column }'
}

# print_names COMMAND MANAGER PACKAGE...: what to type where MANAGER is at home
print_names() {
  command=$1 manager=$2
  shift 2
  known=
  unknown=
  for package in "$@"; do
    name=$(name_in "$manager" "$package")
    case " $known " in
      *" $name "*) ;;
      *) known="$known $name" ;;
    esac
    [ -n "$name" ] || unknown="$unknown $package"
  done
  known=$(echo "$known" | tr -s ' ')
  echo "This system has no apt. What the build uses (what is missing costs only the parts that need it):"
  echo "  $command$known"
  [ -z "$unknown" ] || echo "  and what Debian calls by these names:$unknown"
}

name_elsewhere() {
  if command -v dnf >/dev/null; then
    print_names "dnf install" dnf "$@"
  elif command -v pacman >/dev/null; then
    print_names "pacman -S --needed" pacman "$@"
  elif command -v apk >/dev/null; then
    print_names "apk add" apk "$@"
  elif command -v brew >/dev/null; then
    print_names "brew install" brew "$@"
  else
    echo "This system has no apt. What Debian calls by these names is used if it is there: $*"
  fi
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || true)" = "ii " ]
}

apt_install() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

install_missing() {
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0

  sudo=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Not installed, and only root can:$missing (apt-get install$missing)" >&2
      return 0
    fi
    sudo=sudo
  fi
  echo "installing:$missing"
  $sudo apt-get update -qq || echo "The lists of packages could not be renewed" >&2
  # shellcheck disable=SC2086
  if apt_install $missing; then return 0; fi
  # One that this release does not have keeps all others out: each on its own.
  failed=
  for package in $missing; do
    apt_install "$package" || failed="$failed $package"
  done
  [ -z "$failed" ] || echo "Not installed:$failed" >&2
}

# check PACKAGE COMMAND...: the package was asked for, and none of the commands is there
check() {
  case " $packages " in
    *" $1 "*) ;;
    *) return 0 ;;
  esac
  package=$1
  shift
  for command in "$@"; do
    if command -v "$command" >/dev/null; then return 0; fi
  done
  echo "Nothing can be built without $package: none of these programs was found: $*" >&2
  exit 1
}

packages=$*
if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_missing "$@"
else
  name_elsewhere "$@"
fi
check cmake cmake
check g++ g++ c++ clang++ "${CXX:-g++}"
check ninja-build ninja
