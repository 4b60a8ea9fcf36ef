// SPDX-License-Identifier: MIT
#include "teff/engine/convert.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
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

}  // namespace

TEST_SUITE("conversion") {
  TEST_CASE("conversion to integers truncates, saturates, and gives 0 for NaN") {
    CHECK(converted<std::int64_t>({2.9f, -2.9f, NAN, INFINITY, -INFINITY}) ==
          std::vector<std::int64_t>{2, -2, 0, INT64_MAX, INT64_MIN});
    CHECK(converted<std::int8_t>({127.9f, 128.f, -128.9f, -1e9f, NAN}) ==
          std::vector<std::int8_t>{127, 127, -128, -128, 0});
    CHECK(converted<std::uint8_t>({-0.5f, -3.f, 255.5f, 300.f}) == std::vector<std::uint8_t>{0, 0, 255, 255});
    CHECK(converted<std::int8_t>({std::int64_t{1000}, std::int64_t{-1000}}) == std::vector<std::int8_t>{127, -128});
    CHECK(converted<std::uint8_t>({std::int64_t{-1}, std::int64_t{7}}) == std::vector<std::uint8_t>{0, 7});
    CHECK(converted<std::int32_t>({2147483647.0, 2147483648.0, -2147483649.0}) ==
          std::vector<std::int32_t>{INT32_MAX, INT32_MAX, INT32_MIN});
    CHECK(converted<bool>({0.f, -0.f, 0.5f, NAN}) == std::vector<bool>{false, false, true, true});
  }

  TEST_CASE("half precision rounds to nearest even and keeps infinities and NaN") {
    CHECK(converted<Half>({1.f})[0].bits == 0x3c00);
    CHECK(converted<Half>({1.00048828125f})[0].bits == 0x3c00);  // half way: to even
    CHECK(converted<Half>({1.00146484375f})[0].bits == 0x3c02);
    CHECK(converted<Half>({65504.f})[0].bits == 0x7bff);
    CHECK(converted<Half>({65520.f})[0].bits == 0x7c00);        // infinity
    CHECK(converted<Half>({5.9604645e-8f})[0].bits == 0x0001);  // the least subnormal
    CHECK(converted<Half>({-0.f})[0].bits == 0x8000);
    CHECK(std::isnan(static_cast<float>(converted<Half>({NAN})[0])));
    CHECK(converted<BFloat16>({1.f})[0].bits == 0x3f80);
    CHECK(converted<BFloat16>({1.00390625f})[0].bits == 0x3f80);  // half way: to even
    CHECK(std::isnan(static_cast<float>(converted<BFloat16>({NAN})[0])));
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
    CHECK(e4m3(INFINITY) == 0x7f);
    CHECK(e4m3(-INFINITY) == 0xff);
    CHECK(e4m3(NAN) == 0x7f);
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
    CHECK(e5m2(NAN) == 0x7f);
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
    CHECK(converted<std::uint16_t>({-1.f, 70000.f, 2.9f, NAN}) == std::vector<std::uint16_t>{0, 65535, 2, 0});
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
}
