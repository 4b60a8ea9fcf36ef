// SPDX-License-Identifier: MIT

// Sizes that operations compute from their options: none wraps, and memory follows the data (engine/ops/checks.h).

#include <doctest/doctest.h>

#include "support/error_of.h"
#include "teff/engine/allocator.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"

using namespace teff;
using teff::testing::error_of;

namespace {

constexpr std::int64_t kLargest = (std::int64_t{1} << 31) - 1;

/// Bytes that are in use at most while the function computes, beside those that were before.
template <class Function>
std::size_t peak_of(Function&& function) {
  const std::size_t before = memory_stats().bytes_in_use;
  reset_peak_memory_stats();
  function();
  return memory_stats().peak_bytes_in_use - before;
}

Tensor numbers(const Shape& shape) { return arange(1, 1 + numel(shape)).to(DType::float32).view(shape); }

/// What an op says of inputs that nobody could make.
std::string refusal(const char* op, const Dict& attributes, const std::vector<Shape>& shapes) {
  std::vector<TensorType> types;
  for (const Shape& shape : shapes) types.push_back({shape, DType::float32});
  return error_of<ShapeError>([&] { static_cast<void>(make_op(op, attributes)->output_type(types)); });
}

}  // namespace

TEST_SUITE("sizes") {
  TEST_CASE("a 3x3 convolution whose dilation and padding are equal and huge sees its centre tap alone") {
    const Conv2dFuncOptions options{.padding = {kLargest, (1 << 29) - 1}, .dilation = {kLargest, (1 << 29) - 1}};
    const Tensor x = numbers({1, 1, 2, 2}).requires_grad_(), weight = numbers({1, 1, 3, 3}).requires_grad_();
    const std::size_t bytes = peak_of([&] {
      const Tensor y = conv2d(x, weight, {}, options);
      CHECK(y.shape() == Shape{1, 1, 2, 2});
      assert_close(y, x * 5.0);
      y.sum().backward();
    });
    assert_close(x.grad(), full({1, 1, 2, 2}, 5));
    assert_close(weight.grad(), tensor<float>({0, 0, 0, 0, 10, 0, 0, 0, 0}).view({1, 1, 3, 3}));
    CHECK(bytes < 1 << 20);
  }

  TEST_CASE("a transposed convolution of such options gives the same") {
    const ConvTranspose2dFuncOptions options{.padding = {(1 << 30) - 1, (1 << 26) - 1},
                                             .dilation = {(1 << 30) - 1, (1 << 26) - 1}};
    const Tensor x = numbers({1, 16, 2, 2}).requires_grad_(), weight = numbers({16, 1, 3, 3}).requires_grad_();
    const std::size_t bytes = peak_of([&] {
      const Tensor y = conv_transpose2d(x, weight, {}, options);
      assert_close(y, (x * weight.detach().view({16, 9}).slice(1, 4, 5).view({1, 16, 1, 1})).sum(1, true));
      y.sum().backward();
    });
    assert_close(x.grad().view({16, 4}).slice(1, 0, 1), weight.detach().view({16, 9}).slice(1, 4, 5));
    CHECK(bytes < 1 << 20);
  }

  TEST_CASE("a depthwise convolution that sees nothing but padding gives its bias") {
    const Conv2dFuncOptions options{
        .padding = {(1 << 29) - 1, kLargest}, .dilation = {(1 << 30) - 1, kLargest}, .groups = 4};
    const Tensor x = numbers({1, 4, 2, 2}), weight = ones({4, 1, 2, 3});
    Tensor y;
    CHECK(peak_of([&] { y = conv2d(x, weight, numbers({4}), options); }) < 1 << 20);
    // Of the three taps of a row the second is in the image, of the two of a column none.
    assert_close(y, expand(numbers({4}).view({1, 4, 1, 1}), {1, 4, 1, 2}));
  }

  TEST_CASE("a strided convolution keeps only the remainders that its taps have") {
    const Conv2dFuncOptions options{
        .stride = {kLargest, kLargest}, .padding = {kLargest, kLargest}, .dilation = {kLargest - 1, kLargest - 1}};
    const Tensor x = numbers({1, 1, 3, 3}), weight = ones({1, 1, 2, 2});
    Tensor y;
    CHECK(peak_of([&] { y = conv2d(x, weight, {}, options); }) < 1 << 20);
    // Output 0 sees places -2^31 + 1 and -1, output 1 places 0 and 2^31 - 2.
    CHECK(y.shape() == Shape{1, 1, 2, 2});
    assert_close(y, tensor<float>({0, 0, 0, 1}).view({1, 1, 2, 2}));
  }

  TEST_CASE("pooling windows are cut to the image") {
    const Tensor x = numbers({1, 1, 8, 8}).requires_grad_();
    const std::size_t bytes = peak_of([&] {
      const Tensor most = max_pool2d(x, 1 << 30, {.stride = 1, .padding = 1 << 29});
      assert_close(most, full({1, 1, 9, 9}, 64));
      const Tensor mean = avg_pool2d(x, 1 << 30, {.stride = 1, .padding = 1 << 29, .count_include_pad = false});
      assert_close(mean, full({1, 1, 9, 9}, 32.5));
      (most.sum() + mean.sum()).backward();
    });
    assert_close(x.grad().view({64}).slice(0, 62, 64), tensor<float>({81.0F / 64, 81 + 81.0F / 64}));
    CHECK(bytes < 1 << 20);
  }

  TEST_CASE("what could be counted no more is refused before it is computed") {
    const Dict plain{{"stride", IntList{1, 1}}, {"padding", IntList{0, 0}}, {"dilation", IntList{1, 1}}, {"groups", 1}};
    const std::int64_t rows = std::int64_t{1} << 20;
    CHECK(refusal("conv2d", plain, {{1, 1, 1, std::int64_t{1} << 31}, {1, 1, 1, 1}}) ==
          "conv2d: expected images of less than 2^31 rows and columns and at most 2^48 values, got input "
          "[1, 1, 1, 2147483648]");
    CHECK(refusal("conv2d", plain, {{1, 1, rows, rows}, {1 << 30, 1, 1, 1}}) ==
          "conv2d: expected a result of at most 2^59 elements, got one of shape [1, 1073741824, 1048576, 1048576]");
    CHECK(refusal("conv2d", plain, {{1, 4096, rows, 4096}, {16, 4096, 1024, 1024}}) ==
          "conv2d: expected at most 2^60 multiplications, got 2.21217e+20");
    CHECK(refusal("conv_transpose2d", plain, {{1, 4096, rows, 4096}, {4096, 16, 1024, 1024}}).find("2^60") !=
          std::string::npos);
    CHECK(refusal("interpolate", {{"size", IntList{1 << 25, 1 << 25}}}, {{1, 1, 1, 1}}) ==
          "interpolate: expected a result of less than 2^31 rows and columns and at most 2^48 values, got one of shape "
          "[1, 1, 33554432, 33554432]");
  }

  TEST_CASE("memory that no machine has is a ResourceError that names the operation and the bytes") {
    const std::int64_t many = std::int64_t{1} << 56;
    CHECK(error_of<ResourceError>([&] { zeros({many}); }) ==
          "zeros: expected room for 288230376151711744 bytes, got none");
    CHECK(error_of<ResourceError>([&] { expand(ones({1}), {many}); }) ==
          "expand: expected room for 288230376151711744 bytes, got none");
  }
}
