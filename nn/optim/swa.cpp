// SPDX-License-Identifier: MIT
#include "teff/nn/optim/swa.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

constexpr const char *kAveraged = "AveragedModel", *kSwaLr = "SWALR";

std::vector<Tensor> tensors_of(const nn::Module& model, bool buffers) {
  std::vector<Tensor> result = model.parameters();
  if (!buffers) return result;
  for (const Tensor& buffer : model.buffers()) result.push_back(buffer);
  return result;
}

}  // namespace

AveragedModel::Average AveragedModel::mean() {
  return [](const Tensor& average, const Tensor& value, std::int64_t n) {
    return average + (value - average) / static_cast<double>(n + 1);
  };
}

AveragedModel::Average AveragedModel::ema(double decay) {
  detail::expect_number(decay >= 0 && decay <= 1, kAveraged, "decay", "in [0, 1]", decay);
  return [decay](const Tensor& average, const Tensor& value, std::int64_t) {
    return average * decay + value * (1 - decay);
  };
}

AveragedModel::AveragedModel(const nn::Module& model, Average average, bool use_buffers)
    : n_averaged(scalar_tensor<std::int64_t>(0)),
      module(nn::clone(model)),
      average_(std::move(average)),
      use_buffers_(use_buffers) {
  if (!average_) throw TypeError("AveragedModel: expected a function for the average, got an empty one");
}

Tensor AveragedModel::forward(const Tensor& input) { return (*module)(input); }
std::vector<Tensor> AveragedModel::forward_many(std::span<const Tensor> inputs) { return (*module)(inputs); }

void AveragedModel::update_parameters(const nn::Module& model) {
  const NoGradGuard no_grad;
  const std::vector<Tensor> own = tensors_of(*module, use_buffers_), values = tensors_of(model, use_buffers_);
  const bool fits = std::equal(own.begin(), own.end(), values.begin(), values.end(),
                               [](const Tensor& a, const Tensor& b) { return a.shape() == b.shape(); });
  nn::detail::expect(fits, kAveraged, "a model like the one that it was made of", "one with other parameters");
  std::int64_t& n = *n_averaged.data<std::int64_t>();
  for (std::size_t i = 0; i < own.size(); ++i) {
    const Tensor value = values[i].detach();
    if (n == 0) {
      own[i].copy_(value);
    } else if (is_computable(own[i].dtype())) {
      own[i].copy_(average_(own[i].detach(), value.to(own[i].dtype()), n));
    } else {  // counts
      own[i].copy_(average_(own[i].detach().to(DType::float64), value.to(DType::float64), n));
    }
  }
  ++n;
}

namespace {

/// The optimiser, when its groups know where they are going.
Optimizer& with_goal(Optimizer& optimizer, const SWALROptions& options) {
  nn::detail::expect(options.anneal_epochs >= 0 && options.anneal_epochs <= detail::kMostEpochs, kSwaLr,
                     "anneal_epochs in [0, 2^53]", std::to_string(options.anneal_epochs));
  const std::vector<double> rates = options.swa_lr.expand(optimizer.num_groups(), kSwaLr, "swa_lr");
  for (const double lr : rates) detail::expect_non_negative(kSwaLr, "swa_lr", lr);
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer.schedule(group)["swa_lr"] = rates[group];
  return optimizer;
}

}  // namespace

SWALR::SWALR(Optimizer& optimizer, const SWALROptions& options)
    : ChainableLR(kSwaLr, with_goal(optimizer, options)),
      anneal_epochs_(options.anneal_epochs),
      annealing_(options.anneal_strategy) {
  start();
}

double SWALR::part(std::int64_t epoch) const {
  const std::int64_t length = std::max<std::int64_t>(1, anneal_epochs_);
  const double t = std::clamp(static_cast<double>(epoch) / static_cast<double>(length), 0.0, 1.0);
  return annealing_ == Annealing::linear ? t : (1 - std::cos(std::numbers::pi * t)) / 2;
}

/// The rate was (1 - before) * first + before * swa_lr, from which the first follows.
double SWALR::next_lr(std::size_t group, double lr, std::int64_t epoch) const {
  if (anneal_epochs_ == 0) epoch = std::max<std::int64_t>(1, epoch);
  const double goal = optimizer().schedule(group).at("swa_lr").as_float();
  const double before = part(epoch - 1), now = part(epoch);
  const double first = before == 1 ? goal : (lr - before * goal) / (1 - before);
  return goal * now + first * (1 - now);
}

Dict SWALR::options() const {
  return {{"anneal_epochs", anneal_epochs_}, {"_anneal_func_type", to_string(annealing_)}};
}

Commit SWALR::prepare(const Dict& state_dict) {
  // PyTorch saves the annealing function itself, which no reader of ours constructs.
  Dict state = state_dict;
  state.erase("anneal_func");
  if (!state.contains("_anneal_func_type")) state.insert("_anneal_func_type", to_string(annealing_));
  return ChainableLR::prepare(state);
}

Commit SWALR::prepare_options(const Dict& options) {
  const std::int64_t epochs = options.at("anneal_epochs").as_int();
  nn::detail::expect_at_least(0, kSwaLr, "anneal_epochs", epochs);
  Annealing annealing{};
  from_string(options.at("_anneal_func_type").as_text(), annealing);
  return [this, epochs, annealing] {
    anneal_epochs_ = epochs;
    annealing_ = annealing;
  };
}

}  // namespace teff::optim
