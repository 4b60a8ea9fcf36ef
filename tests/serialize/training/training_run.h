// SPDX-License-Identifier: MIT
#pragma once

// A training run with everything that can make a difference: dropout, batch norm, shuffling, random changes of the
// images, a schedule, an optimiser with state.

#include <string>
#include <vector>

#include "support/deep_copy.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"
#include "teff/serialize/training/checkpoint.h"

namespace teff::testing {

struct TrainingNet : nn::Module {
  nn::Conv2d conv{1, 4, 3};
  nn::BatchNorm2d bn{4};
  nn::Dropout dropout{0.25};
  nn::Linear fc{4 * 4 * 4, 3};
  TEFF_MODULE(TrainingNet, conv, bn, dropout, fc)

  Tensor forward(const Tensor& x) override { return fc(dropout(relu(bn(conv(x)))).flatten(1)); }
};

inline data::TensorDataset training_data() {
  Generator generator(17);
  return data::TensorDataset(randn({37, 1, 6, 6}, generator), randint(0, 3, {37}, generator));
}

struct TrainingRun {
  explicit TrainingRun(std::int64_t prefetch = 0, Generator* generator = nullptr)
      : loader(dataset, {.batch_size = 5, .shuffle = true, .generator = generator, .prefetch = prefetch}) {
    state.add("model", net).add("optimizer", optimizer).add("scheduler", scheduler).add("loader", loader);
  }

  /// Trains until `last` steps have been made in all; an epoch has 8.
  void train_to(std::int64_t last) {
    while (state.step < last) {
      for (const auto& [images, labels] : loader) {
        optimizer.zero_grad();
        const Tensor loss = cross_entropy(net(images), labels);
        loss.backward();
        optimizer.step();
        scheduler.step();
        losses.push_back(loss.item<float>());
        if (++state.step == last) return;
      }
      ++state.epoch;
    }
  }

  TrainingNet net;
  optim::AdamW optimizer{net.named_parameters(), {.lr = 0.01, .amsgrad = true}};
  optim::OneCycleLR scheduler{optimizer, {.max_lr = 0.05, .total_steps = 60}};
  data::TensorDataset plain_images = training_data();
  data::TransformedDataset dataset{
      plain_images, transforms::Compose{transforms::RandomCrop(6, {.padding = 1}), transforms::RandomHorizontalFlip()}};
  data::DataLoader loader;
  TrainingState state;
  std::vector<float> losses;
};

}  // namespace teff::testing
