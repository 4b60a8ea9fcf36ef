// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "teff/nn/layers/linear.h"
#include "teff/nn/layers/module_list.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct AdaptiveLogSoftmaxOptions {
  double div_value = 4;  // cluster i has in_features / div_value^(i + 1) features
  bool head_bias = false;
};

/// Log-probabilities of many classes, ordered by how often they are seen: the rare ones are told apart in clusters that
/// are computed only for the rows whose targets are there (Grave et al., 2017). Classes up to cutoffs[0] are the
/// head's, cluster i has those from cutoffs[i] on. It reads its targets, so that it cannot be captured; log_prob can.
class AdaptiveLogSoftmaxWithLoss : public Module {
 public:
  /// @throws ValueError unless the cutoffs are increasing, above 0 and below n_classes, or for sizes below 1.
  AdaptiveLogSoftmaxWithLoss(Integer in_features, Integer n_classes, const std::vector<std::int64_t>& cutoffs,
                             const AdaptiveLogSoftmaxOptions& options = {});

  Linear head;
  ModuleList tail;
  TEFF_MODULE(AdaptiveLogSoftmaxWithLoss, head, tail)

  struct Result {
    Tensor output;  // the log-probability of each target, [N]
    Tensor loss;    // -mean(output)
  };
  using Module::operator();
  /// input [N, in_features], int64 target [N]. @throws IndexError for a target outside [0, n_classes); Error while a
  /// graph is captured.
  Result operator()(const Tensor& input, const Tensor& target);
  /// {input, target} -> {output, loss}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  /// Of all classes: [N, in_features] -> [N, n_classes].
  Tensor log_prob(const Tensor& input);
  /// The most likely class: [N, in_features] -> int64 [N].
  Tensor predict(const Tensor& input);

 private:
  Tensor cluster_log_prob(std::size_t cluster, const Tensor& input);

  std::vector<std::int64_t> cutoffs_;  // and n_classes
};

}  // namespace nn
}  // namespace teff
