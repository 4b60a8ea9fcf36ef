#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the examples and runs them. The arguments go to train_fashion_mnist: sh examples/run.sh --epochs 2
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/examples

sh "$root/cmake/install_packages.sh" cmake g++ ninja-build libeigen3-dev libcereal-dev libxxhash-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev dataset-fashion-mnist
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTEFF_BUILD_EXAMPLES=ON -DTEFF_BUILD_TESTS=OFF \
  -DTEFF_BUILD_BENCHMARKS=OFF
cmake --build "$build"

run() {
  printf '\n== %s\n' "$*"
  "$@"
}
cd "$build"
run examples/recipe
run examples/save_and_load
run examples/train_fashion_mnist --out fashion_mnist_out "$@"
run examples/load_without_class fashion_mnist_out/entire_model.teff
run bin/teff show fashion_mnist_out/entire_model.teff
run bin/teff verify fashion_mnist_out/entire_model.teff fashion_mnist_out/state_dict_model.teff
run examples/custom_op
run examples/custom_layer
run examples/resume
run examples/averaging
