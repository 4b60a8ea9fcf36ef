// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"
#include "support/error_of.h"

using namespace teff;

TEST_SUITE("max_pool2d") {
  TEST_CASE("strides by the kernel unless told otherwise") {
    const Tensor x = counting({1, 1, 2, 4});
    CHECK(show(max_pool2d(x, 2)) == "float32 [1, 1, 1, 2]: 6 8");
    CHECK(show(max_pool2d(x, 2, {.stride = 1})) == "float32 [1, 1, 1, 3]: 6 7 8");
  }

  TEST_CASE("padding never wins, NaN always does") {
    const Tensor x = tensor<float>({-3, -2, float(kNan), -1}, {1, 1, 1, 4});
    CHECK(show(max_pool2d(x, {1, 2}, {.padding = {0, 1}})) == "float32 [1, 1, 1, 3]: -3 nan -1");
  }

  TEST_CASE("ceil_mode adds a window that hangs over the edge, but none that begins in the padding") {
    const Tensor x = counting({1, 1, 1, 5});
    CHECK(show(max_pool2d(x, {1, 2})) == "float32 [1, 1, 1, 2]: 2 4");
    CHECK(show(max_pool2d(x, {1, 2}, {.ceil_mode = true})) == "float32 [1, 1, 1, 3]: 2 4 5");
    CHECK(max_pool2d(counting({1, 1, 1, 4}), {1, 2}, {.stride = 3, .padding = {0, 1}, .ceil_mode = true}).shape() ==
          Shape{1, 1, 1, 2});
  }

  TEST_CASE("ceil_mode takes a window larger than the image, as PyTorch does") {
    const Tensor x = tensor<float>({1, 2, 3, 4}).view({1, 1, 2, 2});
    CHECK(show(max_pool2d(x, 3, {.stride = 2, .ceil_mode = true})) == "float32 [1, 1, 1, 1]: 4");
    CHECK(show(max_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true})) == "float32 [1, 1, 2, 2]: 4 4 4 4");
    CHECK(show(max_pool2d(x, 4, {.stride = 3, .padding = 1, .ceil_mode = true})) == "float32 [1, 1, 1, 1]: 4");
    CHECK(show(max_pool2d(ones({1, 2, 1, 1}), 2, {.ceil_mode = true})) == "float32 [1, 2, 1, 1]: 1 1");
    CHECK(show(avg_pool2d(x, 3, {.stride = 5, .ceil_mode = true})) == "float32 [1, 1, 1, 1]: 2.5");
    CHECK(show(avg_pool2d(x, 4, {.stride = 3, .padding = 1, .ceil_mode = true})) == "float32 [1, 1, 1, 1]: 0.625");
    CHECK(show(avg_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false})) ==
          "float32 [1, 1, 2, 2]: 2.5 3 3.5 4");
    CHECK(testing::error_of<ShapeError>([&] {
            max_pool2d(x, 5, {.stride = 2, .ceil_mode = true});
          }).starts_with("max_pool2d: expected a kernel not larger than the padded images, got kernel (5, 5)"));

    const Tensor watched = x.clone().requires_grad_();
    avg_pool2d(watched, 4, {.stride = 3, .padding = 1, .ceil_mode = true}).sum().backward();
    CHECK(show(watched.grad()) == "float32 [1, 1, 2, 2]: 0.0625 0.0625 0.0625 0.0625");
  }

  TEST_CASE("the gradient goes to the first maximum of each window, and adds up") {
    const Tensor x = leaf({1, 5, 5, 2}, {1, 1, 1, 4});
    max_pool2d(x, {1, 2}, {.stride = 1}).sum().backward();
    CHECK(show(x.grad()) == "float32 [1, 1, 1, 4]: 0 2 1 0");
  }

  TEST_CASE("refuses what does not fit") {
    CHECK_THROWS_WITH_AS(max_pool2d(zeros({1, 2, 3}), 2),
                         "max_pool2d: expected input [N, C, H, W] with at least one channel and pixel, got input "
                         "[1, 2, 3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(max_pool2d(zeros({1, 1, 4, 4}), 2, {.padding = {1, 2}}),
                         "max_pool2d: expected padding of at most half of the kernel's size, got padding (1, 2) and "
                         "kernel_size (2, 2)",
                         ValueError);
    CHECK_THROWS_WITH_AS(max_pool2d(zeros({1, 1, 4, 4}), 0),
                         "max_pool2d: expected kernel_size of at least 1 and below 2^31, got (0, 0)", ValueError);
    CHECK_THROWS_AS(max_pool2d(zeros({1, 1, 4, 4}), 5), ShapeError);
    CHECK_THROWS_AS(max_pool2d(zeros({1, 1, 4, 4}), kHuge), ValueError);
    CHECK_THROWS_AS(max_pool2d(zeros({1, 1, 4, 4}), 2, {.stride = 0}), ValueError);
    CHECK(max_pool2d(zeros({0, 1, 4, 4}), 2).shape() == Shape{0, 1, 2, 2});
  }
}

TEST_SUITE("avg_pool2d") {
  TEST_CASE("counts padding unless told otherwise") {
    const Tensor x = tensor<float>({2, 4, 6}, {1, 1, 1, 3});
    CHECK(show(avg_pool2d(x, {1, 2}, {.padding = {0, 1}})) == "float32 [1, 1, 1, 2]: 1 5");
    CHECK(show(avg_pool2d(x, {1, 2}, {.padding = {0, 1}, .count_include_pad = false})) == "float32 [1, 1, 1, 2]: 2 5");
    CHECK(show(avg_pool2d(x, {1, 3}, {.divisor_override = 2})) == "float32 [1, 1, 1, 1]: 6");
  }

  TEST_CASE("refuses a divisor of 0") {
    CHECK_THROWS_WITH_AS(avg_pool2d(zeros({1, 1, 4, 4}), 2, {.divisor_override = 0}),
                         "avg_pool2d: expected divisor_override other than 0, got 0", ValueError);
  }
}
