// SPDX-License-Identifier: MIT
#include "teff/nn/train/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "teff/engine/error.h"

namespace teff::metrics {
namespace {

/// What was predicted and what was, of one class.
struct ClassCounts {
  std::int64_t right = 0, predicted = 0, existing = 0;
};

std::vector<ClassCounts> counts_by_class(const ConfusionMatrix& matrix) {
  const Tensor counts = matrix.counts();
  const auto classes = static_cast<std::size_t>(counts.size(0));
  const auto cells = counts.span<std::int64_t>();
  std::vector<ClassCounts> result(classes);
  for (std::size_t target = 0; target < classes; ++target) {
    for (std::size_t prediction = 0; prediction < classes; ++prediction) {
      const std::int64_t count = cells[target * classes + prediction];
      result[target].existing += count;
      result[prediction].predicted += count;
      if (target == prediction) result[target].right = count;
    }
  }
  return result;
}

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Over the classes that occur.
double mean_of(const ConfusionMatrix& matrix, const std::vector<double>& scores) {
  const std::vector<ClassCounts> counts = counts_by_class(matrix);
  double sum = 0, classes = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].existing + counts[i].predicted == 0) continue;
    sum += scores[i];
    ++classes;
  }
  return classes == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / classes;
}

std::string described(const Tensor& tensor) {
  return std::string(to_string(tensor.dtype())) + ' ' + to_string(tensor.shape());
}

Tensor in_double(const char* owner, const char* what, const Tensor& numbers) {
  if (numbers.dtype() != DType::float32 && numbers.dtype() != DType::float64) {
    throw TypeError(std::string(owner) + ": expected " + what + " float32 or float64, got " + described(numbers));
  }
  return numbers.detach().to(DType::float64);
}

}  // namespace

double precision_macro(const ConfusionMatrix& matrix) { return mean_of(matrix, matrix.precision()); }

double recall_macro(const ConfusionMatrix& matrix) { return mean_of(matrix, matrix.recall()); }

std::vector<double> f1(const ConfusionMatrix& matrix) {
  std::vector<double> scores;
  for (const ClassCounts& of : counts_by_class(matrix))
    scores.push_back(ratio(2 * of.right, of.predicted + of.existing));
  return scores;
}

double f1_macro(const ConfusionMatrix& matrix) { return mean_of(matrix, f1(matrix)); }

double f1_micro(const ConfusionMatrix& matrix) { return matrix.accuracy(); }

std::vector<double> iou(const ConfusionMatrix& matrix) {
  std::vector<double> scores;
  for (const ClassCounts& of : counts_by_class(matrix)) {
    scores.push_back(ratio(of.right, of.predicted + of.existing - of.right));
  }
  return scores;
}

double mean_iou(const ConfusionMatrix& matrix) { return mean_of(matrix, iou(matrix)); }

void RocAuc::add(const Tensor& scores, const Tensor& targets) {
  const Tensor numbers = in_double("RocAuc", "scores", scores);
  if (targets.dtype() != DType::int64) throw TypeError("RocAuc: expected targets int64, got " + described(targets));
  if (scores.dim() != 1 || targets.shape() != scores.shape()) {
    throw ShapeError("RocAuc: expected scores [N] and targets [N], got " + to_string(scores.shape()) + " and " +
                     to_string(targets.shape()));
  }
  const auto values = numbers.span<double>();
  const auto kinds = targets.span<std::int64_t>();
  std::vector<std::pair<double, bool>> added;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) throw ValueError("RocAuc: expected scores that are numbers, got nan");
    if (kinds[i] != 0 && kinds[i] != 1) {
      throw IndexError("RocAuc: expected targets in [0, 2), got " + std::to_string(kinds[i]));
    }
    added.emplace_back(values[i], kinds[i] == 1);
  }
  examples_.insert(examples_.end(), added.begin(), added.end());
}

double RocAuc::value() const {
  std::vector<std::pair<double, bool>> sorted = examples_;
  std::sort(sorted.begin(), sorted.end());
  double pairs_won = 0, negatives = 0, positives = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    double equal_negatives = 0, equal_positives = 0;
    for (const double score = sorted[i].first; i < sorted.size() && sorted[i].first == score; ++i) {
      ++(sorted[i].second ? equal_positives : equal_negatives);
    }
    pairs_won += equal_positives * (negatives + equal_negatives / 2);
    negatives += equal_negatives;
    positives += equal_positives;
  }
  if (positives == 0 || negatives == 0) {
    throw ValueError("RocAuc: expected examples with target 0 and with target 1, got " +
                     std::to_string(static_cast<std::int64_t>(negatives)) + " and " +
                     std::to_string(static_cast<std::int64_t>(positives)));
  }
  return pairs_won / (positives * negatives);
}

void RegressionScores::add(const Tensor& predictions, const Tensor& targets) {
  const Tensor guessed = in_double("RegressionScores", "predictions", predictions);
  const Tensor right = in_double("RegressionScores", "targets", targets);
  if (predictions.shape() != targets.shape()) {
    throw ShapeError("RegressionScores: expected predictions and targets of one shape, got " +
                     to_string(predictions.shape()) + " and " + to_string(targets.shape()));
  }
  const auto guesses = guessed.span<double>(), truths = right.span<double>();
  for (std::size_t i = 0; i < truths.size(); ++i) {
    const double error = truths[i] - guesses[i], from_mean = truths[i] - mean_;
    squares_ += error * error;
    absolutes_ += std::abs(error);
    mean_ += from_mean / static_cast<double>(++count_);
    spread_ += from_mean * (truths[i] - mean_);
  }
}

double RegressionScores::rmse() const { return std::sqrt(mse()); }

double RegressionScores::r2() const {
  if (count_ < 2) return std::numeric_limits<double>::quiet_NaN();
  if (spread_ == 0) return squares_ == 0 ? 1 : 0;
  return 1 - squares_ / spread_;
}

}  // namespace teff::metrics
