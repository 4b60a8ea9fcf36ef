// SPDX-License-Identifier: MIT
#include "teff/nn/metrics.h"

#include <cmath>

#include "nn/nets.h"

using namespace teff;
using namespace teff::nn_testing;
using metrics::Accuracy;
using metrics::ConfusionMatrix;

namespace {

double accuracy_of(const Tensor& scores, const Tensor& targets, std::int64_t k) {
  Accuracy accuracy(k);
  accuracy.add(scores, targets);
  return accuracy.value();
}

}  // namespace

TEST_CASE("accuracy counts targets among the highest scores, batch after batch") {
  const Tensor scores = tensor<float>({{0.1f, 0.7f, 0.2f}, {0.5f, 0.1f, 0.4f}, {0.2f, 0.3f, 0.5f}, {3, 2, 1}});
  const Tensor targets = tensor<std::int64_t>({1, 2, 2, 2});
  CHECK(accuracy_of(scores, targets, 1) == 0.5);
  CHECK(accuracy_of(scores.to(DType::float64), targets, 2) == 0.75);
  CHECK(accuracy_of(scores, targets, 3) == 1);
  CHECK(accuracy_of(scores, targets, 9) == 1);
  Accuracy accuracy;
  CHECK(accuracy.value() == 0);
  accuracy.add(scores, targets);
  accuracy.add(scores.slice(0, 0, 1), targets.slice(0, 0, 1));
  CHECK(accuracy.correct() == 3);
  CHECK(accuracy.count() == 5);
}

TEST_CASE("accuracy agrees with argmax where scores are equal or NaN") {
  const Tensor scores = tensor<float>({{1, 1, 0}, {NAN, 5, 1}, {2, NAN, NAN}, {-INFINITY, -INFINITY, -INFINITY}});
  const Tensor first = scores.argmax(1);
  CHECK(accuracy_of(scores, first, 1) == 1);
  CHECK(accuracy_of(scores, tensor<std::int64_t>({1, 1, 2, 1}), 1) == 0);
  CHECK(accuracy_of(scores, tensor<std::int64_t>({1, 1, 2, 1}), 2) == 1);
}

TEST_CASE("a confusion matrix has targets in rows and predictions in columns") {
  ConfusionMatrix matrix(3);
  CHECK(matrix.accuracy() == 0);
  matrix.add(tensor<std::int64_t>({0, 1, 1, 0}), tensor<std::int64_t>({0, 0, 1, 0}));
  matrix.add(tensor<float>({{0, 0, 1}, {0, 2, 1}}), tensor<std::int64_t>({1, 1}));
  CHECK(Value(matrix.counts()) == Value(tensor<std::int64_t>({{2, 1, 0}, {0, 2, 1}, {0, 0, 0}})));
  CHECK(matrix.accuracy() == doctest::Approx(4.0 / 6));
  CHECK(matrix.precision() == std::vector<double>{1, 2.0 / 3, 0});
  CHECK(matrix.recall() == std::vector<double>{2.0 / 3, 2.0 / 3, 0});
}

TEST_CASE("batches that do not fit are refused and not counted") {
  Accuracy accuracy;
  ConfusionMatrix matrix(3);
  const Tensor scores = zeros({2, 3}), targets = zeros({2}, {.dtype = DType::int64});
  CHECK(error_of<ValueError>([] { Accuracy(0); }) == "Accuracy: expected k >= 1, got 0");
  CHECK(error_of<ValueError>([] { ConfusionMatrix(0); }) == "ConfusionMatrix: expected classes >= 1, got 0");
  CHECK(error_of<ShapeError>([&] { accuracy.add(zeros({3}), targets); }) ==
        "Accuracy: expected scores [N, C], got float32 [3]");
  CHECK(error_of<TypeError>([&] { accuracy.add(scores, zeros({2})); }) ==
        "Accuracy: expected targets int64, got float32 [2]");
  CHECK(error_of<ShapeError>([&] { accuracy.add(scores, arange(3)); }) ==
        "Accuracy: expected targets [2], got int64 [3]");
  CHECK(error_of<IndexError>([&] {
          accuracy.add(scores, tensor<std::int64_t>({0, 3}));
        }) == "Accuracy: expected targets in [0, 3), got 3");
  CHECK(error_of<ShapeError>([&] {
          matrix.add(zeros({2, 4}), targets);
        }) == "ConfusionMatrix: expected scores [N, 3], got float32 [2, 4]");
  CHECK(error_of<IndexError>([&] {
          matrix.add(tensor<std::int64_t>({0, -1}), targets);
        }) == "ConfusionMatrix: expected predictions in [0, 3), got -1");
  CHECK_THROWS_AS(matrix.add(tensor<std::int64_t>({0, 1}), tensor<std::int64_t>({0, 7})), IndexError);
  CHECK(accuracy.count() == 0);
  CHECK(Value(matrix.counts()) == Value(zeros({3, 3}, {.dtype = DType::int64})));
}
