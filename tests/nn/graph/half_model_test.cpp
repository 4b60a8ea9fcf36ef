// SPDX-License-Identifier: MIT

// Models whose weights are float16 or bfloat16: as files, and in sessions.

#include <doctest/doctest.h>

#include <filesystem>

#include "nn/nets.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"
#include "teff/nn/nn.h"
#include "teff/serialize/save_load.h"

namespace teff::nn_testing {

TEST_CASE("a model of half precision is half as large, and its session computes what it computes") {
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    CAPTURE(to_string(dtype));
    manual_seed(0);
    Net net;
    net.eval();
    const Tensor images = randn({2, 3, 32, 32}), expected = net(images).detach();
    const testing::TempFile whole, half;
    save_model(net, images, whole);
    net.to(dtype);
    save_model(net, images.to(dtype), half);
    CHECK(std::filesystem::file_size(half.path()) < std::filesystem::file_size(whole.path()) * 6 / 10);

    const nn::GraphModule model = load_model(half);
    nn::InferenceSession session(model, {{2, 3, 32, 32}});
    const NoGradGuard no_grad;
    const Tensor result = session.run(images.to(dtype));
    CHECK(result.dtype() == dtype);
    assert_close(result, net(images.to(dtype)), {.rtol = 0.02, .atol = 0.02});  // a ReLU that is fused rounds once less
    assert_close(result.to(DType::float32), expected, {.rtol = 0.05, .atol = 0.05});
  }
}

}  // namespace teff::nn_testing
