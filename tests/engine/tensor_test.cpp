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
    const std::vector<double> values = {0,   -0.0, 0.5,  -0.25, 1,    -1,   127.9, 128,      255,       256,  300,
                                        3e9, -3e9, 1e20, -1e20, 1e39, 2.75, NAN,   INFINITY, -INFINITY, 65536};
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
    CHECK(tensor({NAN}).item<int>() == 0);
    CHECK(tensor({-1}).item<unsigned>() == 0);
    CHECK(tensor({-1}).item<std::uint64_t>() == 0);
    CHECK(tensor<double>({1e19}).item<std::uint64_t>() == 10000000000000000000u);
    CHECK(tensor<double>({1e20}).item<std::uint64_t>() == UINT64_MAX);
    CHECK(tensor({70000}).item<std::uint16_t>() == 65535);
    CHECK(tensor({70000}).item<short>() == 32767);
    CHECK(tensor({5}).item<long long>() == 5);
    CHECK(tensor({9007199254740993}).item<std::int64_t>() == 9007199254740993);
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
