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

 private:
  std::vector<std::pair<double, bool>> examples_;
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
  /// 1 - sum (target - prediction)^2 / sum (target - mean target)^2; where all targets are equal 1 without errors,
  /// else 0. NaN for less than two numbers.
  double r2() const;
  std::int64_t count() const { return count_; }

 private:
  double mean_of(double sum) const { return count_ == 0 ? 0 : sum / static_cast<double>(count_); }

  std::int64_t count_ = 0;
  double squares_ = 0, absolutes_ = 0;
  double mean_ = 0, spread_ = 0;  // of the targets: mean, sum of squared distances from it
};

}  // namespace metrics
}  // namespace teff
