// SPDX-License-Identifier: MIT
#include "teff/engine/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>

#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"

using namespace teff;
using teff::testing::same;

namespace {

template <class To, class From>
std::vector<To> converted(std::initializer_list<From> values) {
  const Tensor result = tensor<From>(values).to(dtype_of<To>);
  return {result.span<To>().begin(), result.span<To>().end()};
}

const float kFloatNan = std::numeric_limits<float>::quiet_NaN();
const float kFloatInf = std::numeric_limits<float>::infinity();

}  // namespace

TEST_SUITE("tensor") {
  TEST_CASE("a default tensor is undefined and says so") {
    const Tensor none;
    CHECK_FALSE(none.defined());
    CHECK_THROWS_WITH_AS(none.shape(), "tensor: expected a defined tensor, got an undefined one", TypeError);
    CHECK_THROWS_AS(none.item<float>(), TypeError);
    CHECK_THROWS_AS(none.to(DType::float64), TypeError);
    CHECK_THROWS_AS(none.requires_grad_(), TypeError);
    CHECK_THROWS_AS(none.backward(), TypeError);
    CHECK_THROWS_AS(none.fill_(1), TypeError);
    CHECK_THROWS_WITH_AS(relu(none), "relu: expected defined tensors, got an undefined one as input 0", TypeError);
  }

  TEST_CASE("shape, size, dim, numel, dtype and nbytes describe a tensor") {
    const Tensor x = zeros({2, 3, 4}, {.dtype = DType::int16});
    CHECK(x.shape() == Shape{2, 3, 4});
    CHECK(x.dim() == 3);
    CHECK(x.size(0) == 2);
    CHECK(x.size(-1) == 4);
    CHECK(x.numel() == 24);
    CHECK(x.dtype() == DType::int16);
    CHECK(x.nbytes() == 48);
    CHECK_THROWS_WITH_AS(x.size(3), "size: expected a dimension of [2, 3, 4], got 3", IndexError);
    CHECK_THROWS_AS(x.size(-4), IndexError);
  }

  TEST_CASE("a tensor without elements and one without dimensions are tensors like others") {
    CHECK(zeros({0, 3}).numel() == 0);
    CHECK(zeros({0, 3}).span<float>().empty());
    CHECK(zeros({}).numel() == 1);
    CHECK(zeros({}).dim() == 0);
    CHECK(zeros({0, 3}).clone().shape() == Shape{0, 3});
  }

  TEST_CASE("memory is aligned to 64 bytes") {
    for (const std::int64_t size : {1, 3, 1000}) {
      CHECK(reinterpret_cast<std::uintptr_t>(empty({size}).raw_data()) % 64 == 0);
    }
  }

  TEST_CASE("copies are handles of the same elements; clone() copies them") {
    const Tensor x = tensor<float>({1, 2, 3});
    const Tensor handle = x, copy = x.clone();
    x.data<float>()[0] = 9;
    CHECK(handle.data<float>()[0] == 9);
    CHECK(handle.is(x));
    CHECK(copy.data<float>()[0] == 1);
    CHECK_FALSE(copy.is(x));
    CHECK_FALSE(copy.shares_memory_with(x));
  }

  TEST_CASE("views share elements, everything else copies") {
    const Tensor x = randn({4, 1, 3});
    for (const Tensor& view : {x.view({12}), x.reshape({2, 6}), x.flatten(), x.squeeze(), x.unsqueeze(0), x.detach(),
                               x[1], x.select(0, -1), x.slice(0, 1, 3)}) {
      INFO(view.shape());
      CHECK(view.shares_memory_with(x));
    }
    for (const Tensor& copy : {x.clone(), x.transpose(0, 2), x.permute({2, 0, 1}), x.select(2, 0), x.slice(2, 0, 2),
                               x.slice(0, 0, 4, 2), expand(x, {4, 2, 3}), cat({x, x}), x + 0.0}) {
      INFO(copy.shape());
      CHECK_FALSE(copy.shares_memory_with(x));
    }
  }

  TEST_CASE("a write through a view of a slice lands in its place") {
    const Tensor x = zeros({3, 2});
    x[1].fill_(5);
    x.slice(0, 2, 3).view({2}).data<float>()[1] = 7;
    CHECK(same(x, tensor<float>({{0, 0}, {5, 5}, {0, 7}})));
  }

  TEST_CASE("data() and span() check the type") {
    const Tensor x = zeros({2, 3});
    CHECK(x.span<float>().size() == 6);
    CHECK_THROWS_WITH_AS(x.data<double>(), "data: expected a tensor of dtype float64, got float32 [2, 3]", TypeError);
  }

  TEST_CASE("item() converts the only element") {
    CHECK(tensor<float>({2.75}).item<float>() == 2.75f);
    CHECK(scalar_tensor(2.75).item<int>() == 2);
    CHECK(tensor<std::int64_t>({9007199254740993}).item<std::int64_t>() == 9007199254740993);
    CHECK(scalar_tensor(true).item<bool>());
    CHECK(ones({1, 1, 1}).item<double>() == 1);
    CHECK_THROWS_WITH_AS(zeros({2}).item<float>(), "item: expected a tensor of one element, got float32 [2]",
                         ShapeError);
    CHECK_THROWS_AS(zeros({0}).item<float>(), ShapeError);
  }

  TEST_CASE("item() converts as to() does, for every pair of types") {
    const std::vector<double> values = {0,   -0.0, 0.5,  -0.25, 1,    -1,   127.9,     128,       255,        256,  300,
                                        3e9, -3e9, 1e20, -1e20, 1e39, 2.75, kFloatNan, kFloatInf, -kFloatInf, 65536};
    const DType dtypes[] = {DType::float32, DType::float64, DType::int64,  DType::int32,         DType::int16,
                            DType::int8,    DType::uint8,   DType::bool_,  DType::float16,       DType::bfloat16,
                            DType::uint16,  DType::uint32,  DType::uint64, DType::float8_e4m3fn, DType::float8_e5m2};
    const auto check = [&]<class T>(T) {
      for (const DType dtype : dtypes) {
        for (const double value : values) {
          const Tensor x = tensor(std::vector<double>{value}).to(dtype);
          const T item = x.item<T>(), expected = *x.to(dtype_of<T>).template data<T>();
          INFO(value << " of " << to_string(dtype) << " to " << to_string(dtype_of<T>));
          CHECK(std::memcmp(&item, &expected, sizeof(T)) == 0);
        }
      }
    };
    check(float());
    check(double());
    check(std::int64_t());
    check(std::int32_t());
    check(std::int16_t());
    check(std::int8_t());
    check(std::uint8_t());
    check(bool());
    check(Half());
    check(BFloat16());
    check(std::uint16_t());
    check(std::uint32_t());
    check(std::uint64_t());
    check(Float8E4M3FN());
    check(Float8E5M2());
  }

  TEST_CASE("item() never wraps around, for types that no tensor has either") {
    CHECK(tensor({0.5}).item<bool>());
    CHECK(tensor({300}).item<std::uint8_t>() == 255);
    CHECK(tensor({3e9}).item<std::int32_t>() == INT32_MAX);
    CHECK(tensor({3000000000}).item<int>() == INT32_MAX);
    CHECK(tensor({kFloatNan}).item<int>() == 0);
    CHECK(tensor({-1}).item<unsigned>() == 0);
    CHECK(tensor({-1}).item<std::uint64_t>() == 0);
    CHECK(tensor<double>({1e19}).item<std::uint64_t>() == 10000000000000000000u);
    CHECK(tensor<double>({1e20}).item<std::uint64_t>() == UINT64_MAX);
    CHECK(tensor({70000}).item<std::uint16_t>() == 65535);
    CHECK(tensor({70000}).item<short>() == 32767);
    CHECK(tensor({5}).item<long long>() == 5);
    CHECK(tensor({9007199254740993}).item<long>() == 9007199254740993);
    CHECK(tensor<double>({0.1}).item<long double>() == 0.1);
  }

  TEST_CASE("from_external uses the caller's memory and calls its deleter once, after the last view") {
    float memory[6] = {0, 1, 2, 3, 4, 5};
    int deleted = 0;
    Tensor row;
    {
      const Tensor x = Tensor::from_external(memory, {2, 3}, [&](void* pointer) {
        CHECK(pointer == memory);
        ++deleted;
      });
      CHECK(x.data<float>() == memory);
      row = x[1];
    }
    CHECK(deleted == 0);
    row.fill_(7);
    CHECK(memory[3] == 7);
    CHECK(memory[2] == 2);
    row = Tensor();
    CHECK(deleted == 1);
  }

  TEST_CASE("from_external refuses a null pointer and unaligned memory") {
    alignas(8) char memory[24];
    CHECK_THROWS_WITH_AS(Tensor::from_external(static_cast<float*>(nullptr), {2}),
                         "from_external: expected memory for float32 [2], got a null pointer", ValueError);
    CHECK_THROWS_AS(Tensor::from_external(memory + 1, TensorType{{2}, DType::float32}), ValueError);
    CHECK(Tensor::from_external(static_cast<float*>(nullptr), {0, 2}).numel() == 0);
  }

  TEST_CASE("creation fills as its name says") {
    CHECK(same(ones({2}), tensor<float>({1, 1})));
    CHECK(same(full({2}, 2.5), tensor<float>({2.5, 2.5})));
    CHECK(same(eye(2), tensor<float>({{1, 0}, {0, 1}})));
    CHECK(same(arange(3), tensor<std::int64_t>({0, 1, 2})));
    CHECK(same(arange(1, 2, 0.25, {.dtype = DType::float32}), tensor<float>({1, 1.25, 1.5, 1.75})));
    CHECK(same(arange(3, 0, -1), tensor<std::int64_t>({3, 2, 1})));
    CHECK(arange(0).shape() == Shape{0});
    CHECK(same(zeros_like(ones({2}, {.dtype = DType::bool_})), tensor<bool>({false, false})));
    CHECK(tensor<float>({{1, 2, 3}, {4, 5, 6}}).shape() == Shape{2, 3});
    CHECK(scalar_tensor(3.f).shape() == Shape{});
    CHECK(zeros({2}, {.requires_grad = true}).requires_grad());
  }

  TEST_CASE("a tensor of values has their type, or the one that is named") {
    CHECK(same(tensor({1.5, 2.0}), tensor<float>({1.5, 2})));
    CHECK(same(tensor({1, 2}), tensor<std::int64_t>({1, 2})));
    CHECK(same(tensor({true, false}), tensor<bool>({true, false})));
    CHECK(same(tensor({1, 2.5}), tensor<float>({1, 2.5})));  // as Python does
    CHECK(same(tensor({true, 2}), tensor<std::int64_t>({1, 2})));
    CHECK(same(tensor({{1, 2}, {3, 4}}), tensor<std::int64_t>({1, 2, 3, 4}, {2, 2})));
    CHECK(same(tensor({{1, 2}, {3, 4.5}}), tensor<float>({1, 2, 3, 4.5}, {2, 2})));
    CHECK(same(tensor({1.F, 2.F}, {2, 1}), tensor<float>({{1}, {2}})));
    CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}, {{9, 0}, {1, 2}}}).type() == TensorType{{3, 2, 2}, DType::int64});
    CHECK(tensor({9007199254740993}).item<std::int64_t>() == 9007199254740993);
    CHECK(tensor({}).type() == TensorType{{0}, DType::float32});
    CHECK(tensor<std::int8_t>({}).type() == TensorType{{0}, DType::int8});
    CHECK(tensor(std::vector<double>{0.1}).data<double>()[0] == 0.1);  // vectors keep their type
    CHECK(tensor(std::vector<std::int32_t>{1}).dtype() == DType::int32);
    CHECK(tensor<double>({0.1}).data<double>()[0] == 0.1);
    CHECK(scalar_tensor(1.5).type() == TensorType{{}, DType::float32});
    CHECK(scalar_tensor(2).type() == TensorType{{}, DType::int64});
    CHECK(scalar_tensor(true).type() == TensorType{{}, DType::bool_});
    CHECK(scalar_tensor<double>(1.5).type() == TensorType{{}, DType::float64});
    CHECK(tensor<float>({1, 2}).dtype() == DType::float32);
    CHECK(tensor<double>({{1}, {2}}).type() == TensorType{{2, 1}, DType::float64});  // not two numbers in braces
  }

  TEST_CASE("creation refuses what cannot be, in exact words") {
    CHECK_THROWS_WITH_AS(zeros({2, -1}), "zeros: expected sizes of at least 0, got [2, -1]", ShapeError);
    CHECK_THROWS_AS(zeros({std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
    CHECK_THROWS_WITH_AS(tensor<float>({1, 2, 3}, Shape{2, 2}), "tensor: expected 4 values for shape [2, 2], got 3",
                         ShapeError);
    CHECK_THROWS_WITH_AS(tensor<float>({{1, 2}, {3}}), "tensor: expected rows of 2 values, got one of 1", ShapeError);
    CHECK_THROWS_WITH_AS(tensor({{{1, 2}}, {{3}}}), "tensor: expected parts of equal shape, got [1, 2] and [1, 1]",
                         ShapeError);
    CHECK_THROWS_AS(tensor({{1, 2}, 3}), ShapeError);
    CHECK_THROWS_WITH_AS(tensor<std::int8_t>({300}), "tensor: expected whole numbers of 8 bits, got 300", ValueError);
    CHECK_THROWS_WITH_AS(tensor<std::uint8_t>({-1}), "tensor: expected whole numbers of 8 bits without a sign, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(randn({2}, {.dtype = DType::int64}), "randn: expected dtype float32 or float64, got int64",
                         TypeError);
    CHECK_THROWS_AS(zeros(Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  }

  TEST_CASE("arange has the dtype of its arguments") {
    CHECK(same(arange(1, 4), tensor({1, 2, 3})));
    CHECK(same(arange(0, 1, 0.25), tensor<float>({0, 0.25, 0.5, 0.75})));
    CHECK(same(arange(1.5, 3.5), tensor<float>({1.5, 2.5})));
    CHECK(same(arange(2.5), tensor<float>({0, 1, 2})));
    CHECK(same(arange(3.0), tensor<float>({0, 1, 2})));
    CHECK(arange(0, 1, 0.1).type() == TensorType{{10}, DType::float32});
    CHECK(arange(0, 1, 0.1).data<float>()[9] == 0.9F);
    CHECK(arange(0, 1, 0.3).numel() == 4);  // ceil, in double
    CHECK(arange(0., 1., 0.1, {.dtype = DType::float64}).data<double>()[3] == 0.1 * 3);
    CHECK(same(arange(1.0, 4.0, 1, {.dtype = DType::int64}), tensor({1, 2, 3})));
    CHECK(same(arange(1, 4, 1, {.dtype = DType::uint8}), tensor<std::uint8_t>({1, 2, 3})));
    CHECK(same(arange(10, 0, -4), tensor({10, 6, 2})));
    CHECK(same(arange(0, -1, -0.5), tensor<float>({0, -0.5})));
    CHECK(arange(5, 5).numel() == 0);
    CHECK(same(arange(INT64_MAX - 2, INT64_MAX), tensor({INT64_MAX - 2, INT64_MAX - 1})));
    CHECK(same(arange(INT64_MIN, INT64_MAX, INT64_MAX), tensor({INT64_MIN, std::int64_t{-1}, INT64_MAX - 1})));
    CHECK(arange(0, 2, 1, {.dtype = DType::float32, .requires_grad = true}).requires_grad());
  }

  TEST_CASE("arange refuses what has no end, no place or no such numbers") {
    CHECK_THROWS_WITH_AS(
        arange(0, 1, -1),
        "arange: expected finite numbers with a step from start towards end, got start 0, end 1, step -1", ValueError);
    CHECK_THROWS_AS(arange(1, 0), ValueError);
    CHECK_THROWS_AS(arange(-1), ValueError);
    CHECK_THROWS_AS(arange(0, 1, 0), ValueError);
    CHECK_THROWS_AS(arange(0, 1, 0.0), ValueError);
    CHECK_THROWS_AS(arange(0, 1, -0.5), ValueError);
    CHECK_THROWS_AS(arange(0, kFloatInf, 1), ValueError);
    CHECK_THROWS_AS(arange(kFloatNan, 1, 1), ValueError);
    CHECK_THROWS_AS(arange(0, 1, kFloatNan), ValueError);
    CHECK_THROWS_AS(arange(-1.7e308, 1.7e308, 1.0), ShapeError);
    CHECK_THROWS_AS(arange(0, 1, 1e-300), ShapeError);
    CHECK_THROWS_AS(arange(std::int64_t{1} << 49), ShapeError);
    CHECK_THROWS_WITH_AS(arange(0, 1, 0.1, {.dtype = DType::int64}),
                         "arange: expected whole numbers below 2^53 for int64, got start 0.000000, end 1.000000, step "
                         "0.100000",
                         ValueError);
    CHECK_THROWS_WITH_AS(arange(250, 260, 1, {.dtype = DType::uint8}),
                         "arange: expected numbers in the range of uint8, got 256", ValueError);
    CHECK_THROWS_WITH_AS(arange(0, 2, 1, {.dtype = DType::bool_}), "arange: expected a dtype of numbers, got bool",
                         TypeError);
  }

  TEST_CASE("a number for all elements is what was given, or is refused") {
    const std::int64_t odd = 9007199254740993;  // no double
    CHECK(full({1}, odd, {.dtype = DType::int64}).item<std::int64_t>() == odd);
    CHECK(zeros({1}, {.dtype = DType::int64}).fill_(odd).item<std::int64_t>() == odd);
    CHECK(full({1}, 2.7, {.dtype = DType::int64}).item<int>() == 2);  // as in PyTorch
    CHECK(full({1}, -2.7, {.dtype = DType::int8}).item<int>() == -2);
    CHECK(full({1}, -0.5, {.dtype = DType::uint8}).item<int>() == 0);
    CHECK(full({1}, 0.5, {.dtype = DType::bool_}).item<bool>());
    CHECK(full({1}, 255.9, {.dtype = DType::uint8}).item<int>() == 255);
    CHECK_THROWS_WITH_AS(full({1}, 300, {.dtype = DType::uint8}),
                         "full: expected a value in the range of uint8, got 300", ValueError);
    CHECK_THROWS_WITH_AS(full({1}, -1, {.dtype = DType::uint8}), "full: expected a value in the range of uint8, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(full({1}, 1e30, {.dtype = DType::int64}),
                         "full: expected a value in the range of int64, got 1e+30", ValueError);
    CHECK_THROWS_WITH_AS(full({1}, kFloatNan, {.dtype = DType::int32}),
                         "full: expected a value in the range of int32, got nan", ValueError);
    const Tensor x = zeros({2}, {.dtype = DType::int8});
    CHECK_THROWS_WITH_AS(x.fill_(128), "fill_: expected a value in the range of int8, got 128", ValueError);
    CHECK_THROWS_AS(x.fill_(kFloatInf), ValueError);
    CHECK(same(x, zeros({2}, {.dtype = DType::int8})));
    CHECK_THROWS_WITH_AS(pad(x, {1, 1}, 200), "pad: expected a value in the range of int8, got 200", ValueError);
    CHECK_THROWS_AS(zeros({1}, {.dtype = DType::int64}) + 0.5, TypeError);
    CHECK_THROWS_AS(zeros({1}, {.dtype = DType::int64}) * 2.7, TypeError);
    CHECK_THROWS_AS(zeros({1}, {.dtype = DType::int64}).clamp(0.5), TypeError);
    CHECK_THROWS_AS(zeros({1}, {.dtype = DType::int64}).pow(0.5), TypeError);
  }

  TEST_CASE("conversion to integers truncates, saturates, and gives 0 for NaN") {
    CHECK(converted<std::int64_t>({2.9f, -2.9f, kFloatNan, kFloatInf, -kFloatInf}) ==
          std::vector<std::int64_t>{2, -2, 0, INT64_MAX, INT64_MIN});
    CHECK(converted<std::int8_t>({127.9f, 128.f, -128.9f, -1e9f, kFloatNan}) ==
          std::vector<std::int8_t>{127, 127, -128, -128, 0});
    CHECK(converted<std::uint8_t>({-0.5f, -3.f, 255.5f, 300.f}) == std::vector<std::uint8_t>{0, 0, 255, 255});
    CHECK(converted<std::int8_t>({std::int64_t{1000}, std::int64_t{-1000}}) == std::vector<std::int8_t>{127, -128});
    CHECK(converted<std::uint8_t>({std::int64_t{-1}, std::int64_t{7}}) == std::vector<std::uint8_t>{0, 7});
    CHECK(converted<std::int32_t>({2147483647.0, 2147483648.0, -2147483649.0}) ==
          std::vector<std::int32_t>{INT32_MAX, INT32_MAX, INT32_MIN});
    CHECK(converted<bool>({0.f, -0.f, 0.5f, kFloatNan}) == std::vector<bool>{false, false, true, true});
  }

  TEST_CASE("half precision rounds to nearest even and keeps infinities and NaN") {
    CHECK(converted<Half>({1.f})[0].bits == 0x3c00);
    CHECK(converted<Half>({1.00048828125f})[0].bits == 0x3c00);  // half way: to even
    CHECK(converted<Half>({1.00146484375f})[0].bits == 0x3c02);
    CHECK(converted<Half>({65504.f})[0].bits == 0x7bff);
    CHECK(converted<Half>({65520.f})[0].bits == 0x7c00);        // infinity
    CHECK(converted<Half>({5.9604645e-8f})[0].bits == 0x0001);  // the least subnormal
    CHECK(converted<Half>({-0.f})[0].bits == 0x8000);
    CHECK(std::isnan(static_cast<float>(converted<Half>({kFloatNan})[0])));
    CHECK(converted<BFloat16>({1.f})[0].bits == 0x3f80);
    CHECK(converted<BFloat16>({1.00390625f})[0].bits == 0x3f80);  // half way: to even
    CHECK(std::isnan(static_cast<float>(converted<BFloat16>({kFloatNan})[0])));
    for (int bits = 0; bits < 0x10000; ++bits) {
      Half half;
      half.bits = static_cast<std::uint16_t>(bits);
      const auto value = static_cast<float>(half);
      if (!std::isnan(value) && Half(value).bits != half.bits) FAIL("half ", bits);
    }
  }

  TEST_CASE("8-bit floats round to nearest even; beyond the last number is NaN for e4m3fn, infinity for e5m2") {
    const auto e4m3 = [](float value) { return int{Float8E4M3FN(value).bits}; };
    CHECK(e4m3(1) == 0x38);
    CHECK(e4m3(1.0625f) == 0x38);  // half way: to even
    CHECK(e4m3(1.1875f) == 0x3a);
    CHECK(e4m3(-448) == 0xfe);
    CHECK(e4m3(464) == 0x7e);  // half way to 480, which is NaN's place
    CHECK(e4m3(std::nextafter(464.f, 500.f)) == 0x7f);
    CHECK(e4m3(kFloatInf) == 0x7f);
    CHECK(e4m3(-kFloatInf) == 0xff);
    CHECK(e4m3(kFloatNan) == 0x7f);
    CHECK(e4m3(-0.f) == 0x80);
    CHECK(e4m3(0x1p-9f) == 0x01);   // the least subnormal
    CHECK(e4m3(0x1p-10f) == 0x00);  // half way: to even
    CHECK(e4m3(0x1.8p-9f) == 0x02);
    CHECK(e4m3(0x1p-6f) == 0x08);
    const auto e5m2 = [](float value) { return int{Float8E5M2(value).bits}; };
    CHECK(e5m2(1) == 0x3c);
    CHECK(e5m2(1.125f) == 0x3c);
    CHECK(e5m2(57344) == 0x7b);
    CHECK(e5m2(std::nextafter(61440.f, 0.f)) == 0x7b);
    CHECK(e5m2(61440) == 0x7c);
    CHECK(e5m2(-1e30f) == 0xfc);
    CHECK(e5m2(kFloatNan) == 0x7f);
    CHECK(e5m2(0x1p-16f) == 0x01);
    CHECK(e5m2(0x1p-17f) == 0x00);
    CHECK(e5m2(0x1p-14f) == 0x04);
    CHECK(converted<Float8E5M2>({std::int64_t{-3}})[0].bits == 0xc2);
    CHECK(converted<std::int64_t>({Float8E4M3FN(448.f)}) == std::vector<std::int64_t>{448});
  }

  TEST_CASE("every 8-bit float comes back from float32, and values between two go to the nearer") {
    const auto check = [&]<class T>(T, int infinity, int last) {
      for (int bits = 0; bits < 256; ++bits) {
        T eight;
        eight.bits = static_cast<std::uint8_t>(bits);
        const auto value = static_cast<float>(eight);
        if ((bits & 0x7f) > infinity) {
          if (!std::isnan(value)) FAIL("no NaN: ", bits);
        } else if (T(value) != eight) {
          FAIL("not itself: ", bits);
        }
        if ((bits & 0x7f) >= last) continue;
        T above;
        above.bits = static_cast<std::uint8_t>(bits + 1);
        const float next = static_cast<float>(above), middle = (value + next) / 2;
        const T even = bits % 2 == 0 ? eight : above;
        if (T(middle) != even || T(std::nextafter(middle, value)) != eight ||
            T(std::nextafter(middle, next)) != above) {
          FAIL("not rounded: ", bits);
        }
      }
    };
    check(Float8E4M3FN(), 0x7e, 0x7e);
    check(Float8E5M2(), 0x7c, 0x7b);
  }

  TEST_CASE("unsigned integers saturate, and keep what float64 has no place for") {
    CHECK(converted<std::uint16_t>({-1.f, 70000.f, 2.9f, kFloatNan}) == std::vector<std::uint16_t>{0, 65535, 2, 0});
    CHECK(converted<std::uint32_t>({std::int64_t{-1}, std::int64_t{1} << 40}) ==
          std::vector<std::uint32_t>{0, UINT32_MAX});
    CHECK(converted<std::uint64_t>({1e30, -1.0, 0x1p63}) ==
          std::vector<std::uint64_t>{UINT64_MAX, 0, std::uint64_t{1} << 63});
    CHECK(converted<std::int64_t>({UINT64_MAX, std::uint64_t{7}}) == std::vector<std::int64_t>{INT64_MAX, 7});
    CHECK(converted<std::uint32_t>({UINT64_MAX}) == std::vector<std::uint32_t>{UINT32_MAX});
    CHECK(converted<float>({(std::uint64_t{1} << 63) + 1}) == std::vector<float>{0x1p63f});
    CHECK(converted<std::uint8_t>({std::uint16_t{300}, std::uint16_t{3}}) == std::vector<std::uint8_t>{255, 3});
    CHECK(converted<bool>({std::uint64_t{1} << 40}) == std::vector<bool>{true});
  }

  TEST_CASE("to() the same dtype is the tensor itself") {
    const Tensor x = ones({2});
    CHECK(x.to(DType::float32).is(x));
  }

  TEST_CASE("every dtype converts to every other and back") {
    for (int from = 1; from <= static_cast<int>(kLastDType); ++from) {
      const Tensor x = tensor<float>({0, 1, 1, 0}).to(static_cast<DType>(from));
      for (int to = 1; to <= static_cast<int>(kLastDType); ++to) {
        const Tensor y = x.to(static_cast<DType>(to));
        CHECK(y.dtype() == static_cast<DType>(to));
        CHECK(same(y.to(x.dtype()), x));
      }
    }
  }

  TEST_CASE("dtypes are known by PyTorch's names") {
    for (int i = 1; i <= 10; ++i) {
      const auto dtype = static_cast<DType>(i);
      CHECK(dtype_from_string(to_string(dtype)) == dtype);
    }
    CHECK(to_string(DType::bool_) == "bool");
    CHECK_THROWS_AS(dtype_from_string("complex64"), TypeError);
  }

  TEST_CASE("in-place functions change the elements that all handles see") {
    const Tensor x = tensor<float>({1, 2, 3, 4}, {2, 2}), y = x;
    x.add_(tensor<float>({10, 20}), 2);
    CHECK(same(y, tensor<float>({{21, 42}, {23, 44}})));
    x.sub_(ones({2, 2}));
    x.mul_(2.0);
    CHECK(same(y, tensor<float>({{40, 82}, {44, 86}})));
    x.div_(tensor<float>({2, 2}));
    x.mul_(tensor<float>({0, 1}));
    CHECK(same(y, tensor<float>({{0, 41}, {0, 43}})));
    x.copy_(tensor<std::int64_t>({5}));
    CHECK(same(y, full({2, 2}, 5)));
    x.zero_();
    CHECK(same(y, zeros({2, 2})));
  }

  TEST_CASE("an in-place result that would not fit is refused and nothing changes") {
    const Tensor x = ones({2});
    CHECK_THROWS_AS(x.add_(ones({3, 2})), ShapeError);
    CHECK_THROWS_AS(x.copy_(ones({3})), ShapeError);
    CHECK(same(x, ones({2})));
  }

  TEST_CASE("requires_grad is for leaves of float32 or float64") {
    CHECK_FALSE(ones({2}).requires_grad());
    CHECK(ones({2}).requires_grad_().requires_grad());
    CHECK_THROWS_WITH_AS(arange(3).requires_grad_(), "requires_grad_: expected float32 or float64, got int64",
                         TypeError);
    CHECK_NOTHROW(arange(3).requires_grad_(false));
    const Tensor x = ones({2}, {.requires_grad = true});
    const Tensor y = x * 2.0;
    CHECK(x.is_leaf());
    CHECK_FALSE(y.is_leaf());
    CHECK_THROWS_WITH_AS(y.requires_grad_(false),
                         "requires_grad_: expected a leaf, got the result of a recorded operation; use detach()",
                         Error);
    CHECK(y.detach().is_leaf());
    CHECK_FALSE(y.detach().requires_grad());
  }

  TEST_CASE("in-place changes of what is recorded are refused, but allowed without recording") {
    const Tensor x = ones({2}, {.requires_grad = true});
    CHECK_THROWS_WITH_AS(x.add_(ones({2})),
                         "add_: expected a tensor whose gradient is not recorded, got one that requires grad; use "
                         "NoGradGuard or detach()",
                         Error);
    CHECK_THROWS_AS((x * 2.0).zero_(), Error);
    {
      const NoGradGuard no_grad;
      x.add_(ones({2}));
    }
    x.detach().mul_(2.0);
    CHECK(same(x.detach(), tensor<float>({4, 4})));
  }

  TEST_CASE("set_data gives all handles other elements, shape and dtype, and drops the gradient") {
    const Tensor x = ones({2}, {.requires_grad = true}), handle = x;
    x.set_grad(ones({2}));
    x.set_data(zeros({3}, {.dtype = DType::float64}));
    CHECK(handle.shape() == Shape{3});
    CHECK(handle.dtype() == DType::float64);
    CHECK(handle.requires_grad());
    CHECK_FALSE(handle.grad().defined());
    CHECK_THROWS_AS(x.set_data(arange(3)), TypeError);
    CHECK_THROWS_AS((x * 2.0).set_data(x), Error);
  }

  TEST_CASE("set_grad takes a gradient of the tensor's type only") {
    const Tensor x = ones({2}, {.requires_grad = true});
    CHECK_THROWS_WITH_AS(x.set_grad(ones({3})), "set_grad: expected a gradient float32 [2], got float32 [3]",
                         ShapeError);
    CHECK_THROWS_AS(x.set_grad(ones({2}, {.dtype = DType::float64})), TypeError);
    x.set_grad(ones({2}));
    CHECK(x.grad().defined());
    x.set_grad({});
    CHECK_FALSE(x.grad().defined());
  }
}
