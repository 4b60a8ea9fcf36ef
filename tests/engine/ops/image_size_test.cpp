// SPDX-License-Identifier: MIT

// Operations that give images another size: adaptive pooling and interpolation.

#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("image sizes") {
  TEST_CASE("adaptive pooling has windows of nearly equal size, which may overlap") {
    const Tensor x = counting({1, 1, 1, 5});
    CHECK(show(adaptive_avg_pool2d(x, {1, 2})) == "float32 [1, 1, 1, 2]: 2 4");
    CHECK(show(adaptive_max_pool2d(x, {1, 2})) == "float32 [1, 1, 1, 2]: 3 5");
    CHECK(show(adaptive_avg_pool2d(x, {2, 1})) == "float32 [1, 1, 2, 1]: 3 3");
  }

  TEST_CASE("the gradient of adaptive pooling") {
    const Tensor a = counting({1, 1, 1, 3}).requires_grad_(), b = counting({1, 1, 1, 3}).requires_grad_();
    adaptive_avg_pool2d(a, {1, 2}).sum().backward();
    CHECK(show(a.grad()) == "float32 [1, 1, 1, 3]: 0.5 1 0.5");
    adaptive_max_pool2d(b, {1, 2}).sum().backward();
    CHECK(show(b.grad()) == "float32 [1, 1, 1, 3]: 0 1 1");
  }

  TEST_CASE("an output without pixels is refused, and one without bounds") {
    const Tensor x = zeros({1, 1, 4, 4});
    CHECK_THROWS_WITH_AS(adaptive_avg_pool2d(x, {0, 1}),
                         "adaptive_avg_pool2d: expected output_size of at least 1 and below 2^31, got (0, 1)",
                         ValueError);
    CHECK_THROWS_AS(adaptive_max_pool2d(x, kHuge), ValueError);
    CHECK_THROWS_AS(adaptive_max_pool2d(x, (std::int64_t{1} << 31) - 1), ShapeError);
    CHECK_THROWS_WITH_AS(
        adaptive_avg_pool2d(zeros({1, 4, 4}), 1),
        "adaptive_avg_pool2d: expected input [N, C, H, W] with at least one channel and pixel, got input [1, 4, 4]",
        ShapeError);
  }

  TEST_CASE("interpolate takes the nearest pixel, or mixes") {
    const Tensor x = tensor<float>({0, 4}, {1, 1, 1, 2});
    CHECK(show(interpolate(x, {.size = Pair(1, 4)})) == "float32 [1, 1, 1, 4]: 0 0 4 4");
    CHECK(show(interpolate(x, {.scale_factor = ScaleFactor(2, 1)})) == "float32 [1, 1, 2, 2]: 0 4 0 4");
    CHECK(show(interpolate(x, {.size = Pair(1, 4), .mode = InterpolateMode::bilinear})) ==
          "float32 [1, 1, 1, 4]: 0 1 3 4");
    CHECK(show(interpolate(x, {.size = Pair(1, 5), .mode = InterpolateMode::bilinear, .align_corners = true})) ==
          "float32 [1, 1, 1, 5]: 0 1 2 3 4");
  }

  TEST_CASE("interpolate knows one size, from one source") {
    const Tensor x = zeros({1, 1, 2, 2});
    CHECK_THROWS_WITH_AS(interpolate(x, {}), "interpolate: expected either a size or a scale_factor, got neither",
                         ValueError);
    CHECK_THROWS_WITH_AS(interpolate(x, {.size = 2, .scale_factor = 2.0}),
                         "interpolate: expected either a size or a scale_factor, got both", ValueError);
    CHECK_THROWS_WITH_AS(interpolate(x, {.size = 2, .align_corners = true}),
                         "interpolate: expected align_corners with a mode that mixes pixels, got mode nearest",
                         ValueError);
    CHECK_THROWS_WITH_AS(interpolate(x, {.scale_factor = 0.3}),
                         "interpolate: expected output size of at least 1 and below 2^31, got (0, 0)", ValueError);
    for (const double scale : {0.0, -1.0, kNan, kInfinity, 1e18}) {
      CHECK_THROWS_AS(interpolate(x, {.scale_factor = scale}), ValueError);
    }
    CHECK_THROWS_AS(interpolate(x, {.size = kHuge}), ValueError);
    CHECK_THROWS_AS(make_op("interpolate", {{"mode", "lanczos"}}), Error);
    CHECK_THROWS_AS(apply(*make_op("interpolate", {{"scale_height", 2.0}}), {x}), ValueError);
  }
}
