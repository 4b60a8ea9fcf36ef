// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include <teff/teff.h>

#include "examples/curve.h"
#include "examples/models/net.h"

namespace fashion {

/// All that a training run consists of. What checkpoint() writes down is enough to go on exactly where it
/// stopped: the same batches, the same losses, the same weights as without the break.
struct Training {
  explicit Training(const teff::optim::SGDOptions& options) : optimizer(net.named_parameters(), options) {}

  Net net;
  teff::optim::SGD optimizer;
  std::int64_t epoch = 0;  // finished ones
  Curve curve;

  /// Called after each batch with the number of images and the mean loss of the epoch so far.
  using Report = std::function<void(std::int64_t, double)>;

  /// Trains one epoch and returns its mean loss. @throws teff::Error when the loss is no longer finite.
  double run_epoch(const teff::data::DataLoader& batches, const Report& report);

  teff::Dict checkpoint() const;
  /// @throws teff::Error if the checkpoint lacks something or is not one of such a run.
  void resume(const teff::Dict& checkpoint);

 private:
  float run_batch(const teff::Tensor& images, const teff::Tensor& labels);
};

/// The classes, int64 [N], that a model in evaluation mode gives to all images.
teff::Tensor predict(teff::nn::Module& model, const teff::data::DataLoader& batches);

}  // namespace fashion
