// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

namespace {

/// The error of conv_transpose2d of a [2, 4, 5, 5] input and a [4, 3, 3, 3] weight.
template <class SomeError>
std::string refusal_of(const ConvTranspose2dFuncOptions& options, const Tensor& weight = zeros({4, 3, 3, 3})) {
  try {
    conv_transpose2d(zeros({2, 4, 5, 5}), weight, {}, options);
  } catch (const SomeError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_SUITE("conv_transpose2d") {
  TEST_CASE("every pixel paints the kernel") {
    const Tensor x = tensor<float>({1, 10}, {1, 1, 1, 2}), weight = tensor<float>({1, 2, 3}, {1, 1, 1, 3});
    CHECK(show(conv_transpose2d(x, weight)) == "float32 [1, 1, 1, 4]: 1 12 23 30");
    CHECK(show(conv_transpose2d(x, weight, tensor<float>({100}), {.stride = {1, 3}})) ==
          "float32 [1, 1, 1, 6]: 101 102 103 110 120 130");
    CHECK(show(conv_transpose2d(x, weight, {}, {.stride = {1, 2}, .padding = {0, 1}, .output_padding = {0, 1}})) ==
          "float32 [1, 1, 1, 4]: 2 13 20 30");
  }

  TEST_CASE("it is the gradient of conv2d with respect to its input") {
    const Tensor image = randn({2, 3, 9, 8}, {.dtype = DType::float64}).requires_grad_();
    const Tensor weight = randn({4, 3, 3, 2}, {.dtype = DType::float64});
    const Tensor y = conv2d(image, weight, {}, {.stride = 2, .padding = 1});
    const Tensor grad = randn(y.shape(), {.dtype = DType::float64});
    y.backward(grad);
    const Tensor back = conv_transpose2d(grad, weight, {}, {.stride = 2, .padding = 1, .output_padding = Pair(0, 0)});
    CHECK(back.shape() == image.shape());
    CHECK((back - image.grad()).abs().max().item<double>() < 1e-12);
  }

  TEST_CASE("what does not fit is refused") {
    CHECK(refusal_of<ShapeError>({}, zeros({3, 4, 3, 3})) ==
          "conv_transpose2d: expected input [N, C, H, W] with C = 3 to match weight [3, 4, 3, 3], got input "
          "[2, 4, 5, 5]");
    CHECK(refusal_of<ValueError>({.groups = 3}) ==
          "conv_transpose2d: expected groups that divide the 4 input channels of weight [4, 3, 3, 3], got groups = 3");
    CHECK(refusal_of<ValueError>({.stride = 2, .output_padding = {0, 2}}) ==
          "conv_transpose2d: expected output_padding below the stride or the dilation, got output_padding (0, 2), "
          "stride (2, 2) and dilation (1, 1)");
    CHECK(refusal_of<ShapeError>({.padding = 4}) ==
          "conv_transpose2d: expected padding that leaves pixels of the result, got padding (4, 4) for a result of "
          "(-1, -1) from input [2, 4, 5, 5] and weight [4, 3, 3, 3]");
    CHECK(refusal_of<ValueError>({.stride = 0}) ==
          "conv_transpose2d: expected stride of at least 1 and below 2^31, got (0, 0)");
    CHECK(refusal_of<ValueError>({.stride = kHuge}) != "no error");
    CHECK(refusal_of<ValueError>({.padding = -1}) != "no error");
    CHECK(refusal_of<ValueError>({.output_padding = -1}) != "no error");
    CHECK(refusal_of<ValueError>({.dilation = kHuge}) != "no error");
    CHECK(refusal_of<ValueError>({.groups = 0}) != "no error");
    CHECK(refusal_of<ShapeError>({.stride = (std::int64_t{1} << 31) - 1, .groups = 4}) != "no error");
    CHECK_THROWS_WITH_AS(conv_transpose2d(zeros({1, 4, 2, 2}), zeros({4, 3, 1, 1}), zeros({4})),
                         "conv_transpose2d: expected bias [3] to match weight [4, 3, 1, 1], got bias [4]", ShapeError);
  }

  TEST_CASE("conv1d is conv2d on images of one row") {
    const Tensor x = counting({1, 1, 5}), weight = tensor<float>({1, 0, -1}, {1, 1, 3});
    CHECK(show(conv1d(x, weight)) == "float32 [1, 1, 3]: -2 -2 -2");
    CHECK(show(conv1d(x, weight, tensor<float>({10}), {.stride = 2, .padding = 1})) == "float32 [1, 1, 3]: 8 8 14");
    CHECK_THROWS_WITH_AS(conv1d(zeros({1, 1, 1, 5}), weight),
                         "conv1d: expected input [N, C, L], got input [1, 1, 1, 5]", ShapeError);
  }
}
