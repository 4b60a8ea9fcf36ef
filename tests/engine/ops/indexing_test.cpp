// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("cat and stack") {
  TEST_CASE("join along any dimension, for every dtype") {
    const Tensor a = tensor<float>({1, 2}, {1, 2}), b = tensor<float>({3, 4}, {1, 2});
    CHECK(show(cat({a, b})) == "float32 [2, 2]: 1 2 3 4");
    CHECK(show(cat({a, b, a}, -1)) == "float32 [1, 6]: 1 2 3 4 1 2");
    CHECK(show(stack({a, b}, 2)) == "float32 [1, 2, 2]: 1 3 2 4");
    CHECK(show(cat({a.to(DType::int8), b.to(DType::int8)}, 1)) == "int8 [1, 4]: 1 2 3 4");
    CHECK(show(cat({zeros({0, 2}), a})) == "float32 [1, 2]: 1 2");
  }

  TEST_CASE("each part gets its gradient") {
    const Tensor a = leaf({1, 2}, {2, 1}), b = leaf({1, 2, 3, 4}, {2, 2});
    (cat({a, b}, 1) * counting({2, 3})).sum().backward();
    CHECK(show(a.grad()) == "float32 [2, 1]: 1 4");
    CHECK(show(b.grad()) == "float32 [2, 2]: 2 3 5 6");
  }

  TEST_CASE("refuse what does not fit") {
    CHECK_THROWS_WITH_AS(
        cat({zeros({2, 3}), zeros({2, 3}), zeros({3, 4})}, 1),
        "cat: expected tensors of equal shape but for dimension 1, got [2, 3] and, as tensor 2, [3, 4]", ShapeError);
    CHECK_THROWS_WITH_AS(stack({zeros({2}), zeros({3})}),
                         "stack: expected tensors of equal shape, got [2] and, as tensor 1, [3]", ShapeError);
    CHECK_THROWS_WITH_AS(cat({}), "cat: expected at least 1 tensor, got none", ShapeError);
    CHECK_THROWS_WITH_AS(cat({zeros({})}), "cat: expected an input of at least 1 dimension, got input []", ShapeError);
    CHECK_THROWS_AS(cat({zeros({1}), zeros({1}, {.dtype = DType::float64})}), TypeError);
  }
}

TEST_SUITE("slice and select") {
  TEST_CASE("cat takes empty lists beside tensors of any shape") {
    const Tensor none = zeros({0}).requires_grad_(), rows = ones({2, 3});
    const Tensor both = cat({none, rows, none, rows}, 1);
    CHECK(both.shape() == Shape{2, 6});
    both.sum().backward();
    CHECK(none.grad().shape() == Shape{0});
    CHECK(cat({rows, none}).shape() == Shape{2, 3});
    CHECK(cat({none, none}).shape() == Shape{0});
    CHECK(cat({none, ones({3})}).shape() == Shape{3});
    CHECK_THROWS_AS(cat({none, tensor<std::int64_t>({1})}), TypeError);
  }

  TEST_CASE("bounds are those of Python") {
    const Tensor x = counting({5});
    CHECK(show(slice(x, 0, 1, -1)) == "float32 [3]: 2 3 4");
    CHECK(show(slice(x, 0, -100, 100, 2)) == "float32 [3]: 1 3 5");
    CHECK(show(slice(x, 0, 4, 2)) == "float32 [0]:");
    CHECK(show(slice(x, 0, -kHuge, kHuge, kHuge)) == "float32 [1]: 1");
    CHECK(show(slice(counting({2, 3}), 1, 1)) == "float32 [2, 2]: 2 3 5 6");
  }

  TEST_CASE("dimension 0 shares elements, the others do not") {
    const Tensor x = counting({4, 3});
    CHECK(x.slice(0, 1, 3).shares_memory_with(x));
    CHECK(x[2].shares_memory_with(x));
    CHECK_FALSE(x.slice(0, 0, 4, 2).shares_memory_with(x));
    CHECK_FALSE(x.select(1, 0).shares_memory_with(x));
    CHECK(show(x[-1]) == "float32 [3]: 10 11 12");
    CHECK(show(x.select(1, -1)) == "float32 [4]: 3 6 9 12");
  }

  TEST_CASE("what was left out gets no gradient") {
    const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {2, 3});
    (slice(x, 1, 0, {}, 2) * counting({2, 2})).sum().backward();
    x[1].sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 3]: 1 0 2 4 1 5");
  }

  TEST_CASE("refuse what is not there") {
    CHECK_THROWS_WITH_AS(zeros({3, 2})[3],
                         "select: expected an index in [-3, 3) for dimension 0 of input [3, 2], got 3", IndexError);
    CHECK_THROWS_WITH_AS(zeros({})[0], "select: expected an input of at least 1 dimension, got input []", ShapeError);
    CHECK_THROWS_WITH_AS(slice(zeros({3}), 0, 0, {}, 0), "slice: expected a step of at least 1, got 0", ValueError);
    CHECK_THROWS_WITH_AS(slice(zeros({3}), 1, 0), "slice: expected a dimension in [-1, 1) for input [3], got 1",
                         IndexError);
  }
}

TEST_SUITE("index_select") {
  TEST_CASE("takes rows in any order, and adds the gradients of those taken twice") {
    const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {3, 2});
    const Tensor y = index_select(x, 0, tensor<std::int64_t>({2, 0, 2}));
    CHECK(show(y) == "float32 [3, 2]: 5 6 1 2 5 6");
    y.sum().backward();
    CHECK(show(x.grad()) == "float32 [3, 2]: 1 1 0 0 2 2");
    CHECK(show(index_select(x.detach().to(DType::uint8), 1, tensor<std::int64_t>({1}))) == "uint8 [3, 1]: 2 4 6");
  }

  TEST_CASE("refuses indices out of range") {
    CHECK_THROWS_WITH_AS(index_select(zeros({3, 2}), 1, tensor<std::int64_t>({0, 2})),
                         "index_select: expected indices in [0, 2) for input [3, 2], got 2 at index 1", IndexError);
    CHECK_THROWS_WITH_AS(index_select(zeros({3}), 0, zeros({1})),
                         "index_select: expected index int64 [n], got index float32 [1]", TypeError);
  }
}

TEST_SUITE("pad") {
  TEST_CASE("begins with the last dimension; negative amounts crop") {
    const Tensor x = counting({2, 2});
    CHECK(show(pad(x, {1, 0}, 9)) == "float32 [2, 3]: 9 1 2 9 3 4");
    CHECK(show(pad(x, {0, -1, 1, 0}, 9)) == "float32 [3, 1]: 9 1 3");
    CHECK(show(pad(x.to(DType::int64), {0, 1}, -1)) == "int64 [2, 3]: 1 2 -1 3 4 -1");
    CHECK(show(pad(x, {-1, -1})) == "float32 [2, 0]:");
    CHECK(show(pad(x, {3, -2}, 9)) == "float32 [2, 3]: 9 9 9 9 9 9");
  }

  TEST_CASE("the gradient comes from where the input lies") {
    const Tensor x = leaf({1, 2}, {2});
    (pad(x, {1, -1}) * counting({2})).sum().backward();
    CHECK(show(x.grad()) == "float32 [2]: 2 0");
  }

  TEST_CASE("refuses what does not fit") {
    CHECK_THROWS_WITH_AS(pad(zeros({2}), {1}),
                         "pad: expected padding {before, after} for at most the 1 dimensions of input [2], got [1]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(pad(zeros({2}), {-2, -1}),
                         "pad: expected padding that leaves sizes of at least 0, got padding [-2, -1] for input [2]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(pad(zeros({2}), {kHuge, 0}),
                         "pad: expected padding between -2^31 and 2^31, got [4611686018427387904, 0]", ValueError);
  }
}
