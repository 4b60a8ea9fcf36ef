// SPDX-License-Identifier: MIT

// Losses, as a network that was exported for training has them.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

constexpr std::int64_t kNoClass = -1'000'000;  // where no class is to be ignored

Reduction reduction_of(const Call& c) {
  const std::string name = c.text("reduction", "mean");
  expect_supported(name == "mean" || name == "sum" || name == "none", "expected mean, sum or none, got " + name);
  return name == "mean" ? Reduction::mean : name == "sum" ? Reduction::sum : Reduction::none;
}

Tensor classes_of(const Call& c) {
  const Tensor classes = c.tensor(1);
  return classes.dtype() == DType::int64 ? classes : to(classes, DType::int64);
}

Tensor likelihood_loss(const Call& c) {
  return nll_loss(
      c.tensor(0), classes_of(c),
      {.weight = c.maybe(2), .ignore_index = c.integer("ignore_index", kNoClass), .reduction = reduction_of(c)});
}

/// The second result has the logarithms of the probabilities.
TensorList softmax_loss(const Call& c) {
  const Tensor scores = c.tensor(0);
  TensorList results{cross_entropy(
      scores, classes_of(c),
      {.weight = c.maybe(2), .ignore_index = c.integer("ignore_index", kNoClass), .reduction = reduction_of(c)})};
  if (c.wants(1)) results.push_back(log_softmax(scores, 1));
  return results;
}

constexpr OperatorRow kLossesRows[] = {
    {"NegativeLogLikelihoodLoss", likelihood_loss},
    {"SoftmaxCrossEntropyLoss", softmax_loss},
};

}  // namespace

const std::span<const OperatorRow> operators::losses = kLossesRows;

}  // namespace teff::serialize
