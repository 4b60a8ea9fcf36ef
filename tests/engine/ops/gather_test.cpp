// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"
#include "teff/engine/graph.h"

using namespace teff;

TEST_SUITE("gather and scatter") {
  TEST_CASE("move elements of every size") {
    const Tensor index = tensor<std::int64_t>({2, 0, 1, 1}, {2, 2});
    for (const DType dtype : {DType::uint8, DType::float16, DType::int32, DType::float64}) {
      const Tensor x = counting({3, 2}).to(dtype);
      CHECK(gather(x, 0, index).to(DType::int64).sum().item<int>() == 5 + 2 + 3 + 4);
      CHECK(scatter(zeros({3, 2}).to(dtype), 0, index, x).to(DType::int64).sum().item<int>() == 1 + 2 + 3 + 4);
    }
  }

  TEST_CASE("refuse indices that are not there") {
    const Tensor x = zeros({3, 2});
    CHECK_THROWS_WITH_AS(gather(x, 0, tensor<std::int64_t>({0, 3}, {1, 2})),
                         "gather: expected indices in [0, 3) for dimension 0 of input [3, 2], got 3 at place 1",
                         IndexError);
    CHECK_THROWS_WITH_AS(scatter_add(x, 1, tensor<std::int64_t>({-1}, {1, 1}), ones({1, 1})),
                         "scatter_add: expected indices in [0, 2) for dimension 1 of input [3, 2], got -1 at place 0",
                         IndexError);
    CHECK_THROWS_WITH_AS(gather(x, 0, zeros({1, 2})),
                         "gather: expected indices of int64, got float32; convert them with to(DType::int64)",
                         TypeError);
    CHECK_THROWS_WITH_AS(gather(x, 0, tensor<std::int64_t>({0, 0, 0}, {1, 3})),
                         "gather: expected an index of as many dimensions as input [3, 2], none larger but for "
                         "dimension 0, got index [1, 3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(scatter(x, 0, tensor<std::int64_t>({0, 0}, {1, 2}), ones({1, 1})),
                         "scatter: expected an index of as many dimensions as input [3, 2] and source [1, 1], none "
                         "larger than the source's or, but for dimension 0, the input's, got index [1, 2]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(scatter(x, 2, tensor<std::int64_t>({0}, {1, 1}), 1),
                         "scatter: expected a dimension in [-2, 2) for input [3, 2], got 2", IndexError);
  }

  TEST_CASE("in place: written, added, multiplied") {
    const Tensor x = counting({2, 3}), index = tensor<std::int64_t>({0, 0, 2}, {1, 3});
    CHECK(x.scatter_(1, index, 9).is(x));
    CHECK(show(x) == "float32 [2, 3]: 9 2 9 4 5 6");
    x.scatter_(1, index, ones({1, 3}), "add");
    CHECK(show(x) == "float32 [2, 3]: 11 2 10 4 5 6");
    x.scatter_(1, index, 3, "multiply");
    CHECK(show(x) == "float32 [2, 3]: 99 2 30 4 5 6");
    x.scatter_add_(0, tensor<std::int64_t>({1, 0, 1}, {1, 3}), counting({1, 3}));
    CHECK(show(x) == "float32 [2, 3]: 99 4 30 5 5 9");
    CHECK_THROWS_WITH_AS(x.scatter_(1, index, 1, "max"),
                         "scatter_: expected reduce \"add\" or \"multiply\", got \"max\"", ValueError);
    CHECK_THROWS_WITH_AS(x.scatter_(1, tensor<std::int64_t>({3}, {1, 1}), 1),
                         "scatter_: expected indices in [0, 3) for dimension 1 of input [2, 3], got 3 at place 0",
                         IndexError);
    CHECK_THROWS_AS(ones({2}).requires_grad_().scatter_(0, tensor<std::int64_t>({0}), 1), Error);
  }

  TEST_CASE("in place: entries of a dimension") {
    const Tensor x = counting({3, 2}), index = tensor<std::int64_t>({2, 0});
    x.index_add_(0, index, ones({2, 2}), 2);
    CHECK(show(x) == "float32 [3, 2]: 3 4 3 4 7 8");
    x.index_copy_(1, tensor<std::int64_t>({1}), zeros({3, 1}));
    CHECK(show(x) == "float32 [3, 2]: 3 0 3 0 7 0");
    x.index_fill_(0, index, -1);
    CHECK(show(x) == "float32 [3, 2]: -1 -1 3 0 -1 -1");
    CHECK_THROWS_WITH_AS(x.index_add_(0, index, ones({1, 2})), doctest::Contains("index_add_: expected source [2, 2]"),
                         ShapeError);
    CHECK_THROWS_AS(index_fill(x, 0, tensor<std::int64_t>({3}), 1), IndexError);
  }

  TEST_CASE("of repeated places the last is written, and a source may be the tensor itself") {
    CHECK(show(scatter(zeros({3}), 0, tensor<std::int64_t>({1, 1, 1}), counting({3}))) == "float32 [3]: 0 3 0");
    const Tensor x = counting({3});
    x.scatter_(0, tensor<std::int64_t>({2, 1, 0}), x);
    CHECK(show(x) == "float32 [3]: 3 2 1");
  }
}

TEST_SUITE("functions of places, order and products") {
  TEST_CASE("name themselves to undefined tensors") {
    const Tensor x = zeros({2, 2}), index = tensor<std::int64_t>({0}), none;
    const auto check = [](const char* name, const std::function<void()>& call) {
      CHECK_THROWS_WITH_AS(call(), doctest::Contains((std::string(name) + ": expected ").c_str()), TypeError);
    };
    check("gather", [=] { gather(none, 0, index); });
    check("scatter", [=] { scatter(none, 0, index, 1); });
    check("index_add", [=] { index_add(none, 0, index, x); });
    check("index_fill", [=] { index_fill(none, 0, index, 1); });
    check("take", [=] { take(none, index); });
    check("index", [=] { none.index({0}); });
    check("index", [=] { x.index({none}); });
    check("index_put_", [=] { x.index_put_({0}, none); });
    check("nonzero", [=] { nonzero(none); });
    check("masked_select", [=] { masked_select(x, none); });
    check("one_hot", [=] { one_hot(none); });
    check("bucketize", [=] { bucketize(x, none); });
    check("topk", [=] { topk(none, 1); });
    check("unique", [=] { unique(none); });
    check("repeat", [=] { repeat(none, {1}); });
    check("roll", [=] { roll(none, 1); });
    check("unbind", [=] { unbind(none); });
    check("meshgrid", [=] { meshgrid({x[0], none}); });
    check("bmm", [=] { bmm(x, none); });
    check("addmm", [=] { addmm(none, x, x); });
    check("einsum", [=] { einsum("ij->i", {none}); });
    check("cdist", [=] { cdist(none, x); });
    check("normalize", [=] { normalize(none); });
    check("pixel_shuffle", [=] { pixel_shuffle(none, 2); });
    check("full_like", [=] { full_like(none, 1); });
    check("multinomial", [=] { multinomial(none, 1); });
  }
}

TEST_SUITE("functions that read values") {
  TEST_CASE("are refused while a graph is captured") {
    const Tensor x = counting({4});
    const auto refused = [&](const std::function<Tensor(const Tensor&)>& function) {
      const GraphFunction as_graph = [&](std::span<const Tensor> inputs) {
        return std::vector<Tensor>{function(inputs[0])};
      };
      CHECK_THROWS_WITH_AS(capture(as_graph, std::vector<Tensor>{x}, {}),
                           doctest::Contains("while a graph is captured"), Error);
    };
    refused([](const Tensor& t) { return nonzero(t); });
    refused([](const Tensor& t) { return masked_select(t, t > 2.0); });
    refused([](const Tensor& t) { return t.index({t > 2.0}); });
    refused([](const Tensor& t) { return unique(t).values; });
    refused([](const Tensor& t) { return histc(t); });
    refused([](const Tensor& t) { return bincount(t.to(DType::int64)); });
    refused([](const Tensor& t) { return one_hot(t.to(DType::int64)); });
    refused([](const Tensor& t) { return repeat_interleave(t, t.to(DType::int64)); });
    refused([](const Tensor& t) { return multinomial(t, 1); });
  }

  TEST_CASE("refuse what they cannot count") {
    CHECK_THROWS_WITH_AS(bincount(tensor<std::int64_t>({1, -1})), "bincount: expected values in [0, 2^31), got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(one_hot(tensor<std::int64_t>({1, 3}), 3),
                         "one_hot: expected indices in [0, 3), got 3 at place 1", IndexError);
    CHECK_THROWS_AS(histc(zeros({2}), 0), ValueError);
    CHECK_THROWS_WITH_AS(masked_select(zeros({2}), zeros({2})),
                         "masked_select: expected a mask of bool, got float32 [2]", TypeError);
  }

  TEST_CASE("a mask from a file may be any byte") {
    const Tensor mask = tensor<bool>({true, false, true});
    static_cast<unsigned char*>(mask.raw_data())[2] = 77;
    CHECK(show(nonzero(mask)) == "int64 [2, 1]: 0 2");
  }
}
