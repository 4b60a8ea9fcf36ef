// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

namespace {

/// `float32 [2]: 1 2 | float32 [1]: 3`
std::string show_all(const std::vector<Tensor>& pieces) {
  std::string text;
  for (const Tensor& piece : pieces) text += (text.empty() ? "" : " | ") + show(piece);
  return text;
}

}  // namespace

TEST_SUITE("split and chunk") {
  TEST_CASE("pieces of one size, the last as small as what is left") {
    CHECK(show_all(split(counting({5}), 2)) == "float32 [2]: 1 2 | float32 [2]: 3 4 | float32 [1]: 5");
    CHECK(show_all(counting({2, 3}).split(2, -1)) == "float32 [2, 2]: 1 2 4 5 | float32 [2, 1]: 3 6");
    CHECK(show_all(split(counting({2, 2}), 9, 1)) == "float32 [2, 2]: 1 2 3 4");
    CHECK(show_all(split(tensor<std::int64_t>({7, 8}), 1)) == "int64 [1]: 7 | int64 [1]: 8");
  }

  TEST_CASE("pieces of given sizes, some of which may be 0") {
    CHECK(show_all(split(counting({2, 3}), {1, 0, 2}, 1)) ==
          "float32 [2, 1]: 1 4 | float32 [2, 0]: | float32 [2, 2]: 2 3 5 6");
    CHECK(show_all(counting({2}).split({2})) == "float32 [2]: 1 2");
    const std::vector<std::int64_t> ones(20, 1);  // more than a shape has
    CHECK(counting({20}).split(ones).size() == 20);
  }

  TEST_CASE("chunk gives at most that many pieces") {
    CHECK(show_all(chunk(counting({5}), 2)) == "float32 [3]: 1 2 3 | float32 [2]: 4 5");
    CHECK(chunk(counting({6}), 4).size() == 3);
    CHECK(counting({3, 2}).chunk(9).size() == 3);
    CHECK(show_all(chunk(zeros({0, 2}), 2)) == "float32 [0, 2]: | float32 [0, 2]:");
    CHECK_THROWS_WITH_AS(chunk(zeros({3}), 0), "chunk: expected at least 1 chunk, got 0", ValueError);
  }

  TEST_CASE("more pieces than anybody wants are refused, also of nothing") {
    CHECK_THROWS_WITH_AS(split(zeros({1 << 21, 0}), 1), "split: expected at most 2^20 pieces, got 2097152", ShapeError);
  }

  TEST_CASE("there is one piece of nothing") {
    CHECK(show_all(split(zeros({0, 2}), 3)) == "float32 [0, 2]:");
    CHECK(show_all(split(zeros({0, 2}), 0)) == "float32 [0, 2]:");
    CHECK(show_all(split(zeros({0, 2}), {0, 0})) == "float32 [0, 2]: | float32 [0, 2]:");
    CHECK(show_all(split(zeros({0, 2}), 1, 1)) == "float32 [0, 1]: | float32 [0, 1]:");
  }

  TEST_CASE("pieces of dimension 0 share elements, others are copies") {
    const Tensor x = counting({4, 2});
    const std::vector<Tensor> rows = split(x, 3), columns = split(x, 1, 1);
    CHECK(rows[1].shares_memory_with(x));
    CHECK(rows[1].data<float>() == x.data<float>() + 6);
    CHECK_FALSE(columns[0].shares_memory_with(x));
    rows[1].zero_();
    CHECK(show(x) == "float32 [4, 2]: 1 2 3 4 5 6 0 0");
  }

  TEST_CASE("a change in place of a piece is noticed where the whole is needed") {
    const Tensor w = leaf({1, 2}, {2}), x = counting({2});
    const Tensor y = (w * x).sum();
    {
      const NoGradGuard no_grad;
      split(x, 1)[0].zero_();
    }
    CHECK_THROWS_AS(y.backward(), Error);
  }

  TEST_CASE("a split that cannot be is refused") {
    CHECK_THROWS_WITH_AS(split(zeros({4, 3}), 0),
                         "split: expected a split_size of at least 1 for dimension 0 of input [4, 3], got 0",
                         ValueError);
    CHECK_THROWS_WITH_AS(split(zeros({0, 3}), -1),
                         "split: expected a split_size of at least 0 for dimension 0 of input [0, 3], got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(split(zeros({4, 3}), {1, 1}, 1),
                         "split_with_sizes: expected sizes with the sum 3 for dimension 1 of input [4, 3], got the "
                         "sum 2",
                         ShapeError);
    CHECK_THROWS_AS(split(zeros({4}), {kHuge, kHuge, 4}), ShapeError);
    CHECK_THROWS_WITH_AS(split(zeros({4}), {5, -1}), "split_with_sizes: expected sizes of at least 0, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(split(zeros({0}), std::vector<std::int64_t>()),
                         "split_with_sizes: expected at least 1 size, got none", ValueError);
    CHECK_THROWS_WITH_AS(split(scalar_tensor(1.0f), 1),
                         "split: expected an input of at least 1 dimension, got input []", ShapeError);
    CHECK_THROWS_AS(split(zeros({4}), 1, 1), IndexError);
    CHECK_THROWS_AS(chunk(zeros({4}), 2, -2), IndexError);
  }

  TEST_CASE("each piece's gradient goes to its place, 0 where none came") {
    const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {2, 3});
    const std::vector<Tensor> pieces = split(x, {1, 2}, 1);
    (pieces[0] * 2.0).sum().backward({}, {.retain_graph = true});
    CHECK(show(x.grad()) == "float32 [2, 3]: 2 0 0 2 0 0");
    (pieces[1] * pieces[1]).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 3]: 2 4 6 2 10 12");
    const Tensor y = leaf({1, 2, 3}, {3});
    const std::vector<Tensor> each = split(y, 1);
    (each[0] * each[1] * each[2]).sum().backward();
    CHECK(show(y.grad()) == "float32 [3]: 6 3 2");
  }
}
