// SPDX-License-Identifier: MIT
#include "teff/nn/train/scores.h"

#include <doctest/doctest.h>

#include <cmath>

#include "golden/augment_golden.h"
#include "golden/train_golden.h"
#include "support/error_of.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/train/early_stopping.h"

using namespace teff;
using namespace teff::golden::train;
using testing::error_of;

namespace {

template <class T>
Tensor row_of(const std::vector<T>& values) {
  return tensor(values, {static_cast<std::int64_t>(values.size())});
}

void check_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("scores of a confusion matrix follow their formulas") {
  metrics::ConfusionMatrix matrix(4);
  matrix.add(row_of(kPredictions), row_of(kTargets));
  check_near(metrics::f1(matrix), kF1);
  check_near(metrics::iou(matrix), kIou);
  check_near({metrics::precision_macro(matrix), metrics::recall_macro(matrix), metrics::f1_macro(matrix),
              metrics::f1_micro(matrix), metrics::mean_iou(matrix)},
             kMeans);
}

TEST_CASE("classes that do not occur are left out of the means") {
  metrics::ConfusionMatrix matrix(5);
  CHECK(std::isnan(metrics::f1_macro(matrix)));
  matrix.add(tensor<std::int64_t>({0, 2}), tensor<std::int64_t>({0, 1}));
  CHECK(metrics::f1(matrix) == std::vector<double>{1, 0, 0, 0, 0});
  CHECK(metrics::f1_macro(matrix) == doctest::Approx(1.0 / 3));
  CHECK(metrics::mean_iou(matrix) == doctest::Approx(1.0 / 3));
}

TEST_CASE("the area under the ROC counts pairs, batch after batch") {
  metrics::RocAuc auc;
  const Tensor values = row_of(kValues), kinds = row_of(kKinds);
  auc.add(values.slice(0, 0, 13), kinds.slice(0, 0, 13));
  auc.add(values.slice(0, 13).to(DType::float32), kinds.slice(0, 13));
  CHECK(auc.value() == doctest::Approx(kAuc[0]).epsilon(1e-12));
  metrics::RocAuc one_kind;
  one_kind.add(ones({2}), tensor<std::int64_t>({1, 1}));
  CHECK(error_of<ValueError>([&] { static_cast<void>(one_kind.value()); }) ==
        "RocAuc: expected examples with target 0 and with target 1, got 0 and 2");
  CHECK(error_of<IndexError>([&] {
          auc.add(ones({2}), tensor<std::int64_t>({1, 2}));
        }) == "RocAuc: expected targets in [0, 2), got 2");
  CHECK(error_of<ValueError>([&] {
          auc.add(tensor<float>({1, NAN}), tensor<std::int64_t>({1, 0}));
        }) == "RocAuc: expected scores that are numbers, got nan");
  CHECK(error_of<ShapeError>([&] {
          auc.add(ones({2, 1}), tensor<std::int64_t>({1, 0}));
        }) == "RocAuc: expected scores [N] and targets [N], got [2, 1] and [2]");
  CHECK(auc.value() == doctest::Approx(kAuc[0]).epsilon(1e-12));
}

TEST_CASE("errors of regression follow their formulas, batch after batch") {
  metrics::RegressionScores scores;
  CHECK(scores.mse() == 0);
  CHECK(std::isnan(scores.r2()));
  const Tensor guessed = row_of(kGuessed), wanted = row_of(kWanted);
  scores.add(guessed.slice(0, 0, 7), wanted.slice(0, 0, 7));
  scores.add(guessed.slice(0, 7), wanted.slice(0, 7));
  check_near({scores.mse(), scores.rmse(), scores.mae(), scores.r2()}, kRegression);
  CHECK(scores.count() == 30);
  CHECK(error_of<ShapeError>([&] {
          scores.add(ones({2}), ones({1, 2}));
        }) == "RegressionScores: expected predictions and targets of one shape, got [2] and [1, 2]");
  metrics::RegressionScores constant;
  constant.add(ones({2}), ones({2}));
  CHECK(constant.r2() == 1);
  constant.add(zeros({1}), ones({1}));
  CHECK(constant.r2() == 0);
}

TEST_CASE("training ends when a number gets no better") {
  EarlyStopping stopping({.patience = 2, .min_delta = 0.1});
  CHECK(stopping.best_index() == -1);
  CHECK(stopping.add(1.0));
  CHECK_FALSE(stopping.add(0.95));  // not by enough
  CHECK_FALSE(stopping.stop());
  CHECK(stopping.add(0.5));
  CHECK_FALSE(stopping.add(NAN));
  CHECK_FALSE(stopping.stop());
  CHECK_FALSE(stopping.add(0.6));
  CHECK(stopping.stop());
  CHECK(stopping.best() == 0.5);
  CHECK(stopping.best_index() == 2);
}

TEST_CASE("training for the greatest number ends likewise") {
  EarlyStopping stopping({.patience = 1, .maximise = true});
  CHECK_FALSE(stopping.add(NAN));
  CHECK(stopping.stop());
  CHECK(stopping.add(0.2));
  CHECK_FALSE(stopping.stop());
  CHECK_FALSE(stopping.add(0.2));
  CHECK(stopping.stop());
  CHECK(error_of<ValueError>([] { EarlyStopping({.patience = 0}); }) == "EarlyStopping: expected patience >= 1, got 0");
}

TEST_CASE("early stopping goes on from a checkpoint, with a patience of its own") {
  EarlyStopping stopping({.patience = 3});
  for (const double value : {2.0, 1.0, 1.5, 1.25}) stopping.add(value);
  EarlyStopping resumed({.patience = 3}), shorter({.patience = 2});
  resumed.load_state_dict(stopping.state_dict());
  shorter.load_state_dict(stopping.state_dict());
  CHECK(shorter.stop());
  CHECK_FALSE(resumed.stop());
  CHECK_FALSE(resumed.add(1.0));
  CHECK(resumed.stop());
  CHECK(resumed.best() == 1);
  CHECK(resumed.best_index() == 1);
  EarlyStopping fresh, again;
  again.load_state_dict(fresh.state_dict());
  CHECK(again.add(1e300));
  EarlyStopping greatest({.maximise = true});
  CHECK(error_of<StateDictError>([&] { greatest.load_state_dict(stopping.state_dict()); }) ==
        "EarlyStopping: loaded state dict is not valid: EarlyStopping: expected maximise True, got False");
  Dict wrong = stopping.state_dict();
  *wrong.find("count") = 9;
  CHECK(error_of<StateDictError>([&] { resumed.load_state_dict(wrong); }) ==
        "EarlyStopping: loaded state dict is not valid: EarlyStopping: expected a count that ends since_best values "
        "behind the best, got 9");
  CHECK(error_of<StateDictError>([&] {
          resumed.load_state_dict({{"maximise", false}});
        }).starts_with("EarlyStopping: loaded state dict is not valid: "));
  CHECK(resumed.best() == 1);
}

TEST_CASE("weighted scores, correlation, classes against all others and average precision follow their formulas") {
  using golden::augment::kAveragePrecision, golden::augment::kClassAuc, golden::augment::kScores,
      golden::augment::kWeighted;
  const Tensor targets = row_of(golden::augment::kTargets);
  metrics::ConfusionMatrix matrix(4);
  CHECK(metrics::matthews(matrix) == 0);
  CHECK(std::isnan(metrics::f1_weighted(matrix)));
  matrix.add(row_of(golden::augment::kPredictions), targets);
  check_near({metrics::f1_weighted(matrix), metrics::matthews(matrix)}, kWeighted);
  const Tensor scores = tensor(kScores, {50, 4});
  metrics::ClassRocAuc auc(4);
  auc.add(scores.slice(0, 0, 20), targets.slice(0, 0, 20));
  auc.add(scores.slice(0, 20), targets.slice(0, 20));
  check_near(auc.values(), kClassAuc);
  CHECK(auc.macro() == doctest::Approx((kClassAuc[0] + kClassAuc[1] + kClassAuc[2] + kClassAuc[3]) / 4));
  metrics::RocAuc second;
  CHECK(error_of<ValueError>([&] { static_cast<void>(second.average_precision()); }) ==
        "RocAuc: expected examples with target 1, got none");
  second.add(scores.select(1, 1), eq(targets, 1).to(DType::int64));
  check_near({second.average_precision()}, kAveragePrecision);
  CHECK(error_of<ShapeError>([&] { auc.add(scores.select(1, 0), targets); }) ==
        "ClassRocAuc: expected scores [N, 4] and targets [N], got [50] and [50]");
  CHECK(error_of<IndexError>([&] { auc.add(scores, full({50}, 4, {.dtype = DType::int64})); }) ==
        "ClassRocAuc: expected targets in [0, 4), got 4");
}

TEST_CASE("errors of regression follow their formulas") {
  metrics::RegressionScores scores;
  CHECK(scores.max_error() == 0);
  CHECK(std::isnan(scores.explained_variance()));
  scores.add(row_of(golden::augment::kGuessed), row_of(golden::augment::kWanted));
  check_near({scores.max_error(), scores.mape(), scores.mean_error(), scores.explained_variance()},
             golden::augment::kErrors);
}
