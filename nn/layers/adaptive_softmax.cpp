// SPDX-License-Identifier: MIT
#include "teff/nn/layers/adaptive_softmax.h"

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/layers/sequential.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

constexpr const char* kName = "AdaptiveLogSoftmaxWithLoss";

/// The cutoffs and n_classes, checked before a layer is made of them.
std::vector<std::int64_t> checked_cutoffs(std::int64_t n_classes, std::vector<std::int64_t> cutoffs) {
  detail::expect(!cutoffs.empty(), kName, "at least one cutoff", "none");
  std::int64_t last = 0;
  cutoffs.push_back(n_classes);
  for (const std::int64_t cutoff : cutoffs) {
    detail::expect(cutoff > last, kName,
                   "cutoffs that rise from above 0 to below n_classes = " + std::to_string(n_classes),
                   std::to_string(cutoff) + " after " + std::to_string(last));
    last = cutoff;
  }
  return cutoffs;
}

}  // namespace

AdaptiveLogSoftmaxWithLoss::AdaptiveLogSoftmaxWithLoss(Integer in_features, Integer n_classes,
                                                       const std::vector<std::int64_t>& cutoffs,
                                                       const AdaptiveLogSoftmaxOptions& options)
    : head(in_features, checked_cutoffs(n_classes, cutoffs).front() + static_cast<std::int64_t>(cutoffs.size()),
           {.bias = options.head_bias}),
      cutoffs_(checked_cutoffs(n_classes, cutoffs)) {
  for (std::size_t i = 0; i + 1 < cutoffs_.size(); ++i) {
    const double scale = std::pow(options.div_value, static_cast<double>(i + 1));
    const auto features = static_cast<std::int64_t>(std::floor(static_cast<double>(in_features) / scale));
    detail::expect_at_least(1, kName, "in_features / div_value^" + std::to_string(i + 1), features);
    const Linear down(in_features, features, {.bias = false});  // one after the other draws its weights
    const Linear up(features, cutoffs_[i + 1] - cutoffs_[i], {.bias = false});
    tail.append(Sequential(down, up));
  }
}

Tensor AdaptiveLogSoftmaxWithLoss::cluster_log_prob(std::size_t cluster, const Tensor& input) {
  return log_softmax(tail[static_cast<std::int64_t>(cluster)](input), 1);
}

AdaptiveLogSoftmaxWithLoss::Result AdaptiveLogSoftmaxWithLoss::operator()(const Tensor& input, const Tensor& target) {
  const std::vector<Tensor> results = (*this)({input, target});
  return {results[0], results[1]};
}

/// Rows are sorted by the clusters of their targets, computed there, and put back in their order.
std::vector<Tensor> AdaptiveLogSoftmaxWithLoss::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 2 || inputs[0].dim() != 2 || inputs[1].dim() != 1 || inputs[0].size(0) != inputs[1].size(0)) {
    throw ShapeError(std::string(kName) + ": expected 2 inputs, [N, in_features] and target [N], got others");
  }
  if (is_capturing()) {
    throw Error(std::string(kName) + ": expected no capture, for it reads its targets; capture log_prob");
  }
  const Tensor &input = inputs[0], &target = inputs[1];
  const std::int64_t rows = target.size(0), short_list = cutoffs_.front();
  std::vector<std::vector<std::int64_t>> rows_of(cutoffs_.size()), classes_of(cutoffs_.size());
  std::vector<std::int64_t> head_classes, places(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t value = target.data<std::int64_t>()[row];
    if (value < 0 || value >= cutoffs_.back()) {
      throw IndexError(std::string(kName) + ": expected targets in [0, " + std::to_string(cutoffs_.back()) + "), got " +
                       std::to_string(value));
    }
    std::size_t cluster = 0;  // 0: the head's own
    while (value >= cutoffs_[cluster]) ++cluster;
    rows_of[cluster].push_back(row);
    classes_of[cluster].push_back(cluster == 0 ? value : value - cutoffs_[cluster - 1]);
    head_classes.push_back(cluster == 0 ? value : short_list + static_cast<std::int64_t>(cluster) - 1);
  }
  const auto chosen = [](const Tensor& log_probs, const std::vector<std::int64_t>& classes) {
    return neg(nll_loss(log_probs, tensor(classes), Reduction::none));
  };
  Tensor output = chosen(log_softmax(head(input), 1), head_classes);
  std::vector<Tensor> parts;
  std::int64_t next = 0;
  for (std::size_t cluster = 0; cluster < rows_of.size(); ++cluster) {
    for (const std::int64_t row : rows_of[cluster]) places[static_cast<std::size_t>(row)] = next++;
    if (rows_of[cluster].empty()) continue;
    const Tensor own_rows = tensor(rows_of[cluster]);
    Tensor part = index_select(output, 0, own_rows);
    if (cluster > 0) {
      part = part + chosen(cluster_log_prob(cluster - 1, index_select(input, 0, own_rows)), classes_of[cluster]);
    }
    parts.push_back(part);
  }
  if (!parts.empty()) output = index_select(cat(parts), 0, tensor(places));
  return {output, neg(mean(output))};
}

Tensor AdaptiveLogSoftmaxWithLoss::log_prob(const Tensor& input) {
  const Tensor first = log_softmax(head(input), 1);
  const std::int64_t short_list = cutoffs_.front();
  std::vector<Tensor> parts{slice(first, 1, 0, short_list)};
  for (std::size_t i = 0; i + 1 < cutoffs_.size(); ++i) {
    const std::int64_t place = short_list + static_cast<std::int64_t>(i);
    parts.push_back(cluster_log_prob(i, input) + slice(first, 1, place, place + 1));
  }
  return cat(parts, 1);
}

Tensor AdaptiveLogSoftmaxWithLoss::predict(const Tensor& input) { return argmax(log_prob(input), 1); }

}  // namespace teff::nn
