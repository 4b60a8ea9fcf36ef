// SPDX-License-Identifier: MIT
// The whole way with teff::train: a part of the data held back, pictures changed at random by several workers, a
// schedule, an end when the held-back part gets no better, the best checkpoint, logs, and the scores of the best on
// unseen data.
//
//   training_kit [FOLDER WITH FASHION-MNIST [EPOCHS]]

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <teff/nn/train/augmentation.h>
#include <teff/nn/train/color.h>
#include <teff/nn/train/dataset_tools.h>
#include <teff/nn/train/early_stopping.h>
#include <teff/nn/train/model_summary.h>
#include <teff/nn/train/rotation.h>
#include <teff/nn/train/scalar_log.h>
#include <teff/nn/train/scores.h>
#include <teff/teff.h>

#include "examples/fashion_mnist.h"

using namespace teff;

struct Network : nn::Module {
  nn::Conv2d conv1{1, 16, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{16};
  nn::Conv2d conv2{16, 32, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{32};
  nn::Dropout dropout{0.2};
  nn::Linear fc{32 * 7 * 7, 10};
  TEFF_MODULE(Network, conv1, bn1, conv2, bn2, dropout, fc)

  Tensor forward(const Tensor& images) override {
    Tensor x = max_pool2d(relu(bn1(conv1(images))), 2);
    x = max_pool2d(relu(bn2(conv2(x))), 2);
    return fc(dropout(flatten(x, 1)));
  }
};

constexpr fashion::ImageForm kForm{.channels = 1, .padding = 0};

struct Validation {
  double loss = 0;
  metrics::ConfusionMatrix classes{10};
  metrics::ClassRocAuc auc{10};
};

Validation validate(Network& network, const data::DataLoader& loader) {
  const NoGradGuard no_grad;
  network.eval();
  Validation result;
  std::int64_t count = 0;
  for (const auto& [images, labels] : loader) {
    const Tensor scores = network(images);
    result.loss += cross_entropy(scores, labels, {.reduction = Reduction::sum}).item<float>();
    result.classes.add(scores, labels);
    result.auc.add(softmax(scores, 1), labels);
    count += labels.numel();
  }
  result.loss /= static_cast<double>(count);
  return result;
}

double train_epoch(Network& network, optim::AdamW& optimizer, optim::OneCycleLR& schedule,
                   const data::DataLoader& loader) {
  network.train();
  double loss_sum = 0;
  for (const auto& [images, labels] : loader) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(network(images), labels);
    loss.backward();
    optimizer.step();
    schedule.step();
    loss_sum += loss.item<float>();
  }
  return loss_sum / static_cast<double>(loader.size());
}

void run(const std::string& data_folder, std::int64_t epochs) {
  using namespace teff::transforms;
  manual_seed(0);
  const auto all = std::make_shared<fashion::FashionMnist>(data_folder, fashion::FashionMnist::Part::train, kForm);
  fashion::FashionMnist unseen(data_folder, fashion::FashionMnist::Part::test, kForm);
  const auto parts = data::random_split(all, data::split_lengths(all->size(), {0.9, 0.1}));

  // Only what is trained on is changed. The batches do not depend on the number of workers.
  data::TransformedDataset changed(parts[0],
                                   Compose{RandomHorizontalFlip(), RandomRotation(8, {.fill = {fashion::kBlack}}),
                                           RandomCrop(28, {.padding = 2, .fill = fashion::kBlack}),
                                           RandomErasing({.p = 0.25, .value = {{fashion::kBlack}}})});
  const data::DataLoader training(changed, {.batch_size = 64, .shuffle = true, .prefetch = 4, .num_workers = 2});
  const data::DataLoader held_back(parts[1], {.batch_size = 256}), test(unseen, {.batch_size = 256});

  Network network;
  std::cout << nn::summary(network, {1, 1, 28, 28}) << '\n';
  optim::AdamW optimizer(network.named_parameters(), {.weight_decay = 0.05});
  optim::OneCycleLR schedule(optimizer, {.max_lr = 0.005, .total_steps = epochs * training.size()});
  EarlyStopping stopping({.patience = 4});
  TrainingState state;
  state.add("model", network).add("optimizer", optimizer).add("schedule", schedule).add("stopping", stopping);

  const std::string out = "training_kit_out";
  std::filesystem::remove_all(out);
  std::filesystem::create_directories(out);
  Checkpoints checkpoints(out + "/checkpoints", {.keep_last = 1});
  CsvLog table(out + "/log.csv", {"epoch", "loss", "validation_loss", "accuracy", "f1", "auc"});
  TensorBoardLog curves(out + "/curves");
  while (state.epoch < epochs && !stopping.stop()) {
    const double loss = train_epoch(network, optimizer, schedule, training);
    const Validation now = validate(network, held_back);
    ++state.epoch;
    state.step = state.epoch;
    const bool best = stopping.add(now.loss);
    checkpoints.save(state, now.loss);
    table.add({static_cast<double>(state.epoch), loss, now.loss, now.classes.accuracy(), metrics::f1_macro(now.classes),
               now.auc.macro()});
    curves.add_scalar("loss/train", loss, state.epoch);
    curves.add_scalar("loss/validation", now.loss, state.epoch);
    std::cout << "epoch " << state.epoch << ": loss " << loss << ", held back " << now.loss << ", accuracy "
              << now.classes.accuracy() << (best ? " (the best)" : "") << std::endl;
  }

  network.load_state_dict(load(checkpoints.best()->path).at("model_state_dict").as_dict());
  const Validation last = validate(network, test);
  std::cout << "epoch " << stopping.best_index() + 1 << " on unseen pictures: accuracy " << last.classes.accuracy()
            << ", F1 " << metrics::f1_macro(last.classes) << ", AUC " << last.auc.macro()
            << "\nrows are classes, columns what they were taken for:\n"
            << last.classes.counts() << "\nlogs and checkpoints are in " << out << '\n';
}

int main(int argc, char** argv) {
  try {
    run(fashion::find_data(argc > 1 ? argv[1] : ""), argc > 2 ? std::stoll(argv[2]) : 12);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
