// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <sstream>

#include "support/golden.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string printed(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

}  // namespace

TEST_SUITE("print") {
  TEST_CASE("tensors are printed as Python prints them") {
    for (const GoldenCase& one : read_golden("print.golden")) {
      INFO(one.name);
      CHECK(printed(one.entries.at("tensor").as_tensor()) == one.entries.at("text").as_text());
    }
  }

  TEST_CASE("a tensor that requires grad says so") {
    const Tensor x = tensor<float>({1.5}).requires_grad_();
    CHECK(printed(x) == "tensor([1.5000], requires_grad=True)");
    CHECK(printed(x * 2.0).find("grad_fn=<") != std::string::npos);
    CHECK(printed(x.detach()) == "tensor([1.5000])");
  }

  TEST_CASE("an undefined tensor can be printed") { CHECK(printed(Tensor()) == "tensor(undefined)"); }

  TEST_CASE("printing leaves the stream's format alone and ignores it") {
    std::ostringstream out;
    out.precision(2);
    out << std::hex << tensor<std::int64_t>({255}) << ' ' << 255;
    CHECK(out.str() == "tensor([255]) ff");
  }
}
