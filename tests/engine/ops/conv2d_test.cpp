// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("conv2d") {
  TEST_CASE("correlates the image with the kernel, with zeros around") {
    const Tensor x = counting({1, 1, 2, 3}), weight = tensor<float>({1, 10}, {1, 1, 1, 2});
    CHECK(show(conv2d(x, weight)) == "float32 [1, 1, 2, 2]: 21 32 54 65");
    CHECK(show(conv2d(x, weight, tensor<float>({100}), {.stride = {1, 2}, .padding = {0, 1}})) ==
          "float32 [1, 1, 2, 2]: 110 132 140 165");
  }

  TEST_CASE("groups see their own channels only") {
    const Tensor x = counting({1, 2, 1, 2}), weight = tensor<float>({1, 10}, {2, 1, 1, 1});
    CHECK(show(conv2d(x, weight, {}, {.groups = 2})) == "float32 [1, 2, 1, 2]: 1 2 30 40");
  }

  TEST_CASE("a batch of nothing has gradients of 0") {
    const Tensor weight = ones({2, 1, 1, 1}).requires_grad_(), bias = ones({2}).requires_grad_();
    conv2d(zeros({0, 1, 3, 3}), weight, bias).sum().backward();
    CHECK(show(weight.grad()) == "float32 [2, 1, 1, 1]: 0 0");
    CHECK(show(bias.grad()) == "float32 [2]: 0 0");
  }

  TEST_CASE("the gradient of the images is not computed unless they ask for it") {
    const Tensor x = ones({1, 1, 2, 2}), weight = ones({1, 1, 2, 2}).requires_grad_();
    conv2d(x, weight).sum().backward();
    CHECK(show(weight.grad()) == "float32 [1, 1, 2, 2]: 1 1 1 1");
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("names all shapes that do not fit") {
    const Tensor x = zeros({2, 1, 28, 28}), weight = zeros({8, 3, 5, 5});
    CHECK_THROWS_WITH_AS(conv2d(x, weight),
                         "conv2d: expected input [N, C, H, W] with C = 3 to match weight [8, 3, 5, 5], got input "
                         "[2, 1, 28, 28]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(conv2d(x, weight, {}, {.groups = 2}),
                         "conv2d: expected input [N, C, H, W] with C = 6 to match weight [8, 3, 5, 5] and groups = 2, "
                         "got input [2, 1, 28, 28]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(conv2d(zeros({3, 28, 28}), weight),
                         "conv2d: expected input [N, C, H, W] with C = 3 to match weight [8, 3, 5, 5], got input "
                         "[3, 28, 28]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(
        conv2d(x, zeros({8, 1, 5})),
        "conv2d: expected weight [K, C / groups, kh, kw] with no empty dimension, got weight [8, 1, 5]", ShapeError);
    CHECK_THROWS_WITH_AS(conv2d(x, zeros({8, 1, 5, 5}), zeros({3})),
                         "conv2d: expected bias [8] to match weight [8, 1, 5, 5], got bias [3]", ShapeError);
    CHECK_THROWS_WITH_AS(conv2d(x, zeros({8, 1, 5, 5}), {}, {.groups = 3}),
                         "conv2d: expected groups that divide the 8 output channels of weight [8, 1, 5, 5], got "
                         "groups = 3",
                         ValueError);
  }

  TEST_CASE("takes one pixel of larger images where the stride steps over all others") {
    const Tensor x = arange(18).to(DType::float32).view({1, 2, 3, 3});
    const Tensor weight = tensor<float>({1, 10}).view({1, 2, 1, 1});
    const Tensor y = conv2d(x, weight, {}, {.stride = 3});
    CHECK(y.shape() == Shape{1, 1, 1, 1});
    CHECK(y.item<float>() == 90);  // 0 + 10 * 9
    const Tensor row = conv2d(x, weight, {}, {.stride = {1, 3}});
    CHECK(row.shape() == Shape{1, 1, 3, 1});
    CHECK(row.span<float>()[2] == 156);  // 6 + 10 * 15
  }

  TEST_CASE("names the sizes of a kernel that is too large") {
    CHECK_THROWS_WITH_AS(conv2d(zeros({1, 1, 5, 9}), zeros({1, 1, 4, 4}), {}, {.padding = {1, 0}, .dilation = 3}),
                         "conv2d: expected a kernel not larger than the padded images, got kernel (4, 4) with dilation "
                         "(3, 3), which spans (10, 10), on images (7, 9) from input [1, 1, 5, 9] with padding (1, 0)",
                         ShapeError);
  }

  TEST_CASE("refuses options that would divide by zero or overflow") {
    const Tensor x = zeros({1, 1, 4, 4}), weight = zeros({1, 1, 2, 2});
    CHECK_THROWS_WITH_AS(conv2d(x, weight, {}, {.stride = {1, 0}}),
                         "conv2d: expected stride of at least 1 and below 2^31, got (1, 0)", ValueError);
    CHECK_THROWS_WITH_AS(conv2d(x, weight, {}, {.padding = -1}),
                         "conv2d: expected padding of at least 0 and below 2^31, got (-1, -1)", ValueError);
    CHECK_THROWS_AS(conv2d(x, weight, {}, {.dilation = 0}), ValueError);
    CHECK_THROWS_AS(conv2d(x, weight, {}, {.padding = kHuge}), ValueError);
    CHECK_THROWS_AS(conv2d(x, weight, {}, {.dilation = kHuge}), ValueError);
    CHECK_THROWS_AS(conv2d(x, weight, {}, {.groups = 0}), ValueError);
    CHECK_THROWS_AS(conv2d(x, weight, {}, {.groups = kHuge}), ValueError);
    CHECK_THROWS_WITH_AS(conv2d(x, weight, {}, {.padding = (std::int64_t{1} << 31) - 1}),
                         "conv2d: expected a result of at most 2^59 elements, got one of shape "
                         "[1, 1, 4294967297, 4294967297]",
                         ShapeError);
  }
}
