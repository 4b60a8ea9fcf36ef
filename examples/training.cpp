// SPDX-License-Identifier: MIT
#include "examples/training.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace fashion {
namespace {

constexpr std::int64_t kPointsPerEpoch = 20;

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

}  // namespace

float Training::run_batch(const teff::Tensor& images, const teff::Tensor& labels) {
  optimizer.zero_grad();
  const teff::Tensor loss = cross_entropy(net(images), labels);
  loss.backward();
  optimizer.step();
  return loss.item<float>();
}

double Training::run_epoch(const teff::data::DataLoader& batches, const Report& report) {
  const std::int64_t total = batches.size();
  const std::int64_t batches_per_point = std::max<std::int64_t>(1, total / kPointsPerEpoch);
  Mean all, late;
  std::int64_t images_done = 0;
  net.train();
  for (const auto& [images, labels] : batches) {
    const double loss = run_batch(images, labels);
    if (!std::isfinite(loss)) {
      throw teff::Error("the loss became " + std::to_string(loss) + " in epoch " + std::to_string(epoch + 1) +
                        ": try a smaller learning rate");
    }
    all.add(loss);
    late.add(loss);
    images_done += images.size(0);
    report(images_done, all.value());
    if (all.count % batches_per_point == 0) {
      const double part = static_cast<double>(all.count) / static_cast<double>(total);
      curve.loss.push_back({static_cast<double>(epoch) + part, late.value()});
      late = {};
    }
  }
  ++epoch;
  return all.value();
}

teff::Dict Training::checkpoint() const {
  return {{"epoch", epoch},
          {"model_state_dict", net.state_dict()},
          {"optimizer_state_dict", optimizer.state_dict()},
          {"loss", curve.loss.empty() ? teff::Value() : teff::Value(curve.loss.back().value)},
          {"loss_curve", to_tensor(curve.loss)},
          {"accuracy_curve", to_tensor(curve.accuracy)},
          {"rng_state", teff::tensor(teff::default_generator().get_state())}};
}

void Training::resume(const teff::Dict& checkpoint) {
  net.load_state_dict(checkpoint.at("model_state_dict").as_dict());
  optimizer.load_state_dict(checkpoint.at("optimizer_state_dict").as_dict());
  epoch = checkpoint.at("epoch").as_int();
  curve = {to_points(checkpoint.at("loss_curve").as_tensor()),
           to_points(checkpoint.at("accuracy_curve").as_tensor())};
  teff::default_generator().set_state(checkpoint.at("rng_state").as_tensor().span<std::uint8_t>());
}

teff::Tensor predict(teff::nn::Module& model, const teff::data::DataLoader& batches) {
  const teff::NoGradGuard no_grad;
  model.eval();
  std::vector<teff::Tensor> classes;
  for (const auto& batch : batches) classes.push_back(model(batch.data).argmax(1));
  return teff::cat(classes);
}

}  // namespace fashion
