// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("losses") {
  TEST_CASE("nll_loss picks the target's entry of each row") {
    const Tensor x = tensor<float>({-1, -2, -3, -4, -5, -6}, {2, 3});
    const Tensor target = tensor<std::int64_t>({2, 0});
    CHECK(show(nll_loss(x, target, Reduction::none)) == "float32 [2]: 3 4");
    CHECK(show(nll_loss(x, target, Reduction::sum)) == "float32 []: 7");
    CHECK(show(nll_loss(x, target)) == "float32 []: 3.5");
  }

  TEST_CASE("nll_loss takes dimensions after the classes") {
    const Tensor x = leaf({-1, -2, -3, -4}, {1, 2, 2});
    const Tensor loss = nll_loss(x, tensor<std::int64_t>({1, 0}, {1, 2}));
    CHECK(show(loss) == "float32 []: 2.5");
    loss.backward();
    CHECK(show(x.grad()) == "float32 [1, 2, 2]: 0 -0.5 -0.5 0");
  }

  TEST_CASE("a target that is no class is named before anything is computed") {
    CHECK_THROWS_WITH_AS(nll_loss(zeros({2, 10}), tensor<std::int64_t>({9, 10})),
                         "nll_loss: expected targets in [0, 10), got 10 at index 1", IndexError);
    CHECK_THROWS_WITH_AS(cross_entropy(zeros({1, 10}), tensor<std::int64_t>({-1})),
                         "cross_entropy: expected targets in [0, 10), got -1 at index 0", IndexError);
  }

  TEST_CASE("shapes and dtypes must fit") {
    const Tensor logits = zeros({2, 10});
    CHECK_THROWS_WITH_AS(cross_entropy(logits, zeros({2})),
                         "cross_entropy: expected target of int64 class indices, got float32; convert it with "
                         "to(DType::int64)",
                         TypeError);
    CHECK_THROWS_WITH_AS(cross_entropy(logits, tensor<std::int64_t>({1, 2, 3})),
                         "cross_entropy: expected target [2] to match input [2, 10], got target [3]", ShapeError);
    CHECK_THROWS_WITH_AS(nll_loss(zeros({10}), tensor<std::int64_t>({1})),
                         "nll_loss: expected input [N, C, ...], got input [10]", ShapeError);
    CHECK_THROWS_WITH_AS(mse_loss(zeros({2, 1}), zeros({2})),
                         "mse_loss: expected target [2, 1] to match input [2, 1], got target [2]", ShapeError);
  }

  TEST_CASE("mse_loss") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 5}, {2});
    CHECK(show(mse_loss(a, b, Reduction::none)) == "float32 [2]: 4 9");
    CHECK(show(mse_loss(a, b, Reduction::sum)) == "float32 []: 13");
    mse_loss(a, b).backward();
    CHECK(show(a.grad()) == "float32 [2]: -2 -3");
    CHECK(show(b.grad()) == "float32 [2]: 2 3");
  }

  TEST_CASE("the mean over nothing is NaN") {
    CHECK(show(mse_loss(zeros({0}), zeros({0}))) == "float32 []: nan");
    CHECK(show(nll_loss(zeros({0, 3}), zeros({0}, {.dtype = DType::int64}))) == "float32 []: nan");
  }

  TEST_CASE("classes have weights, and the mean is weighted") {
    const Tensor x = leaf({-1, -2, -3, -4}, {2, 2});
    const Tensor target = tensor<std::int64_t>({0, 1}), weight = tensor<float>({1, 3});
    CHECK(show(nll_loss(x, target, {.weight = weight, .reduction = Reduction::none})) == "float32 [2]: 1 12");
    const Tensor loss = nll_loss(x, target, {.weight = weight});
    CHECK(show(loss) == "float32 []: 3.25");
    loss.backward();
    CHECK(show(x.grad()) == "float32 [2, 2]: -0.25 0 0 -0.75");
    CHECK_THROWS_WITH_AS(nll_loss(x, target, {.weight = zeros({3})}),
                         "nll_loss: expected weight [2] to match input [2, 2], got weight [3]", ShapeError);
    CHECK_THROWS_AS(nll_loss(x, target, {.weight = zeros({2}, {.dtype = DType::float64})}), TypeError);
  }

  TEST_CASE("ignored targets count for nothing, whatever their number is") {
    const Tensor x = leaf({-1, -2, -3, -4}, {2, 2});
    const Tensor loss = nll_loss(x, tensor<std::int64_t>({-100, 1}));
    CHECK(show(loss) == "float32 []: 4");
    loss.backward();
    CHECK(show(x.grad()) == "float32 [2, 2]: 0 0 0 -1");
    CHECK(show(nll_loss(x, tensor<std::int64_t>({1, 0}), {.ignore_index = 1})) == "float32 []: 3");
  }

  TEST_CASE("cross_entropy takes probabilities in place of classes") {
    const Tensor logits = randn({3, 4}, {.dtype = DType::float64}).requires_grad_();
    const Tensor classes = tensor<std::int64_t>({2, 0, 3});
    const Tensor probabilities = eye(4, {.dtype = DType::float64}).detach();
    const Tensor rows = index_select(probabilities, 0, classes);
    for (const double smoothing : {0.0, 0.25}) {
      const CrossEntropyOptions options{.label_smoothing = smoothing};
      const Tensor difference = cross_entropy(logits, classes, options) - cross_entropy(logits, rows, options);
      CHECK(difference.detach().abs().item<double>() < 1e-12);
    }
    CHECK_THROWS_WITH_AS(cross_entropy(logits, classes, {.label_smoothing = 1.5}),
                         "cross_entropy: expected label_smoothing in [0, 1], got 1.5", ValueError);
    CHECK_THROWS_WITH_AS(cross_entropy(logits, rows, {.label_smoothing = kNan}),
                         "cross_entropy: expected label_smoothing in [0, 1], got nan", ValueError);
  }

  TEST_CASE("losses of pairs") {
    const Tensor a = tensor<double>({0, 1, 4}), b = tensor<double>({0, 2, 1});
    CHECK(show(l1_loss(a, b, Reduction::none)) == "float64 [3]: 0 1 3");
    CHECK(show(smooth_l1_loss(a, b, Reduction::none, 2)) == "float64 [3]: 0 0.25 2");
    CHECK(show(huber_loss(a, b, Reduction::none, 2)) == "float64 [3]: 0 0.5 4");
    CHECK(show(kl_div(zeros({2, 2}), ones({2, 2}), Reduction::batchmean)) == "float32 []: 0");
    CHECK_THROWS_WITH_AS(smooth_l1_loss(a, b, Reduction::mean, -1), "smooth_l1_loss: expected beta >= 0, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(huber_loss(a, b, Reduction::mean, 0), "huber_loss: expected delta > 0, got 0", ValueError);
    CHECK_THROWS_WITH_AS(l1_loss(a, b, Reduction::batchmean),
                         "l1_loss: expected reduction none, mean or sum, got batchmean, which is for kl_div",
                         ValueError);
    CHECK_THROWS_AS(nll_loss(zeros({1, 2}), tensor<std::int64_t>({0}), Reduction::batchmean), ValueError);
    CHECK_THROWS_WITH_AS(kl_div(scalar_tensor(1.0), scalar_tensor(1.0), Reduction::batchmean),
                         "kl_div: expected input [N, ...] for reduction batchmean, got input []", ShapeError);
  }

  TEST_CASE("binary_cross_entropy takes probabilities only") {
    const Tensor target = tensor<float>({1});
    CHECK_THROWS_WITH_AS(binary_cross_entropy(tensor<float>({1.5}), target),
                         "binary_cross_entropy: expected input in [0, 1], got 1.5", ValueError);
    CHECK_THROWS_AS(binary_cross_entropy(tensor<float>({-0.5}), target), ValueError);
    CHECK(show(binary_cross_entropy(tensor<float>({float(kNan)}), target)) == "float32 []: nan");
  }

  TEST_CASE("a pos_weight of 1 changes nothing") {
    const Tensor x = randn({4, 3}, {.dtype = DType::float64}), target = rand({4, 3}, {.dtype = DType::float64});
    const Tensor one = ones({3}, {.dtype = DType::float64});
    CHECK(show(binary_cross_entropy_with_logits(x, target, {.pos_weight = one, .reduction = Reduction::none})) ==
          show(binary_cross_entropy_with_logits(x, target, {.reduction = Reduction::none})));
  }

  TEST_CASE("a reduction has a name in files") {
    const auto op = make_op("mse_loss", {{"reduction", "sum"}});
    CHECK(op->attributes() == Dict{{"reduction", "sum"}});
    CHECK_THROWS_WITH(make_op("mse_loss", {{"reduction", "median"}}),
                      doctest::Contains("expected \"none\", \"mean\", \"sum\" or \"batchmean\", got \"median\""));
  }
}
