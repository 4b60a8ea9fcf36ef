#!/bin/sh
# SPDX-License-Identifier: MIT
# configure.sh CMAKE COMPILER SOURCE_DIR WORK_DIR: what CMake says where something is missing, too old, or elsewhere.
# Nothing is built or downloaded.
set -eu
cmake=$1 compiler=$2 source=$3 work=$4
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# configure NAME SOURCE OPTION...: its output, with lines joined as CMake breaks long ones, is in $text
configure() {
  name=$1 folder=$2
  shift 2
  code=0
  "$cmake" -S "$folder" -B "$name" -DCMAKE_CXX_COMPILER="$compiler" "$@" >"$name.log" 2>&1 || code=$?
  text=$(tr -s '\n ' '  ' <"$name.log")
}

teff() { # teff NAME OPTION...: the library alone
  name=$1
  shift
  configure "$name" "$source" -DTEFF_BUILD_TESTS=OFF -DTEFF_BUILD_EXAMPLES=OFF -DTEFF_BUILD_BENCHMARKS=OFF \
    -DTEFF_BUILD_CLI=OFF "$@"
}

fail() {
  echo "$name: $1"
  cat "$name.log"
  exit 1
}
expect_success() { [ "$code" -eq 0 ] || fail "expected success"; }
expect_error() {
  [ "$code" -ne 0 ] || fail "expected an error"
  expect_text "$1"
}
expect_text() {
  case $text in
    *"$1"*) ;;
    *) fail "expected the text: $1" ;;
  esac
}

echo "== compilers"
as_compiler="-DCMAKE_CXX_COMPILER_ID_RUN=1 -DCMAKE_CXX_COMPILER_FORCED=1"
# shellcheck disable=SC2086
teff gcc_11 $as_compiler -DCMAKE_CXX_COMPILER_ID=GNU -DCMAKE_CXX_COMPILER_VERSION=11.4.0
expect_error "Teff: expected GNU 12 or later, got 11.4.0"
# shellcheck disable=SC2086
teff clang_13 $as_compiler -DCMAKE_CXX_COMPILER_ID=Clang -DCMAKE_CXX_COMPILER_VERSION=13.0.1
expect_error "Teff: expected Clang 14 or later, got 13.0.1"

echo "== Eigen's versions"
# eigen NAME FILE WORLD MAJOR MINOR: headers of that version
eigen() {
  mkdir -p "$1/Eigen/$(dirname "$2")"
  : >"$1/Eigen/Core"
  printf '#define EIGEN_%s_VERSION %s\n' WORLD "$3" MAJOR "$4" MINOR "$5" >"$1/Eigen/$2"
}
eigen eigen33 src/Core/util/Macros.h 3 3 9
teff eigen_33 -Dteff_eigen_INCLUDE_DIR="$work/eigen33"
expect_error "Eigen: expected a version from 3.4 to 5.0, got 3.3.9 in $work/eigen33"
eigen eigen50 Version 3 5 0
teff eigen_50 -Dteff_eigen_INCLUDE_DIR="$work/eigen50"
expect_success
eigen eigen51 Version 3 5 1
teff eigen_51 -Dteff_eigen_INCLUDE_DIR="$work/eigen51"
expect_error "Eigen: expected a version from 3.4 to 5.0, got 5.1 in $work/eigen51"

echo "== a dependency"
mkdir -p tiny-1.0/include/tiny there/tiny
: >tiny-1.0/include/tiny/tiny.h
: >there/tiny/tiny.h
"$cmake" -E tar czf tiny.tar.gz tiny-1.0
dependency() { # dependency NAME OPTION...
  name=$1
  shift
  configure "$name" "$here/dependency" -DTEFF_SOURCE_DIR="$source" -Droot="$work" -Darchive=tiny.tar.gz "$@"
}
dependency named -Dtiny_INCLUDE_DIR="$work/there"
expect_success
expect_text "found: $work/there"
dependency downloaded
expect_success
expect_text "tiny/tiny.h was not found: downloading file://$work/tiny.tar.gz"
expect_text "found: $work/downloaded/downloads/tiny/tiny-1.0/include"
dependency other_bytes -Dhash=0123
expect_error "tiny.tar.gz: expected SHA-256 0123, got "
expect_text "-Dtiny_INCLUDE_DIR=<folder>"
dependency no_network -Darchive=not_there.tar.gz -Dhash=0123
expect_error "tiny/tiny.h was not found, and file://$work/not_there.tar.gz could not be downloaded: "
expect_text "or name a folder that has tiny/tiny.h: -Dtiny_INCLUDE_DIR=<folder>"
dependency disconnected -DFETCHCONTENT_FULLY_DISCONNECTED=ON
expect_error "tiny/tiny.h was not found, and FETCHCONTENT_FULLY_DISCONNECTED forbids to download it."

echo "== for another machine, with a sysroot that has none of the libraries"
mkdir -p sysroot
cat >toolchain.cmake <<END
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $(uname -m))
set(CMAKE_FIND_ROOT_PATH $work/sysroot)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
END
teff cross -DFETCHCONTENT_FULLY_DISCONNECTED=ON --toolchain "$work/toolchain.cmake" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
expect_success
expect_text "xxhash.h: the one of this machine, in "
grep -q -e "-isystem $work/cross/host_headers/teff_xxhash" cross/compile_commands.json || fail "expected the links"
if grep -E -e '-(isystem |I)/usr(/local)?/include ' cross/compile_commands.json; then
  fail "expected no folder of this machine's system among those of the target"
fi

echo "== in another project"
mkdir -p user
cat >user/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES CXX)
add_subdirectory($source teff)
file(WRITE \${PROJECT_BINARY_DIR}/user.cpp "")
add_library(user STATIC \${PROJECT_BINARY_DIR}/user.cpp)
target_link_libraries(user PRIVATE teff::teff)
install(TARGETS user EXPORT users)
install(EXPORT users DESTINATION lib/cmake/user)
END
configure exported user -DTEFF_INSTALL=ON
expect_success
expect_text "Teff: CMAKE_BUILD_TYPE is empty, so all but the kernels is compiled without optimisation"
configure optimised user -DTEFF_INSTALL=ON -DCMAKE_BUILD_TYPE=Release
expect_success
case $text in *"is empty"*) fail "expected no word of the build type" ;; esac

echo "== a shared library with tests"
teff shared_tests -DBUILD_SHARED_LIBS=ON -DTEFF_BUILD_TESTS=ON
expect_error "TEFF_BUILD_TESTS: expected a static library, got a shared one: it hides what the tests call"
