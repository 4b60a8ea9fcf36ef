// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>

#include "engine/ops/op_test.h"
#include "teff/engine/random.h"

using namespace teff;

TEST_SUITE("sort and topk") {
  TEST_CASE("long rows are sorted as std::stable_sort sorts them") {
    Generator generator(3);
    for (const std::int64_t size : {1023, 1024, 5000}) {
      const Tensor x = randint(-40, 40, {size}, generator);
      for (const DType dtype : {DType::int64, DType::float32, DType::float64, DType::int8, DType::bfloat16}) {
        std::vector<std::int64_t> order(static_cast<std::size_t>(size));
        std::iota(order.begin(), order.end(), 0);
        const std::int64_t* values = x.data<std::int64_t>();
        std::stable_sort(order.begin(), order.end(), [=](auto a, auto b) { return values[a] > values[b]; });
        const auto [sorted, indices] = sort(x.to(dtype), 0, true);
        CHECK(std::equal(order.begin(), order.end(), indices.data<std::int64_t>()));
        const auto [largest, places] = topk(x.to(dtype), 99, 0);
        CHECK(std::equal(order.begin(), order.begin() + 99, places.data<std::int64_t>()));
        CHECK(show(largest) == show(sorted.slice(0, 0, 99)));
      }
    }
  }

  TEST_CASE("keys of 64 bits use all of them") {
    const Tensor x = tensor<std::int64_t>({1, kHuge, -kHuge, kHuge + 1, 0, -1});
    CHECK(show(argsort(x)) == "int64 [6]: 2 5 4 0 1 3");
    std::vector<std::int64_t> many;
    for (std::int64_t i = 0; i < 3000; ++i) many.push_back((i * 2654435761) % 3000 * (kHuge / 4000) - kHuge / 2);
    const Tensor sorted = tensor(many).sort().values;
    CHECK(std::is_sorted(sorted.span<std::int64_t>().begin(), sorted.span<std::int64_t>().end()));
  }

  TEST_CASE("float16 and uint64 are sorted by their values") {
    CHECK(show(tensor<float>({1.5, -2, 0.25, -0.5}).to(DType::float16).sort().values) ==
          "float16 [4]: -2 -0.5 0.25 1.5");
    const Tensor x = tensor<std::uint64_t>(std::vector<std::uint64_t>{~std::uint64_t{0}, 1, std::uint64_t{1} << 63});
    CHECK(show(argsort(x)) == "int64 [3]: 1 2 0");
  }

  TEST_CASE("refuse a k that is not there") {
    CHECK_THROWS_WITH_AS(topk(zeros({2, 3}), 4), "topk: expected k in [0, 3] for dimension -1 of input [2, 3], got 4",
                         ValueError);
    CHECK_THROWS_WITH_AS(kthvalue(zeros({2, 3}), 0),
                         "kthvalue: expected k in [1, 3] for dimension -1 of input [2, 3], got 0", ValueError);
    CHECK_THROWS_WITH_AS(sort(zeros({2}), 1), "sort: expected a dimension in [-1, 1) for input [2], got 1", IndexError);
    CHECK(kthvalue(counting({2, 3}), 2).values.shape() == Shape{2});
  }

  TEST_CASE("every NaN is a unique value of its own") {
    const UniqueResult result = unique(tensor<float>({float(kNan), 1, float(kNan), 1}));
    CHECK(result.values.numel() == 3);
    CHECK(show(result.counts) == "int64 [3]: 2 1 1");
  }
}
