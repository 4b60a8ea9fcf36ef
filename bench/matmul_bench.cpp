// SPDX-License-Identifier: MIT
// The matrix product [n, k] x [k, m]: 2 n k m operations.

#include "bench/bench.h"

using namespace teff;

namespace {

void matmul_bench(benchmark::State& state, std::int64_t n, std::int64_t k, std::int64_t m, DType dtype) {
  const NoGradGuard no_grad;
  const Tensor a = randn({n, k}, {.dtype = dtype});
  const Tensor b = randn({k, m}, {.dtype = dtype});
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b).raw_data());
  bench::report_flops(state, 2.0 * static_cast<double>(n) * static_cast<double>(k) * static_cast<double>(m));
}

}  // namespace

void bench::register_all() {
  for (const DType dtype : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {64, 256, 512, 1024}) {
      add("matmul/" + std::string(to_string(dtype)) + "/" + std::to_string(n),
          [=](benchmark::State& state) { matmul_bench(state, n, n, n, dtype); });
    }
  }
  // The recipe's first linear layer: one image (a matrix times a vector), and a batch.
  for (const std::int64_t batch : {1, 32, 128}) {
    add("matmul/float32/" + std::to_string(batch) + "x400x120",
        [=](benchmark::State& state) { matmul_bench(state, batch, 400, 120, DType::float32); });
  }
}
