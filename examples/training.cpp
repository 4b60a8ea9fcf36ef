// SPDX-License-Identifier: MIT
#include "examples/training.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "examples/models/net.h"
#include "examples/models/small_cnn.h"

namespace fashion {
namespace {

constexpr std::int64_t kPointsPerEpoch = 20;
constexpr std::int64_t kTestBatch = 250;

/// Points as a tensor float64 [n, 2], and back.
teff::Tensor to_tensor(const std::vector<CurvePoint>& points) {
  std::vector<double> numbers;
  for (const CurvePoint& point : points) numbers.insert(numbers.end(), {point.epoch, point.value});
  return teff::tensor(numbers, {static_cast<std::int64_t>(points.size()), 2});
}

std::vector<CurvePoint> to_points(const teff::Tensor& tensor) {
  const std::span<double> numbers = tensor.span<double>();
  std::vector<CurvePoint> points;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) points.push_back({numbers[i], numbers[i + 1]});
  return points;
}

/// A mean that is fed one number after the other.
struct Mean {
  double sum = 0;
  std::int64_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

teff::transforms::Compose augmentation(const Settings& settings) {
  std::vector<teff::transforms::Transform> transforms;
  if (settings.crop_padding > 0) {
    transforms.emplace_back(
        teff::transforms::RandomCrop(settings.form().side(), {.padding = settings.crop_padding, .fill = kBlack}));
  }
  if (settings.flip) transforms.emplace_back(teff::transforms::RandomHorizontalFlip());
  return teff::transforms::Compose(std::move(transforms));
}

}  // namespace

ImageForm Settings::form() const { return model == "net" ? ImageForm{} : ImageForm{.channels = 1, .padding = 0}; }

teff::Dict Settings::to_dict() const {
  return {{"model", model}, {"schedule", schedule}, {"crop_padding", crop_padding},
          {"flip", flip},   {"epochs", epochs},     {"batch", batch},
          {"lr", lr},       {"momentum", momentum}, {"weight_decay", weight_decay}};
}

Settings Settings::from_dict(const teff::Dict& dict) {
  return {.model = dict.at("model").as_text(),
          .schedule = dict.at("schedule").as_text(),
          .crop_padding = dict.at("crop_padding").as_int(),
          .flip = dict.at("flip").as_bool(),
          .epochs = dict.at("epochs").as_int(),
          .batch = dict.at("batch").as_int(),
          .lr = dict.at("lr").as_float(),
          .momentum = dict.at("momentum").as_float(),
          .weight_decay = dict.at("weight_decay").as_float()};
}

std::unique_ptr<teff::nn::Module> make_model(const std::string& name) {
  if (name == "net") return std::make_unique<Net>();
  if (name == "small_cnn") return std::make_unique<SmallCnn>();
  throw teff::ValueError("model: expected net or small_cnn, got " + name);
}

Data::Data(const std::string& folder, const Settings& settings)
    : train_images(folder, FashionMnist::Part::train, settings.form()),
      test_images(folder, FashionMnist::Part::test, settings.form()),
      augmented(train_images, augmentation(settings)),
      train(settings.augments() ? static_cast<teff::data::Dataset&>(augmented) : train_images,
            {.batch_size = settings.batch, .shuffle = true}),
      test(test_images, {.batch_size = kTestBatch}) {}

Training::Training(const Settings& settings, Data& data)
    : data_(&data),
      model_(make_model(settings.model)),
      optimizer_(model_->named_parameters(),
                 {.lr = settings.lr, .momentum = settings.momentum, .weight_decay = settings.weight_decay}) {
  state_.add("model", *model_).add("optimizer", optimizer_).add("loader", data.train);
  if (settings.schedule == "constant") return;
  scheduler_.emplace(optimizer_, teff::optim::OneCycleLROptions{.max_lr = settings.lr,
                                                                .total_steps = settings.epochs * data.train.size(),
                                                                .pct_start = 0.2,
                                                                .cycle_momentum = false});
  state_.add("scheduler", *scheduler_);
}

float Training::run_batch(const teff::Tensor& images, const teff::Tensor& labels) {
  optimizer_.zero_grad();
  const teff::Tensor loss = cross_entropy((*model_)(images), labels);
  loss.backward();
  optimizer_.step();
  if (scheduler_) scheduler_->step();
  ++state_.step;
  return loss.item<float>();
}

double Training::run_epoch(const Report& report) {
  const std::int64_t total = data_->train.size();
  const std::int64_t batches_per_point = std::max<std::int64_t>(1, total / kPointsPerEpoch);
  Mean all, late;
  std::int64_t images_done = 0;
  model_->train();
  for (const auto& [images, labels] : data_->train) {
    const double loss = run_batch(images, labels);
    if (!std::isfinite(loss)) {
      throw teff::Error("the loss became " + std::to_string(loss) + " in epoch " + std::to_string(state_.epoch + 1) +
                        ": try a smaller learning rate");
    }
    all.add(loss);
    late.add(loss);
    images_done += images.size(0);
    report(images_done, all.value());
    if (all.count % batches_per_point == 0) {
      const double part = static_cast<double>(all.count) / static_cast<double>(total);
      curve_.loss.push_back({static_cast<double>(state_.epoch) + part, late.value()});
      late = {};
    }
  }
  ++state_.epoch;
  return all.value();
}

void Training::save(teff::Checkpoints& checkpoints, double accuracy) {
  curve_.accuracy.push_back({static_cast<double>(state_.epoch), accuracy});
  state_.values = {{"loss_curve", to_tensor(curve_.loss)}, {"accuracy_curve", to_tensor(curve_.accuracy)}};
  checkpoints.save(state_, accuracy);
}

teff::ResumeReport Training::resume(teff::Checkpoints& checkpoints) {
  teff::ResumeReport report = checkpoints.resume(state_);
  if (!report.loaded) throw teff::IoError("--resume: expected a checkpoint, got none");
  curve_ = {to_points(state_.values.at("loss_curve").as_tensor()),
            to_points(state_.values.at("accuracy_curve").as_tensor())};
  return report;
}

teff::Tensor predict(teff::nn::Module& model, const teff::data::DataLoader& batches) {
  const teff::NoGradGuard no_grad;
  model.eval();
  std::vector<teff::Tensor> classes;
  for (const auto& batch : batches) classes.push_back(model(batch.data).argmax(1));
  return teff::cat(classes);
}

}  // namespace fashion
