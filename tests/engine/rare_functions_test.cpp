// SPDX-License-Identifier: MIT

// Functions that are made of many operations: what rare.golden does not say of them.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/error_of.h"
#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/graph.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr double kRareInf = std::numeric_limits<double>::infinity();

Tensor rare_leaf(std::vector<double> values, const Shape& shape) { return tensor(values, shape).requires_grad_(); }

void check_second(const GradcheckFunction& function, const std::vector<Tensor>& inputs) {
  CHECK_NOTHROW(gradcheck(function, inputs));
  CHECK_NOTHROW(gradgradcheck(function, inputs));
}

}  // namespace

TEST_SUITE("rare_functions") {
  TEST_CASE("they have second derivatives") {
    check_second([](std::span<const Tensor> x) { return lgamma(x[0]); }, {rare_leaf({0.7, 3.2, -1.4, 12}, {4})});
    check_second([](std::span<const Tensor> x) { return digamma(x[0]); }, {rare_leaf({0.7, 3.2, -1.4, 12}, {4})});
    check_second([](std::span<const Tensor> x) { return quantile(x[0], x[1], 1); },
                 {rare_leaf({3, 1, 2, 7, 5, 4}, {2, 3}), rare_leaf({0.3, 0.8}, {2})});
    check_second([](std::span<const Tensor> x) { return cummax(x[0] * x[0], 0).values; }, {rare_leaf({1, 3, 2}, {3})});
    const Tensor index = tensor<std::int64_t>({0, 2, 0, 0, 2});
    for (const char* reduce : {"sum", "prod", "mean", "amax", "amin"}) {
      CAPTURE(reduce);
      for (const bool include_self : {true, false}) {
        check_second(
            [&](std::span<const Tensor> x) {
              const Tensor y = scatter_reduce(x[0], 0, index, x[1], reduce, include_self);
              return y * y;
            },
            {rare_leaf({1.5, 2.5, -0.5}, {3}), rare_leaf({0.5, 2, 1, -1, 3}, {5})});
      }
    }
  }

  TEST_CASE("the greatest of one that is not finite is recorded, too") {
    const Tensor x = rare_leaf({-kRareInf, -kRareInf}, {2}), source = rare_leaf({kRareInf, 3, kRareInf}, {3});
    const Tensor y = scatter_reduce(x, 0, tensor<std::int64_t>({0, 1, 0}), source, "amax");
    CHECK(same(y.detach(), tensor<double>({kRareInf, 3})));
    y.sum().backward();
    CHECK(same(source.grad(), tensor<double>({0.5, 1, 0.5})));
    CHECK(same(x.grad(), tensor<double>({0, 0})));
  }

  TEST_CASE("they can be captured, and replayed with other values") {
    const auto function = [](std::span<const Tensor> x) -> std::vector<Tensor> {
      const Tensor index = argsort(x[0].detach(), 1);
      return {scatter_reduce(x[0], 1, index, x[0], "amax"),
              scatter_reduce(x[0], 1, index, x[0], "prod"),
              cummax(x[0], 1).values,
              quantile(x[0], 0.3, 1),
              lgamma(x[0]),
              digamma(x[0]),
              masked_scatter(x[0], x[0] > 0.5, flatten(x[0]))};
    };
    const Tensor first = tensor<float>({0.25F, 3, 1, 2, 4, -0.5F}, {2, 3});
    const Tensor second = tensor<float>({2, -1.5F, 0.75F, 9, 1, 5, 4, 6, 0.5F}, {3, 3});
    const std::vector<Tensor> example{first}, inputs{second};
    const std::vector<Tensor> replayed = GraphExecutor(capture(function, example, {}), {}).run(inputs),
                              expected = function(inputs);
    REQUIRE(replayed.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK_NOTHROW(assert_close(replayed[i], expected[i]));
  }

  TEST_CASE("what they cannot do is refused") {
    const Tensor x = ones({2, 3}), index = zeros({2, 3}, {.dtype = DType::int64});
    CHECK(error_of<ValueError>([&] { scatter_reduce(x, 1, index, x, "max"); }) ==
          "scatter_reduce: expected reduce sum, prod, mean, amax or amin, got max");
    CHECK(error_of<IndexError>([&] { scatter_reduce(x, 1, index + 3, x, "amax"); }).starts_with("scatter_reduce: "));
    CHECK(error_of<ValueError>([&] { masked_scatter(x, x > 0, ones({5})); }) ==
          "masked_scatter: expected a source with an element for each of 6 places, got source [5]");
    CHECK(error_of<TypeError>([&] { masked_scatter(x, x, ones({6})); }).starts_with("masked_scatter: expected a bool"));
    CHECK(error_of<ValueError>([&] { quantile(x, 1.5); }) == "quantile: expected q in [0, 1], got 1.5");
    CHECK(error_of<ValueError>([&] {
            nanquantile(x, tensor<float>({0.5F, NAN}));
          }) == "nanquantile: expected q in [0, 1], got nan");
    CHECK(error_of<ValueError>([&] { quantile(x, 0.5, 0, {.interpolation = "cubic"}); }) ==
          "quantile: expected interpolation linear, lower, higher, midpoint or nearest, got cubic");
    CHECK(error_of<TypeError>([&] { quantile(x, tensor<double>({0.5})); }) ==
          "quantile: expected q [k] or [] of the input's float32, got q float64 [1]");
    CHECK(error_of<ShapeError>([&] { quantile(ones({0}), 0.5); }) ==
          "quantile: expected an input with elements, got input [0]");
    CHECK(error_of<IndexError>([&] { cummax(x, 2); }).starts_with("cummax: "));
    CHECK(error_of<TypeError>([&] { lgamma(Tensor()); }) == "lgamma: expected a defined tensor, got an undefined one");
  }

  TEST_CASE("clamp without any bound is no riddle, but refused") {
    const Tensor x = ones({2});
    CHECK(error_of<ValueError>([&] { clamp(x, {}, {}); }) == "clamp: expected a minimum or a maximum, got neither");
    CHECK(error_of<ValueError>([&] { clamp(x, {}); }) == "clamp: expected a minimum or a maximum, got neither");
    CHECK(error_of<ValueError>([&] { x.clamp({}, {}); }) == "clamp: expected a minimum or a maximum, got neither");
    CHECK(same(clamp(x, {}, 0), zeros({2})));
    CHECK(same(clamp(x, 0, 0), zeros({2})));
    CHECK(same(clamp(x, {}, zeros({2})), zeros({2})));
  }

  TEST_CASE("infinity fits a double, and 2^63 - 1 does not") {
    CHECK(Scalar(kRareInf).fits_double());
    CHECK(Scalar(-kRareInf).fits_double());
    CHECK(Scalar(1e300).fits_double());
    CHECK_FALSE(Scalar(INT64_MAX).fits_double());
    CHECK_FALSE(Scalar(INT64_MAX - 1).fits_double());
    CHECK(Scalar(INT64_MIN).fits_double());
  }

  TEST_CASE("losses of what is masked are 0, not NaN, whatever was masked") {
    const Tensor x = rare_leaf({kRareInf, 1, 0, 2}, {2, 2}), other = rare_leaf({1, 0, 0, 1}, {2, 2});
    const Tensor target = tensor<double>({-1, 1}), apart = tensor<double>({0.5, -kRareInf});
    const Tensor hinge = hinge_embedding_loss(apart, target, 1, Reduction::none);
    CHECK(same(hinge, tensor<double>({0.5, -kRareInf})));
    const Tensor margin = rare_leaf({-kRareInf, kRareInf}, {2});
    const Tensor masked = hinge_embedding_loss(margin, tensor<double>({1, -1}), 1, Reduction::none);
    CHECK(same(masked.detach(), tensor<double>({-kRareInf, 0})));
    masked.sum().backward();
    CHECK(same(margin.grad(), tensor<double>({1, 0})));
  }

  TEST_CASE("recorded gradients of products hold infinities as the plain ones do") {
    for (const std::vector<double>& values : {std::vector<double>{2, kRareInf, 3, 0.5},
                                              {1, 2, 3, kRareInf},
                                              {kRareInf, 2, -1, 4},
                                              {2, 1, -kRareInf, kRareInf}}) {
      const Tensor x = rare_leaf(values, {4}), weights = tensor<double>({1, -2, 0.5, 3});
      for (const Tensor& y : {prod(x), prod(x, 0), cumprod(x, 0)}) {
        const Tensor g = y.dim() == 0 ? tensor<double>({2}).view({}) : weights;
        const auto plain = autograd::grad({y}, {x}, {.grad_outputs = {g}, .retain_graph = true});
        const auto recorded = autograd::grad({y}, {x}, {.grad_outputs = {g}, .create_graph = true});
        CHECK_NOTHROW(assert_close(recorded[0].detach(), plain[0], {0, 0, true}));
      }
    }
  }

  TEST_CASE("the formula of ctc_loss holds lengths that differ, repeated labels and impossible ones") {
    const Tensor logits = rare_leaf({0.3, -1,  0.5,  1.2, 0.1,  -0.4, 0.8, -0.2, 0.9, -0.6, 0.2, 0.7,
                                     0.4, 0.6, -0.9, 0.5, -0.3, 1.1,  0.2, -0.8, 0.6, 0.3,  0.1, -0.5},
                                    {4, 2, 3});
    const Tensor lengths = tensor<std::int64_t>({4, 2});
    for (const Tensor& labels : {tensor<std::int64_t>({2, 3}), tensor<std::int64_t>({0, 1})}) {
      const Tensor targets = tensor<std::int64_t>({1, 1, 2, 1, 2, 2}, {2, 3});
      const auto loss = [&](std::span<const Tensor> x) {
        return ctc_loss(log_softmax(x[0], 2), targets, lengths, labels,
                        {.reduction = Reduction::sum, .zero_infinity = true});
      };
      check_second(loss, {logits});
      const Tensor y = loss(std::vector<Tensor>{logits});
      const auto plain = autograd::grad({y}, {logits}, {.retain_graph = true});
      const auto recorded = autograd::grad({y}, {logits}, {.create_graph = true});
      CHECK_NOTHROW(assert_close(recorded[0].detach(), plain[0], {1e-10, 1e-12}));
    }
  }

  TEST_CASE("embedding_bag and the margin losses have second derivatives in all their ways") {
    const Tensor weight = rare_leaf({0.5, -1, 2, 0.25, 1.5, -0.75, 1, 3}, {4, 2});
    const Tensor indices = tensor<std::int64_t>({1, 3, 3, 0, 2}), offsets = tensor<std::int64_t>({0, 2, 2});
    for (const auto mode : {EmbeddingBagMode::sum, EmbeddingBagMode::mean, EmbeddingBagMode::max}) {
      check_second(
          [&](std::span<const Tensor> x) {
            const Tensor y = embedding_bag(indices, x[0], {.offsets = offsets, .mode = mode, .padding_idx = 2});
            return y * y * y;
          },
          {weight});
    }
    check_second(
        [&](std::span<const Tensor> x) {
          const Tensor y = embedding_bag(
              indices, x[0], {.offsets = offsets, .per_sample_weights = x[1], .mode = EmbeddingBagMode::sum});
          return y * y;
        },
        {weight, rare_leaf({0.5, 2, -1, 3, 1}, {5})});
    const Tensor scores = rare_leaf({0.3, -0.2, 0.9, 0.1, 0.7, -0.5}, {2, 3});
    for (const int p : {1, 2}) {
      check_second(
          [&](std::span<const Tensor> x) {
            const Tensor loss = multi_margin_loss(x[0], tensor<std::int64_t>({2, 0}),
                                                  {.p = p, .margin = 0.7, .weight = tensor<double>({1, 2, 0.5})});
            return loss * loss;
          },
          {scores});
    }
    check_second(
        [&](std::span<const Tensor> x) {
          const Tensor loss = multilabel_margin_loss(x[0], tensor<std::int64_t>({2, 0, -1, 1, -1, 0}, {2, 3}));
          return loss * loss;
        },
        {scores});
  }
}
