// SPDX-License-Identifier: MIT
#include "teff/nn/train/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

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

double f1_weighted(const ConfusionMatrix& matrix) {
  const std::vector<ClassCounts> counts = counts_by_class(matrix);
  const std::vector<double> scores = f1(matrix);
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += scores[i] * static_cast<double>(counts[i].existing);
    all += static_cast<double>(counts[i].existing);
  }
  return sum / all;  // NaN of none
}

double matthews(const ConfusionMatrix& matrix) {
  double all = 0, right = 0, both = 0, predicted = 0, existing = 0;
  for (const ClassCounts& of : counts_by_class(matrix)) {
    const auto p = static_cast<double>(of.predicted), e = static_cast<double>(of.existing);
    all += e;
    right += static_cast<double>(of.right);
    both += p * e;
    predicted += p * p;
    existing += e * e;
  }
  const double spread = (all * all - predicted) * (all * all - existing);
  return spread > 0 ? (right * all - both) / std::sqrt(spread) : 0;
}

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

std::vector<RocAuc::Equals> RocAuc::by_score() const {
  std::vector<std::pair<double, bool>> sorted = examples_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<Equals> result;
  for (std::size_t i = 0; i < sorted.size();) {
    Equals& equals = result.emplace_back();
    for (const double score = sorted[i].first; i < sorted.size() && sorted[i].first == score; ++i) {
      ++(sorted[i].second ? equals.positives : equals.negatives);
    }
  }
  return result;
}

double RocAuc::value() const {
  double pairs_won = 0, negatives = 0, positives = 0;
  for (const Equals& equals : by_score()) {
    pairs_won += equals.positives * (negatives + equals.negatives / 2);
    negatives += equals.negatives;
    positives += equals.positives;
  }
  if (positives == 0 || negatives == 0) {
    throw ValueError("RocAuc: expected examples with target 0 and with target 1, got " +
                     std::to_string(static_cast<std::int64_t>(negatives)) + " and " +
                     std::to_string(static_cast<std::int64_t>(positives)));
  }
  return pairs_won / (positives * negatives);
}

double RocAuc::average_precision() const {
  const std::vector<Equals> all = by_score();
  double positives = 0, seen = 0, sum = 0;
  for (auto equals = all.rbegin(); equals != all.rend(); ++equals) {
    positives += equals->positives;
    seen += equals->positives + equals->negatives;
    sum += equals->positives * positives / seen;
  }
  nn::detail::expect(positives > 0, "RocAuc", "examples with target 1", "none");
  return sum / positives;
}

ClassRocAuc::ClassRocAuc(Integer classes) {
  nn::detail::expect_at_least(1, "ClassRocAuc", "classes", classes);
  of_class_.resize(static_cast<std::size_t>(std::int64_t{classes}));
}

void ClassRocAuc::add(const Tensor& scores, const Tensor& targets) {
  const auto classes = static_cast<std::int64_t>(of_class_.size());
  const Tensor numbers = in_double("ClassRocAuc", "scores", scores);
  if (targets.dtype() != DType::int64)
    throw TypeError("ClassRocAuc: expected targets int64, got " + described(targets));
  if (scores.dim() != 2 || scores.size(1) != classes || targets.shape() != Shape{scores.size(0)}) {
    throw ShapeError("ClassRocAuc: expected scores [N, " + std::to_string(classes) + "] and targets [N], got " +
                     to_string(scores.shape()) + " and " + to_string(targets.shape()));
  }
  for (const std::int64_t target : targets.span<std::int64_t>()) {
    if (target >= 0 && target < classes) continue;
    throw IndexError("ClassRocAuc: expected targets in [0, " + std::to_string(classes) + "), got " +
                     std::to_string(target));
  }
  for (const double score : numbers.span<double>()) {
    if (std::isnan(score)) throw ValueError("ClassRocAuc: expected scores that are numbers, got nan");
  }
  for (std::int64_t c = 0; c < classes; ++c) {
    of_class_[static_cast<std::size_t>(c)].add(numbers.select(1, c), eq(targets, c).to(DType::int64));
  }
}

std::vector<double> ClassRocAuc::values() const {
  std::vector<double> result;
  for (const RocAuc& auc : of_class_) result.push_back(auc.value());
  return result;
}

double ClassRocAuc::macro() const {
  const std::vector<double> all = values();
  return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
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
    relatives_ += std::abs(error) / std::max(std::abs(truths[i]), std::numeric_limits<double>::epsilon());
    if (!(std::abs(error) <= greatest_)) greatest_ = std::abs(error);  // and NaN
    mean_ += from_mean / static_cast<double>(++count_);
    spread_ += from_mean * (truths[i] - mean_);
    const double error_from_mean = error - error_mean_;
    error_mean_ += error_from_mean / static_cast<double>(count_);
    error_spread_ += error_from_mean * (error - error_mean_);
  }
}

double RegressionScores::rmse() const { return std::sqrt(mse()); }

double RegressionScores::part_explained(double left) const {
  if (count_ < 2) return std::numeric_limits<double>::quiet_NaN();
  if (spread_ == 0) return left == 0 ? 1 : 0;
  return 1 - left / spread_;
}

double RegressionScores::r2() const { return part_explained(squares_); }
double RegressionScores::explained_variance() const { return part_explained(error_spread_); }

}  // namespace teff::metrics
