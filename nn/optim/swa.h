// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "teff/nn/module.h"
#include "teff/nn/optim/one_cycle_lr.h"

// Averages of a model's weights over training: torch.optim.swa_utils.

namespace TEFF_EXPORT teff {
namespace optim {

/// A copy of a model whose weights are an average of the model's (stochastic weight averaging: Izmailov et al., 2018;
/// or an exponential moving average). It is called, saved and loaded like the model, with "module." before the keys and
/// "n_averaged" in front.
///
///   optim::AveragedModel averaged(net, optim::AveragedModel::ema(0.999));
///   for (...) {
///     optimizer.step();
///     averaged.update_parameters(net);
///   }
///   nn::update_bn(loader, averaged);
class AveragedModel : public nn::Module {
 public:
  /// The new average of one tensor, from the old one, the model's, and how many values the old one is of.
  using Average = std::function<Tensor(const Tensor& average, const Tensor& value, std::int64_t n)>;

  /// The mean: average + (value - average) / (n + 1).
  static Average mean();
  /// decay * average + (1 - decay) * value. @throws ValueError unless decay is in [0, 1].
  static Average ema(double decay = 0.999);

  nn::Buffer n_averaged;  // int64: calls of update_parameters
  std::shared_ptr<nn::Module> module;
  TEFF_MODULE(AveragedModel, n_averaged, module)

  /// Takes a clone of the model. use_buffers: running statistics are averaged, too; else they stay what they were, for
  /// update_bn. @throws Error if the model cannot be cloned; TypeError for an empty function.
  explicit AveragedModel(const nn::Module& model, Average average = mean(), bool use_buffers = false);

  Tensor forward(const Tensor& input) override;
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

  /// Takes the model's weights in; the first time it copies them.
  /// @throws ValueError unless it has parameters of the same number and shapes.
  void update_parameters(const nn::Module& model);

 private:
  Average average_;
  bool use_buffers_;
};

struct SWALROptions {
  PerGroup swa_lr = 0;
  std::int64_t anneal_epochs = 10;  // >= 0
  Annealing anneal_strategy = Annealing::cos;
};

/// From the present rate in anneal_epochs epochs to swa_lr, and on with that. swa_lr is kept with the optimiser's
/// groups, as in PyTorch.
class SWALR : public ChainableLR {
 public:
  /// @throws ValueError for options outside their range.
  SWALR(Optimizer& optimizer, const SWALROptions& options);

 protected:
  double first_lr(std::size_t group, double lr) const override { return next_lr(group, lr, 0); }
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;
  Commit prepare(const Dict& state_dict) override;

 private:
  /// The part of swa_lr in the rate.
  double part(std::int64_t epoch) const;

  std::int64_t anneal_epochs_;
  Annealing annealing_;
};

}  // namespace optim
}  // namespace teff
