// SPDX-License-Identifier: MIT

// Normalisation.

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

/// 0.1 of 0.9: what the statistics keep in ONNX, and what they take in Teff.
double taken(double kept) {
  expect_supported(kept >= 0 && kept <= 1, "expected a momentum from 0 to 1, got " + std::to_string(kept));
  const double rounded = static_cast<double>(static_cast<float>(1 - kept));
  constexpr double kDigits = 1e7;
  return std::round(rounded * kDigits) / kDigits;
}

Tensor batch_normalised(const Call& c) {
  c.ignore("is_test");
  c.ignore("consumed_inputs");
  expect_supported(!c.flag("training_mode", false) && !c.wants(1),
                   "expected a network exported for evaluation, got one whose BatchNormalization is in training");
  expect_supported(c.flag("spatial", true), "expected statistics of channels, got spatial = 0");
  const double momentum = taken(c.number("momentum", 0.9));
  return batch_norm(c.tensor(0), c.statistic(3), c.statistic(4), c.tensor(1), c.tensor(2),
                    {.momentum = momentum, .eps = c.number("epsilon", 1e-5)});
}

Tensor instance_normalised(const Call& c) {
  const Tensor x = c.tensor(0);
  c.ignore("consumed_inputs");
  if (x.dim() < 3) throw FormatError("expected an image [N, C, ...], got " + to_string(x.shape()));
  return group_norm(x, x.size(1), c.tensor(1), c.tensor(2), c.number("epsilon", 1e-5));
}

/// The mean and the inverse of the deviation are results, too.
TensorList layer_normalised(const Call& c) {
  c.ignore("stash_type");
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", -1), x.dim());
  const double eps = c.number("epsilon", 1e-5);
  const Shape last{std::span(x.shape().begin() + axis, x.shape().end())};
  const auto fits = [&](const Tensor& tensor) { return !tensor.defined() || tensor.shape() == last; };
  Tensor scale = c.tensor(1), bias = c.maybe(2), y;
  if (fits(scale) && fits(bias)) {
    y = layer_norm(x, last, scale, bias, eps);
  } else {
    y = layer_norm(x, last, {}, {}, eps) * scale;
    if (bias.defined()) y = y + bias;
  }
  TensorList results{y};
  if (!c.wants(1) && !c.wants(2)) return results;
  IntList dims;
  for (std::int64_t i = axis; i < x.dim(); ++i) dims.push_back(i);
  const Tensor middle = mean(x, dims, true), distance = x - middle;
  results.push_back(middle);
  results.push_back(1.0 / sqrt(mean(distance * distance, dims, true) + eps));
  return results;
}

/// Before version 21 a scale for each group, then for each channel.
Tensor group_normalised(const Call& c) {
  c.ignore("stash_type");
  const Tensor x = c.tensor(0);
  const std::int64_t groups = c.integer("num_groups", 0);
  Tensor scale = c.tensor(1), bias = c.tensor(2);
  if (groups < 1 || x.dim() < 2) throw FormatError("expected groups of channels, got " + to_string(x.shape()));
  if (c.opset() < 21) {
    const std::int64_t each = x.size(1) / groups;
    const auto repeated = [&](const Tensor& one) { return flatten(expand(view(one, {groups, 1}), {groups, each})); };
    scale = repeated(scale);
    bias = repeated(bias);
  }
  return group_norm(x, groups, scale, bias, c.number("epsilon", 1e-5));
}

Tensor mean_variance_normalised(const Call& c) {
  const Tensor x = c.tensor(0);
  const IntList dims = list_of(c.integers("axes", {0, 2, 3}));
  const Tensor distance = x - mean(x, dims, true);
  return distance / (sqrt(mean(distance * distance, dims, true)) + 1e-9);
}

Tensor norm_normalised(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", -1), x.dim()), p = c.integer("p", 2);
  expect_supported(p == 1 || p == 2, "expected the norm of 1 or 2, got " + std::to_string(p));
  return x / (p == 1 ? sum(abs(x), axis, true) : sqrt(sum(x * x, axis, true)));
}

/// x / (bias + alpha / size * sum over the channels around of x^2)^beta
Tensor response_normalised(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t size = c.integer("size", 1), channels = x.dim() > 1 ? x.size(1) : 0;
  if (size < 1 || size > (1 << 16) || x.dim() < 2) throw FormatError("expected a size from 1 on, got another");
  const double alpha = c.number("alpha", 1e-4), beta = c.number("beta", 0.75), bias = c.number("bias", 1);
  std::int64_t rest = 1;
  for (std::int64_t i = 2; i < x.dim(); ++i) rest *= x.size(i);
  const Tensor squares = view(x * x, {x.size(0), 1, channels, rest});
  const Tensor around =
      avg_pool2d(pad(squares, {0, 0, (size - 1) / 2, size - 1 - (size - 1) / 2}), {size, 1}, {.stride = Pair(1)});
  return x / pow(view(around, x.shape()) * alpha + bias, beta);
}

constexpr OperatorRow kNormsRows[] = {
    {"BatchNormalization", batch_normalised},
    {"GroupNormalization", group_normalised},
    {"InstanceNormalization", instance_normalised},
    {"LRN", response_normalised},
    {"LayerNormalization", layer_normalised},
    {"LpNormalization", norm_normalised},
    {"MeanVarianceNormalization", mean_variance_normalised},
};

}  // namespace

const std::span<const OperatorRow> operators::norms = kNormsRows;

}  // namespace teff::serialize
