#!/bin/sh
# SPDX-License-Identifier: MIT
# install_packages.sh SCRIPT WORK_DIR: cmake/install_packages.sh on systems made of stubs. Each has its own PATH: the few
# real programs that the script needs, and those that the case gives it. The stubs note how they were called.
set -eu
script=$1 work=$2
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# a_system NAME: begins a case; it has a compiler and CMake, but no package manager and no ninja
a_system() {
  system=$work/$1
  mkdir -p "$system/bin"
  for program in sh awk cat tr env; do
    ln -s "$(command -v $program)" "$system/bin/$program"
  done
  stub cmake ''
  stub g++ ''
  stub id 'echo 1000'
  : >"$system/calls"
}

# stub NAME BODY: a program of the system
stub() {
  printf '#!/bin/sh\n[ %s = id ] || echo "%s $*" >>"%s/calls"\n%s\n' "$1" "$1" "$system" "$2" >"$system/bin/$1"
  chmod +x "$system/bin/$1"
}

# run_with PACKAGE...: runs the script there
run_with() {
  code=0
  PATH=$system/bin CXX='' "$system/bin/sh" "$script" "$@" >"$system/out" 2>&1 || code=$?
}

fail() {
  echo "$system: $1"
  echo "-- exit code $code, output:"
  cat "$system/out"
  echo "-- calls:"
  cat "$system/calls"
  exit 1
}
expect_code() { [ "$code" -eq "$1" ] || fail "expected exit code $1"; }
expect_text() { grep -qF -- "$1" "$system/out" || fail "expected the text: $1"; }
expect_call() { grep -qxF -- "$1" "$system/calls" || fail "expected the call: $1"; }
expect_no_call() { ! grep -q "$1" "$system/calls" || fail "expected no call of $1"; }

apt() { # apt PACKAGE...: a Debian where only these are known, and none is installed
  stub dpkg-query 'exit 1'
  stub apt-get "[ \$1 = install ] || exit 0
for package in \"\$@\"; do case \$package in install|-*) ;; *) case ' $* ' in *\" \$package \"*) ;; *) exit 100 ;; esac ;; esac; done"
}

a_system everything_is_installed
stub ninja ''
stub dpkg-query 'printf "ii "'
stub apt-get ''
run_with cmake g++ ninja-build libpng-dev
expect_code 0
expect_no_call apt-get

a_system root
stub id 'echo 0'
stub ninja ''
apt cmake libpng-dev
run_with cmake libpng-dev
expect_code 0
expect_call 'apt-get update -qq'
expect_call 'apt-get install -y --no-install-recommends cmake libpng-dev'

a_system sudo
stub sudo 'exec "$@"'
apt libpng-dev
run_with libpng-dev
expect_code 0
expect_call 'sudo apt-get update -qq'
expect_call 'sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpng-dev'

a_system neither_root_nor_sudo
stub ninja ''
apt libpng-dev
run_with cmake g++ ninja-build libpng-dev
expect_code 0
expect_text 'Not installed, and only root can: cmake g++ ninja-build libpng-dev (apt-get install cmake g++'
expect_no_call apt-get

a_system neither_root_nor_sudo_nor_ninja
apt libpng-dev
run_with cmake g++ ninja-build libpng-dev
expect_code 1
expect_text 'Nothing can be built without ninja-build: none of these programs was found: ninja'

a_system offline
stub id 'echo 0'
stub ninja ''
stub dpkg-query 'exit 1'
stub apt-get 'exit 100'
run_with cmake ninja-build libpng-dev
expect_code 0
expect_text 'The lists of packages could not be renewed'
expect_text 'Not installed: cmake ninja-build libpng-dev'

a_system a_release_without_one_of_them
stub id 'echo 0'
apt libpng-dev zlib1g-dev
run_with libpng-dev dataset-fashion-mnist zlib1g-dev
expect_code 0
expect_call 'apt-get install -y --no-install-recommends zlib1g-dev'
expect_text 'Not installed: dataset-fashion-mnist'

# manager COMMAND NAMES: what a system with another package manager is told
manager() {
  a_system "$1"
  stub ninja ''
  stub "$1" ''
  run_with cmake g++ ninja-build libeigen3-dev zlib1g-dev dataset-fashion-mnist
  expect_code 0
  expect_text "$2"
  expect_text "what Debian calls by these names: dataset-fashion-mnist"
  expect_no_call "^$1"
}
manager dnf 'dnf install cmake gcc-c++ ninja-build eigen3-devel zlib-devel'
manager pacman 'pacman -S --needed cmake gcc ninja eigen zlib'
manager apk 'apk add cmake g++ ninja eigen-dev zlib-dev'
manager brew 'brew install cmake gcc ninja eigen zlib'

a_system no_package_manager
run_with cmake g++ ninja-build libeigen3-dev
expect_code 1
expect_text 'What Debian calls by these names is used if it is there: cmake g++ ninja-build libeigen3-dev'
expect_text 'Nothing can be built without ninja-build'

echo "all systems did as expected"
