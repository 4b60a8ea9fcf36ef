// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace metrics {

/// The part of examples whose class is among the k highest scores; 0 before the first. Of equal scores the one of the
/// lower class is the higher, as for argmax, and NaN is the highest of all.
///
///   metrics::Accuracy top1, top5(5);
///   for (auto [images, labels] : loader) top1.add(model(images), labels);
///   std::cout << top1.value() << '\n';
class Accuracy {
 public:
  /// @throws ValueError for k below 1.
  explicit Accuracy(Integer k = 1);

  /// Counts a batch: scores [N, C], float32 or float64, and targets [N], int64 in [0, C).
  /// @throws ShapeError, TypeError; IndexError for a target outside; nothing is counted then.
  void add(const Tensor& scores, const Tensor& targets);

  double value() const { return count_ == 0 ? 0 : static_cast<double>(correct_) / static_cast<double>(count_); }
  std::int64_t correct() const { return correct_; }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t k_;
  std::int64_t correct_ = 0, count_ = 0;
};

/// How many examples of each class were taken for which. Precision and recall of a class are 0 where there is nothing
/// to divide by.
class ConfusionMatrix {
 public:
  /// @throws ValueError for less than one class.
  explicit ConfusionMatrix(Integer classes);

  /// Counts a batch: scores [N, classes], or predictions [N] as int64, and targets [N], int64.
  /// @throws ShapeError, TypeError; IndexError for a class outside; nothing is counted then.
  void add(const Tensor& scores_or_predictions, const Tensor& targets);

  /// counts [classes, classes], int64: rows are targets, columns predictions. A copy.
  Tensor counts() const;
  /// The part of all examples that is on the diagonal.
  double accuracy() const;
  /// By class: right predictions / predictions of it.
  std::vector<double> precision() const;
  /// By class: right predictions / examples of it.
  std::vector<double> recall() const;

 private:
  std::int64_t at(std::int64_t target, std::int64_t prediction) const;

  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // by target, then prediction
};

}  // namespace metrics
}  // namespace teff
