// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // none: running statistics are the mean over all batches so far
  bool affine = true;                    // weight and bias
  bool track_running_stats = true;       // otherwise the batch's own statistics serve in evaluation too
};
using BatchNorm1dOptions = BatchNorm2dOptions;
using BatchNorm3dOptions = BatchNorm2dOptions;

/// (x - mean) / sqrt(variance + eps) * weight + bias per channel (Ioffe and Szegedy, 2015): base of the layers below.
/// In training mean and variance are the batch's, and the running ones become
/// (1 - momentum) * running + momentum * batch; in evaluation mode they are the running ones.
/// All state is [num_features], but for num_batches_tracked, which is an int64 number.
///
/// A captured layer without momentum keeps its running statistics as they are when the graph is trained.
class BatchNorm : public Module {
 public:
  Parameter weight;            // from 1; undefined unless affine
  Parameter bias;              // from 0; undefined unless affine
  Buffer running_mean;         // from 0; undefined unless track_running_stats, like the next two
  Buffer running_var;          // from 1
  Buffer num_batches_tracked;  // from 0

  std::string extra_repr() const override;
  const BatchNorm2dOptions& options() const { return options_; }

 protected:
  /// @throws ValueError for num_features below 1, eps below 0, or a momentum outside [0, 1].
  BatchNorm(const char* layer, Integer num_features, const BatchNorm2dOptions& options);
  std::int64_t num_features() const { return num_features_; }
  Tensor normalise(const Tensor& input);

 private:
  friend void renew_running_stats(Module& model, const std::function<void()>& pass);

  double update_factor();

  std::int64_t num_features_;
  BatchNorm2dOptions options_;
};

/// [N, C] -> the same, or [N, C, L] -> the same.
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(Integer num_features, const BatchNorm1dOptions& options = {})
      : BatchNorm("BatchNorm1d", num_features, options) {}
  TEFF_MODULE(BatchNorm1d, weight, bias, running_mean, running_var, num_batches_tracked)

  /// @throws ShapeError unless the input is [N, num_features] or [N, num_features, L].
  Tensor forward(const Tensor& input) override;
};

/// [N, C, H, W] -> the same.
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(Integer num_features, const BatchNorm2dOptions& options = {})
      : BatchNorm("BatchNorm2d", num_features, options) {}
  TEFF_MODULE(BatchNorm2d, weight, bias, running_mean, running_var, num_batches_tracked)

  /// @throws ShapeError unless the input is [N, num_features, H, W].
  Tensor forward(const Tensor& input) override;
};

/// [N, C, D, H, W] -> the same.
class BatchNorm3d : public BatchNorm {
 public:
  explicit BatchNorm3d(Integer num_features, const BatchNorm3dOptions& options = {})
      : BatchNorm("BatchNorm3d", num_features, options) {}
  TEFF_MODULE(BatchNorm3d, weight, bias, running_mean, running_var, num_batches_tracked)

  /// @throws ShapeError unless the input is [N, num_features, D, H, W].
  Tensor forward(const Tensor& input) override;
};

/// Begins the running statistics of all these layers in the model anew and calls `pass`, which is to run the model on
/// data, in training mode and without recording: they become the mean over its batches. What has them in a graph (a
/// GraphModule) is left as it is.
void renew_running_stats(Module& model, const std::function<void()>& pass);

/// Gives the batch norms of the model the statistics of its present weights: the mean over all batches of the loader,
/// whose elements are tensors or have a member `data` (data::DataLoader).
template <class Loader>
void update_bn(Loader&& loader, Module& model) {
  renew_running_stats(model, [&] {
    for (const auto& batch : loader) {
      if constexpr (requires { batch.data.defined(); }) {
        model(batch.data);
      } else {
        model(batch);
      }
    }
  });
}

}  // namespace nn
}  // namespace teff
