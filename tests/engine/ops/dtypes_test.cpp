// SPDX-License-Identifier: MIT

// What dtypes other than float32 and float64 compute (Op::widening). The numbers of PyTorch are in golden/math.golden.

#include <limits>

#include "engine/ops/op_test.h"
#include "support/error_of.h"
#include "teff/engine/random.h"

using namespace teff;
using namespace teff::testing;

namespace {

template <class T>
Tensor least() {
  return tensor<T>(std::vector<T>{std::numeric_limits<T>::min()});
}

Tensor half(std::initializer_list<float> values) { return tensor<float>(values).to(kHalf); }

}  // namespace

TEST_SUITE("whole numbers") {
  TEST_CASE("wrap around in their own dtype") {
    CHECK(show(least<std::int8_t>() - 1) == "int8 [1]: 127");
    CHECK(show(abs(least<std::int8_t>())) == "int8 [1]: -128");
    CHECK(show(least<std::int32_t>() * 3) == "int32 [1]: -2.14748e+09");
    CHECK(show(floor_divide(least<std::int32_t>(), -1)) == "int32 [1]: -2.14748e+09");
    CHECK(show(floor_divide(least<std::int64_t>(), -1)) == "int64 [1]: -9223372036854775808");
    CHECK(show(remainder(least<std::int64_t>(), -1)) == "int64 [1]: 0");
    CHECK(show(tensor<std::uint8_t>({200}) + tensor<std::uint8_t>({100})) == "uint8 [1]: 44");
  }

  TEST_CASE("are not divided by 0") {
    const Tensor x = tensor<std::int32_t>({3, 4}), zero = tensor<std::int32_t>({1, 0});
    CHECK(error_of<ValueError>([&] { floor_divide(x, zero); }) ==
          "floor_divide: expected whole numbers to be divided by others than 0, got 0");
    CHECK(error_of<ValueError>([&] { x % 0; }) ==
          "remainder: expected whole numbers to be divided by others than 0, got 0");
    CHECK_THROWS_AS(fmod(x, zero), ValueError);
    CHECK(show(x / zero) == "float32 [2]: 3 inf");
  }

  TEST_CASE("of two dtypes are refused with the cure") {
    CHECK(error_of<TypeError>([] { tensor<std::int8_t>({1}) + tensor<std::int32_t>({1}); }) ==
          "add: expected tensors of one dtype, got int8 and int32; convert one with to()");
  }

  TEST_CASE("have powers") {
    CHECK(show(pow(tensor<std::int64_t>({-3, 2}), 3)) == "int64 [2]: -27 8");
    CHECK(show(pow(tensor<std::int8_t>({2}), 7)) == "int8 [1]: -128");
    CHECK(show(pow(tensor<std::int64_t>({4}), 0.5)) == "float32 [1]: 2");
    CHECK_THROWS_WITH_AS(pow(tensor<std::int64_t>({4}), -1),
                         "pow: expected an exponent of at least 0 for whole numbers, got -1", ValueError);
  }

  TEST_CASE("and bools have extrema, with int64 places") {
    const auto [values, indices] = max(tensor<std::int16_t>({3, 9, -1}), 0);
    CHECK(show(values) == "int16 []: 9");
    CHECK(show(indices) == "int64 []: 1");
    CHECK(show(argmax(tensor<std::uint8_t>({3, 200, 1}))) == "int64 []: 1");
    CHECK(show(argmin(tensor<std::uint8_t>({3, 200, 0}))) == "int64 []: 2");
    CHECK(show(amax(tensor<bool>({false, true}))) == "bool []: 1");
  }

  TEST_CASE("of bool: a sum is a logical or, a product an and") {
    const Tensor a = tensor<bool>({true, true, false}), b = tensor<bool>({true, false, false});
    CHECK(show(a + b) == "bool [3]: 1 1 0");
    CHECK(show(a * b) == "bool [3]: 1 0 0");
    CHECK(show(a & b) == "bool [3]: 1 0 0");
    CHECK(show(a ^ b) == "bool [3]: 0 1 0");
    CHECK(show(~a) == "bool [3]: 0 0 1");
    CHECK_THROWS_AS(a - b, TypeError);
    CHECK_THROWS_AS(-a, TypeError);
  }

  TEST_CASE("shift within their bits") {
    const auto shifted = [](std::int64_t x, std::int64_t places) {
      return show(bitwise_right_shift(tensor<std::int64_t>({x}), tensor<std::int64_t>({places})));
    };
    CHECK(shifted(-8, 1) == "int64 [1]: -4");
    CHECK(shifted(-8, 64) == "int64 [1]: -1");
    CHECK(shifted(8, -1) == "int64 [1]: 0");
    CHECK(show(bitwise_left_shift(tensor<std::int64_t>({1}), tensor<std::int64_t>({64}))) == "int64 [1]: 0");
    CHECK(error_of<TypeError>([] { bitwise_left_shift(zeros({1}), zeros({1})); }) ==
          "bitwise_left_shift: expected whole numbers, got float32; convert with to(DType::int64)");
  }
}

TEST_SUITE("half precision") {
  TEST_CASE("computes in float32, and rounds once") {
    const Tensor x = half({1, 2049, 3});  // 2049 is 2048 in float16
    CHECK(show(x + half({1, 1, 1})) == "float16 [3]: 2 2048 4");
    CHECK(show(sum(x)) == "float16 []: 2052");
    CHECK(show(softmax(half({0, 0}), 0)) == "float16 [2]: 0.5 0.5");
    CHECK(show(half({300}) * half({300})) == "float16 [1]: inf");
    CHECK(show(tensor<float>({1, 3}).to(kBFloat16) / 3) == "bfloat16 [2]: 0.333984 1");
  }

  TEST_CASE("goes through layers of inference") {
    manual_seed(0);
    const Tensor x = randn({2, 3, 6, 6}), w = randn({4, 3, 3, 3}), b = randn({4});
    const Tensor mean = rand({4}), var = rand({4}) + 0.5;
    const auto net = [](const Tensor& image, const Tensor& weight, const Tensor& bias, const Tensor& m,
                        const Tensor& v) {
      const Tensor y = max_pool2d(relu(batch_norm(conv2d(image, weight, bias), m, v)), 2);
      return linear(flatten(y, 1), ones({3, 16}, {.dtype = y.dtype()}));
    };
    for (const DType dtype : {kHalf, kBFloat16}) {
      const Tensor y = net(x.to(dtype), w.to(dtype), b.to(dtype), mean.to(dtype), var.to(dtype));
      CHECK(y.dtype() == dtype);
      CHECK(allclose(y.to(kFloat), net(x, w, b, mean, var), {.rtol = 0.05, .atol = 0.1}));
    }
  }

  TEST_CASE("moves as it is, and its views share elements") {
    const Tensor x = half({1, 2, 3, 4});
    CHECK(x.view({2, 2}).shares_memory_with(x));
    CHECK(show(x.view({2, 2}).t()) == "float16 [2, 2]: 1 3 2 4");
    CHECK(show(x.to(kFloat)) == "float32 [4]: 1 2 3 4");
    CHECK(dropout(x, 0.5, false).shares_memory_with(x));
    CHECK(show(embedding(tensor<std::int64_t>({1}), x.view({2, 2}))) == "float16 [1, 2]: 3 4");
    CHECK(show(max(x, 0).indices) == "int64 []: 3");
    CHECK(show(argmax(x)) == "int64 []: 3");
  }

  TEST_CASE("is not mixed with other floating-point dtypes, but with indices") {
    CHECK(error_of<TypeError>([] { half({1}) + ones({1}); }) ==
          "add: expected tensors of one dtype, got float16 and float32; convert one with to()");
    CHECK(error_of<TypeError>([] {
            linear(half({1}), ones({1, 1}));
          }) == "linear: expected tensors of one dtype, got float16 and float32; convert one with to()");
    CHECK(show(nll_loss(half({-1, -2}).view({1, 2}), tensor<std::int64_t>({1}))) == "float16 []: 2");
  }

  TEST_CASE("does not train") {
    CHECK_THROWS_AS(half({1}).requires_grad_(), TypeError);
    const Tensor x = half({1, 2}).view({2, 1}), mean = half({0}), var = half({1});
    CHECK(error_of<TypeError>([&] { batch_norm(x, mean, var, {}, {}, {.training = true}); }) ==
          "batch_norm: expected float32 or float64 in training, got float16; convert with to(DType::float32)");
    CHECK(show(mean) == "float16 [1]: 0");
  }

  TEST_CASE("functions of several operations round once") {
    const Tensor x = half({100, 101, 102, 103});
    CHECK(show(var(x)) == "float16 []: 1.66699");
    CHECK(show(norm(half({200, 200, 200}))) == "float16 []: 346.5");
    CHECK(show(logsumexp(half({1000, 1000}), 0)) == "float16 []: 1000.5");
  }
}
