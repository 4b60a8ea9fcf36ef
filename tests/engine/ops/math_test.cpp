// SPDX-License-Identifier: MIT

// Functions of golden/math.golden: what numbers do not show.

#include <cmath>

#include "engine/ops/op_test.h"
#include "support/error_of.h"
#include "teff/engine/graph.h"

using namespace teff;
using namespace teff::testing;

TEST_SUITE("where") {
  TEST_CASE("takes numbers on either side") {
    const Tensor mask = tensor<bool>({true, false}), x = tensor<float>({1, 2});
    CHECK(show(where(mask, x, 0)) == "float32 [2]: 1 0");
    CHECK(show(where(mask, 0.5, x)) == "float32 [2]: 0.5 2");
    CHECK(show(where(mask, 1, 0)) == "int64 [2]: 1 0");
    CHECK(show(where(mask, 1.0, 0)) == "float32 [2]: 1 0");
    CHECK(show(where(mask, tensor<std::int64_t>({1, 2}), 0.5)) == "float32 [2]: 1 0.5");
    CHECK(show(x.where(mask, -1)) == "float32 [2]: 1 -1");
    CHECK(show(where(mask, x.to(kHalf), 0)) == "float16 [2]: 1 0");
  }

  TEST_CASE("refuses what is no condition, and two dtypes") {
    const Tensor x = ones({2});
    CHECK(error_of<TypeError>([&] { where(x, x, x); }) ==
          "where: expected a condition of bool, got float32; make one with a comparison or to(DType::bool_)");
    CHECK(error_of<TypeError>([&] { where(x > 0, x, x.to(kLong)); }) ==
          "where: expected tensors of one dtype, got float32 and int64; convert one with to()");
  }

  TEST_CASE("gives no gradient where the other was taken, even if that is NaN") {
    const Tensor x = leaf({-1, 4}, {2});
    where(x > 0, sqrt(masked_fill(x, x <= 0, 1)), 0).sum().backward();
    CHECK(show(x.grad()) == "float32 [2]: 0 0.25");
  }

  TEST_CASE("masked_fill keeps the dtype") {
    const Tensor x = tensor<std::int64_t>({1, 2}), mask = tensor<bool>({true, false});
    CHECK(show(x.masked_fill(mask, 7)) == "int64 [2]: 7 2");
    CHECK(error_of<TypeError>([&] { masked_fill(x, mask, 0.5); }) ==
          "masked_fill: expected a number to go with int64, got 0.5; convert the tensor with to()");
    CHECK(error_of<ShapeError>([&] { masked_fill(x, mask, x); }) ==
          "masked_fill: expected a value of one element, got [2]");
    CHECK(error_of<ValueError>([&] { masked_fill(x.to(kUInt8), mask, -1); }) ==
          "masked_fill: expected a value in the range of uint8, got -1");
  }
}

TEST_SUITE("in place") {
  TEST_CASE("functions write to the elements, of all handles") {
    const Tensor x = tensor<float>({-4, 9}), other = x;
    x.abs_().sqrt_();
    CHECK(show(other) == "float32 [2]: 2 3");
    x.clamp_(2.5).masked_fill_(x > 2.75, 0).add_(1).mul_(2).sub_(1).div_(2);
    CHECK(show(other) == "float32 [2]: 3 0.5");
    CHECK(show(x.clamp_max_(1).pow_(2)) == "float32 [2]: 1 0.25");
    Tensor y = other;
    y += x;
    y *= 2;
    y -= 1;
    y /= ones({2});
    CHECK(show(x) == "float32 [2]: 3 0");
    CHECK(show(zeros({2}).addcmul_(x, ones({2}), 2)) == "float32 [2]: 6 0");
  }

  TEST_CASE("keeps the dtype, or refuses") {
    Tensor x = tensor<std::int32_t>({3, 4});
    CHECK(show(x += 1) == "int32 [2]: 4 5");
    CHECK(error_of<TypeError>([&] { x += 0.5; }) ==
          "add_: expected a result to go with int32, got float32; convert the tensor with to()");
    CHECK(error_of<TypeError>([&] { x.div_(2); }) ==
          "div_: expected a result to go with int32, got float32; convert the tensor with to()");
    CHECK(show(x) == "int32 [2]: 4 5");
  }

  TEST_CASE("refuses what would lose a gradient") {
    Tensor total = zeros({2});
    const Tensor x = leaf({1, 2}, {2});
    CHECK(error_of<Error>([&] { total += x; }) ==
          "add_: expected operands whose gradient is not recorded, got one that requires grad; write x = x + y "
          "instead, or use NoGradGuard or detach()");
    total += x.detach();
    const NoGradGuard no_grad;
    total += x;
    CHECK(show(total) == "float32 [2]: 2 4");
  }
}

TEST_SUITE("over dimensions") {
  TEST_CASE("the standard deviation of equal numbers has the gradient 0, of one NaN") {
    const Tensor x = leaf({2, 2, 2}, {3}), one = leaf({2}, {1});
    teff::std(x).backward();
    CHECK(show(x.grad()) == "float32 [3]: 0 0 0");
    x.std().sum();
    CHECK(show(one.std()) == "float32 []: nan");
    CHECK(show(x.var({}, false)) == "float32 []: 0");
    CHECK(show(var_mean(tensor<float>({1, 3})).mean) == "float32 []: 2");
  }

  TEST_CASE("products of one tensor and of nothing") {
    CHECK(show(ones({2, 0}).prod()) == "float32 []: 1");
    CHECK(show(tensor<bool>({true, true}).prod()) == "int64 []: 1");
    CHECK(show(tensor<std::int8_t>({100, 100}).cumsum(0)) == "int64 [2]: 100 200");
    CHECK(show(prod(ones({2, 3}), 1, true)) == "float32 [2, 1]: 1 1");
  }

  TEST_CASE("all, any and equal give C++'s bool where PyTorch gives Python's") {
    const Tensor x = tensor<float>({1, 2});
    CHECK(equal(x, x.clone()));
    CHECK_FALSE(equal(x, x.view({2, 1})));
    CHECK_FALSE(equal(tensor<float>({float(kNan)}), tensor<float>({float(kNan)})));
    CHECK(allclose(x, x + 1e-7));
    CHECK_FALSE(x.allclose(x + 1));
    CHECK(allclose(x, x + 1, {.atol = 1}));
    CHECK(x.all().item<bool>());
    CHECK(error_of<TypeError>([&] { static_cast<void>(equal(x, x.to(kLong))); }) ==
          "equal: expected tensors of one dtype, got float32 and int64; convert one with to()");
  }

  TEST_CASE("medians of equal numbers are at the first") {
    const auto [values, indices] = median(tensor<float>({2, 1, 2, 2, 9}), 0);
    CHECK(show(values) == "float32 []: 2");
    CHECK(show(indices) == "int64 []: 0");
  }
}

TEST_SUITE("spellings") {
  TEST_CASE("elements as a vector, converted") {
    const Tensor x = tensor<float>({1.5, -2, 0}, {3, 1});
    CHECK(x.tolist<double>() == std::vector<double>{1.5, -2, 0});
    CHECK(x.tolist<std::int64_t>() == std::vector<std::int64_t>{1, -2, 0});
    CHECK(x.tolist<bool>() == std::vector<bool>{true, true, false});
    CHECK(empty({0}).tolist<float>().empty());
    CHECK_THROWS_WITH_AS(Tensor().tolist<float>(), "tolist: expected a defined tensor, got an undefined one",
                         TypeError);
  }

  TEST_CASE("names that PyTorch has") {
    const Tensor x = tensor<float>({1, 4}, {2, 1});
    CHECK(x.contiguous().is(x));
    CHECK(x.data_ptr<float>() == x.data<float>());
    CHECK(show(x.add(x, 2)) == "float32 [2, 1]: 3 12");
    CHECK(show(x.mm(x.t())) == "float32 [2, 2]: 1 4 4 16");
    CHECK(show(x.view_as(zeros({2}))) == "float32 [2]: 1 4");
    CHECK(show(x.type_as(zeros({1}, {.dtype = kLong}))) == "int64 [2, 1]: 1 4");
    CHECK(show(x.clip(2, 3)) == "float32 [2, 1]: 2 3");
    CHECK(show(x.rsqrt()) == "float32 [2, 1]: 1 0.5");
    CHECK(x.element_size() == 4);
  }

  TEST_CASE("errors name the function that was called") {
    CHECK_THROWS_WITH_AS(mish(zeros({1}, {.dtype = kLong})),
                         "mish: expected float32 or float64, got int64; convert with to(DType::float32)", TypeError);
    CHECK_THROWS_WITH_AS(any(Tensor()), "any: expected defined tensors, got an undefined one as input 0", TypeError);
    CHECK_THROWS_WITH_AS(sin(Tensor()), "sin: expected defined tensors, got an undefined one as input 0", TypeError);
    CHECK_THROWS_WITH_AS(glu(zeros({3})), "glu: expected an even size of dimension 0, got input [3]", ShapeError);
    CHECK_THROWS_WITH_AS(clamp(zeros({1}), Tensor(), Tensor()), "clamp: expected a minimum or a maximum, got neither",
                         ValueError);
    CHECK_THROWS_WITH_AS(make_op("sin", {{"eps", 1}}), "sin: expected attributes among (), got \"eps\"", ValueError);
  }
}
