// SPDX-License-Identifier: MIT
// The worker of OpenBLAS: products of matrices. Usage: openblas_worker THREADS

#include <cblas.h>

#include <memory>

#include "worker.h"

namespace {

compare::Work make(const compare::Request& r) {
  if (r.kind() != "matmul") return {};
  struct Product {
    int n, k, m;
    std::vector<float> a, b, c;
  };
  auto p = std::make_shared<Product>();
  p->n = static_cast<int>(r.number(1)), p->k = static_cast<int>(r.number(2)), p->m = static_cast<int>(r.number(3));
  p->a.resize(r.number(1) * r.number(2)), p->b.resize(r.number(2) * r.number(3)),
      p->c.resize(r.number(1) * r.number(3));
  compare::fill_pattern(p->a.data(), static_cast<std::int64_t>(p->a.size()));
  compare::fill_pattern(p->b.data(), static_cast<std::int64_t>(p->b.size()));
  return {[=] {
            if (p->n == 1) {  // as a library on top of it would: a row times a matrix
              cblas_sgemv(CblasRowMajor, CblasTrans, p->k, p->m, 1, p->b.data(), p->m, p->a.data(), 1, 0, p->c.data(),
                          1);
            } else {
              cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->n, p->m, p->k, 1, p->a.data(), p->k,
                          p->b.data(), p->m, 0, p->c.data(), p->m);
            }
          },
          [=] { return compare::first_values(p->c.data(), static_cast<std::int64_t>(p->c.size())); }};
}

}  // namespace

int main(int argc, char** argv) {
  openblas_set_num_threads(argc > 1 ? std::stoi(argv[1]) : 1);
  std::string name, version;
  std::istringstream(openblas_get_config()) >> name >> version;
  return compare::serve(version + " (" + openblas_get_corename() + ")", make);
}
