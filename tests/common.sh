# SPDX-License-Identifier: MIT
# What run.sh and run_more.sh share: they read this in the project's folder.
# shellcheck shell=sh

sh cmake/install_packages.sh cmake g++ ninja-build pkg-config ccache libeigen3-dev libcereal-dev libxxhash-dev \
  doctest-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev graphviz libonnx-testdata python3-torch \
  python3-torchvision libopenmpi-dev openmpi-bin doxygen doxygen-awesome-css python3-numpy \
  abigail-tools

launcher=
if command -v ccache >/dev/null; then
  launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  CCACHE_BASEDIR=$(pwd) CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR CCACHE_NOHASHDIR
fi

# build NAME TARGET OPTION...: configures and builds in build/NAME.
# shellcheck disable=SC2086
build() {
  build=build/$1 target=$2
  shift 2
  printf '\n== %s: %s\n' "$build" "$*"
  mkdir -p build
  cmake -S . -B "$build" -G Ninja -DTEFF_BUILD_TESTS=ON -DTEFF_BUILD_BENCHMARKS=OFF $launcher "$@" >"$build.log" ||
    { cat "$build.log"; return 1; }
  cmake --build "$build" --target "$target"
}

# run_tests NAME OPTION...: runs the tests of build/NAME, those that the options choose.
run_tests() {
  build=build/$1
  shift
  ctest --test-dir "$build" --output-on-failure -j2 "$@"
}
