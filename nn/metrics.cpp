// SPDX-License-Identifier: MIT
#include "teff/nn/metrics.h"

#include <cmath>
#include <span>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::metrics {
namespace {

std::string type_text(const Tensor& tensor) {
  return std::string(to_string(tensor.dtype())) + ' ' + to_string(tensor.shape());
}

/// @throws unless classes are int64 [n] in [0, classes).
void check_classes(const char* owner, const char* what, const Tensor& tensor, std::int64_t n, std::int64_t classes) {
  if (tensor.dtype() != DType::int64) {
    throw TypeError(std::string(owner) + ": expected " + what + " int64, got " + type_text(tensor));
  }
  if (tensor.shape() != Shape{n}) {
    throw ShapeError(std::string(owner) + ": expected " + what + " [" + std::to_string(n) + "], got " +
                     type_text(tensor));
  }
  for (const std::int64_t value : tensor.span<std::int64_t>()) {
    if (value < 0 || value >= classes) {
      throw IndexError(std::string(owner) + ": expected " + what + " in [0, " + std::to_string(classes) + "), got " +
                       std::to_string(value));
    }
  }
}

void check_scores(const char* owner, const Tensor& scores) {
  if (!is_computable(scores.dtype())) {
    throw TypeError(std::string(owner) + ": expected scores float32 or float64, got " + type_text(scores));
  }
  if (scores.dim() != 2) throw ShapeError(std::string(owner) + ": expected scores [N, C], got " + type_text(scores));
}

/// Whether the class has one of the k highest scores of the row.
bool among_highest(std::span<const double> row, std::size_t target, std::int64_t k) {
  const double own = row[target];
  std::int64_t higher = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool equal = row[i] == own || (std::isnan(row[i]) && std::isnan(own));
    const bool above = row[i] > own || (std::isnan(row[i]) && !std::isnan(own));
    if (equal ? i < target : above) ++higher;
  }
  return higher < k;
}

std::vector<double> ratios(const std::vector<std::int64_t>& right, const std::vector<std::int64_t>& all) {
  std::vector<double> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    result.push_back(all[i] == 0 ? 0 : static_cast<double>(right[i]) / static_cast<double>(all[i]));
  }
  return result;
}

}  // namespace

Accuracy::Accuracy(Integer k) : k_(k) { nn::detail::expect_at_least(1, "Accuracy", "k", k); }

void Accuracy::add(const Tensor& scores, const Tensor& targets) {
  check_scores("Accuracy", scores);
  check_classes("Accuracy", "targets", targets, scores.size(0), scores.size(1));
  const Tensor as_double = scores.detach().to(DType::float64);
  const auto classes = static_cast<std::size_t>(scores.size(1));
  std::size_t row = 0;
  for (const std::int64_t target : targets.span<std::int64_t>()) {
    const std::span<const double> values = as_double.span<double>().subspan(row++ * classes, classes);
    if (among_highest(values, static_cast<std::size_t>(target), k_)) ++correct_;
  }
  count_ += targets.numel();
}

ConfusionMatrix::ConfusionMatrix(Integer classes) : classes_(classes) {
  nn::detail::expect_at_least(1, "ConfusionMatrix", "classes", classes);
  counts_.resize(static_cast<std::size_t>(numel({classes, classes})));
}

void ConfusionMatrix::add(const Tensor& scores_or_predictions, const Tensor& targets) {
  const bool classes_given = scores_or_predictions.dtype() == DType::int64;
  if (!classes_given) {
    check_scores("ConfusionMatrix", scores_or_predictions);
    if (scores_or_predictions.size(1) != classes_) {
      throw ShapeError("ConfusionMatrix: expected scores [N, " + std::to_string(classes_) + "], got " +
                       type_text(scores_or_predictions));
    }
  }
  const Tensor predictions = classes_given ? scores_or_predictions : scores_or_predictions.detach().argmax(1);
  check_classes("ConfusionMatrix", "predictions", predictions, predictions.numel(), classes_);
  check_classes("ConfusionMatrix", "targets", targets, predictions.numel(), classes_);
  for (std::size_t i = 0; i < targets.span<std::int64_t>().size(); ++i) {
    const std::int64_t place = targets.data<std::int64_t>()[i] * classes_ + predictions.data<std::int64_t>()[i];
    ++counts_[static_cast<std::size_t>(place)];
  }
}

std::int64_t ConfusionMatrix::at(std::int64_t target, std::int64_t prediction) const {
  return counts_[static_cast<std::size_t>(target * classes_ + prediction)];
}

Tensor ConfusionMatrix::counts() const { return tensor(counts_, {classes_, classes_}); }

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0, all = 0;
  for (std::int64_t i = 0; i < classes_; ++i) right += at(i, i);
  for (const std::int64_t count : counts_) all += count;
  return ratios({right}, {all})[0];
}

std::vector<double> ConfusionMatrix::precision() const {
  std::vector<std::int64_t> right, all;
  for (std::int64_t prediction = 0; prediction < classes_; ++prediction) {
    right.push_back(at(prediction, prediction));
    all.push_back(0);
    for (std::int64_t target = 0; target < classes_; ++target) all.back() += at(target, prediction);
  }
  return ratios(right, all);
}

std::vector<double> ConfusionMatrix::recall() const {
  std::vector<std::int64_t> right, all;
  for (std::int64_t target = 0; target < classes_; ++target) {
    right.push_back(at(target, target));
    all.push_back(0);
    for (std::int64_t prediction = 0; prediction < classes_; ++prediction) all.back() += at(target, prediction);
  }
  return ratios(right, all);
}

}  // namespace teff::metrics
