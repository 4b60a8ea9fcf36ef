#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and runs the main job: trains a network on Fashion-MNIST, saves it, loads it back. The arguments go to
# train_fashion_mnist: sh examples/run.sh --epochs 2
#   sh examples/run.sh --all    builds and runs the other examples, too; they look into the model that it trained
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/examples

all=
if [ "${1-}" = --all ]; then
  all=yes
  shift
fi

# has FLAG...: the processor has all of them
has() {
  for flag in "$@"; do
    grep -q "^flags.* $flag\( \|\$\)" /proc/cpuinfo || return 1
  done
}

# Kernels for the instruction set that this machine uses, of which the library has more; and the rest of it in few large
# files instead of many small ones (CMAKE_UNITY_BUILD): it takes a third of the time to compile.
isas=
if [ "$(uname -m)" = x86_64 ] && [ -r /proc/cpuinfo ] && has avx2 fma f16c bmi1 bmi2; then
  isas=-DTEFF_ISAS=avx2
  if has avx512f avx512dq avx512bw avx512vl; then isas=-DTEFF_ISAS=avx512; fi
fi

sh "$root/cmake/install_packages.sh" cmake g++ ninja-build libeigen3-dev libcereal-dev libxxhash-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev dataset-fashion-mnist
c=OFF
[ -z "$all" ] || c=ON
# shellcheck disable=SC2086
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTEFF_BUILD_TESTS=OFF -DTEFF_BUILD_BENCHMARKS=OFF \
  -DTEFF_BUILD_EXAMPLES=ON -DTEFF_BUILD_C=$c -DCMAKE_UNITY_BUILD=ON $isas

run() {
  printf '\n== %s\n' "$*"
  "$@"
}
cd "$build"
cmake --build . --target train_fashion_mnist
run examples/train_fashion_mnist --out fashion_mnist_out "$@"
if [ -z "$all" ]; then
  printf '\nThe other examples: sh examples/run.sh --all\n'
  exit
fi

cmake --build .
run examples/recipe
run examples/save_and_load
run examples/load_without_class fashion_mnist_out/entire_model.teff
run examples/c/c_run_model fashion_mnist_out/entire_model.teff
run bin/teff show fashion_mnist_out/entire_model.teff
run bin/teff verify fashion_mnist_out/entire_model.teff fashion_mnist_out/state_dict_model.teff
run bin/teff convert --check fashion_mnist_out/entire_model.teff fashion_mnist_out/model.onnx
run examples/fine_tune fashion_mnist_out/model.onnx fashion_mnist_out/fine_tuned.onnx
run examples/custom_op
run examples/custom_layer
run examples/resume
run examples/averaging
run examples/training_kit "$root/examples/data/fashion-mnist" 6
run examples/character_model "$root/engine/README.md"
