// SPDX-License-Identifier: MIT

// Networks as PyTorch's exporter writes them: tests/golden/make_onnx_golden.py.

#include <doctest/doctest.h>

#include <string>

#include "support/golden_losses.h"
#include "teff/engine/autograd.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"
#include "teff/serialize/save_load.h"

using namespace teff;

namespace {

std::string golden_path(const std::string& name) { return TEFF_GOLDEN_DIR "/onnx/" + name; }

/// Both inputs, of which the second has other sizes, give PyTorch's outputs.
void check_golden_network(const std::string& name, const Shape& free) {
  CAPTURE(name);
  nn::GraphModule net = load_model(golden_path(name + ".onnx"));
  const Dict golden = load(golden_path(name + ".npz"));
  CHECK(net.inputs()[0].type.shape == free);
  const NoGradGuard no_grad;
  for (const std::string i : {"0", "1"}) {
    assert_close(net(golden.at("x" + i).as_tensor()), golden.at("y" + i).as_tensor(), {1e-5, 1e-6});
  }
}

}  // namespace

TEST_CASE("networks that PyTorch exported as ONNX give its outputs, at other sizes too") {
  check_golden_network("attention", {-1, -1});
  check_golden_network("images", {-1, 3, -1, -1});
  check_golden_network("residual", {-1, 3, -1, -1});
}

TEST_CASE("a network that PyTorch exported as ONNX trains as in PyTorch") {
  testing::check_golden_losses(load_model(golden_path("residual.onnx")), load(golden_path("residual.npz")));
}
