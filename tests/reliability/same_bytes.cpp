// SPDX-License-Identifier: MIT

// Prints the checksums of files of fixed content: run.sh compares them between runs, compilers, numbers of threads, and
// patterns that fill fresh memory. Usage: teff_reliability_same_bytes

#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "examples/models/net.h"
#include "teff/serialize/io/checksum.h"
#include "teff/teff.h"

using namespace teff;

namespace {

void print(const char* name, const std::string& bytes) {
  std::printf("%s %zu %016" PRIx64 "\n", name, bytes.size(), serialize::checksum(std::as_bytes(std::span(bytes))));
}

Dict checkpoint(const Net& net) {
  return {{"epoch", 5},
          {"loss", 0.4},
          {"net", net.state_dict()},
          {"odd", List{ones({3}).to(DType::uint8), arange(7).to(DType::bfloat16), zeros({0, 2}), tensor<bool>({true})}},
          {"text", "x"},
          {"none", nullptr}};
}

}  // namespace

int main() {
  manual_seed(0);
  Net net;
  std::ostringstream dict, model;
  save(checkpoint(net), dict, {.metadata = {{"by", "test"}}});
  print("dictionary", dict.str());
  save_model(net, randn({4, 3, 32, 32}), model);
  print("model", model.str());
}
