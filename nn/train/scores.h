// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "teff/nn/metrics.h"

// More ways to judge a network than nn/metrics.h has. The scores of a confusion matrix are 0 where there is nothing to
// divide by. Their means are over the classes that were a target or a prediction; NaN if there are none.

namespace TEFF_EXPORT teff {
namespace metrics {

double precision_macro(const ConfusionMatrix& matrix);
double recall_macro(const ConfusionMatrix& matrix);

/// By class: 2 tp / (2 tp + fp + fn), of its true positives, false positives and false negatives.
std::vector<double> f1(const ConfusionMatrix& matrix);
double f1_macro(const ConfusionMatrix& matrix);
/// Of all examples together; as each has one class, equal to precision, recall and accuracy so taken.
double f1_micro(const ConfusionMatrix& matrix);

/// The mean of f1 by class, each weighted with its number of examples; NaN if there are none.
double f1_weighted(const ConfusionMatrix& matrix);

/// Matthews' correlation of targets and predictions: 1 all right, 0 as by chance; 0 where one of them is always the
/// same.
double matthews(const ConfusionMatrix& matrix);

/// By class: tp / (tp + fp + fn), the intersection of what was predicted and what is, over their union. For
/// segmentation the pixels are the examples.
std::vector<double> iou(const ConfusionMatrix& matrix);
double mean_iou(const ConfusionMatrix& matrix);

/// The area under the receiver operating characteristic: the probability that a positive example has a higher score
/// than a negative one, equal scores counting half. Keeps all scores.
class RocAuc {
 public:
  /// Counts a batch: scores [N], float32 or float64, and targets [N], int64: 0 or 1.
  /// @throws ShapeError, TypeError; ValueError for a score that is NaN; IndexError for other targets. Nothing is
  /// counted then.
  void add(const Tensor& scores, const Tensor& targets);
  /// @throws ValueError unless there were examples of both kinds.
  double value() const;
  /// The area under precision over recall, in steps: the mean over the positive examples of the precision among all
  /// with a score at least as high. @throws ValueError if there was no positive example.
  double average_precision() const;

 private:
  /// How many examples of each kind have one score.
  struct Equals {
    double negatives = 0, positives = 0;
  };
  std::vector<Equals> by_score() const;  // the lowest first

  std::vector<std::pair<double, bool>> examples_;
};

/// RocAuc of each class against all others.
class ClassRocAuc {
 public:
  /// @throws ValueError for less than one class.
  explicit ClassRocAuc(Integer classes);
  /// Counts a batch: scores [N, classes], float32 or float64, and targets [N], int64 in [0, classes).
  /// @throws as RocAuc::add.
  void add(const Tensor& scores, const Tensor& targets);
  /// By class. @throws ValueError for a class without examples, or with all of them.
  std::vector<double> values() const;
  /// Their mean.
  double macro() const;

 private:
  std::vector<RocAuc> of_class_;
};

/// How far numbers are from their targets. mse, rmse and mae are 0 before the first.
class RegressionScores {
 public:
  /// Counts a batch: both float32 or float64, of one shape.
  /// @throws ShapeError, TypeError; nothing is counted then.
  void add(const Tensor& predictions, const Tensor& targets);

  /// Mean of the squared errors, its root, and mean of the errors without their sign.
  double mse() const { return mean_of(squares_); }
  double rmse() const;
  double mae() const { return mean_of(absolutes_); }
  /// The greatest error without its sign; 0 before the first.
  double max_error() const { return greatest_; }
  /// Mean of |error| / |target|, where a target nearer to 0 than 2^-52 counts as that; 0 before the first.
  double mape() const { return mean_of(relatives_); }
  /// Mean of the errors, target - prediction; 0 before the first.
  double mean_error() const { return error_mean_; }
  /// 1 - variance of the errors / variance of the targets: r2 without the mean error. As r2 where that cannot be.
  double explained_variance() const;
  /// 1 - sum (target - prediction)^2 / sum (target - mean target)^2; where all targets are equal 1 without errors,
  /// else 0. NaN for less than two numbers.
  double r2() const;
  std::int64_t count() const { return count_; }

 private:
  double part_explained(double left) const;
  double mean_of(double sum) const { return count_ == 0 ? 0 : sum / static_cast<double>(count_); }

  std::int64_t count_ = 0;
  double squares_ = 0, absolutes_ = 0, relatives_ = 0, greatest_ = 0;
  double error_mean_ = 0, error_spread_ = 0;  // of the errors, as of the targets
  double mean_ = 0, spread_ = 0;              // of the targets: mean, sum of squared distances from it
};

}  // namespace metrics
}  // namespace teff
