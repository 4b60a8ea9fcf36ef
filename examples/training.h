// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <teff/teff.h>

#include "examples/curve.h"
#include "examples/fashion_mnist.h"

namespace fashion {

/// What a training run is defined by, together with the seed of the default generator.
struct Settings {
  std::string model = "net";          // or "small_cnn"
  std::string schedule = "constant";  // or "one_cycle": lr is then its maximum
  std::int64_t crop_padding = 0;      // random crops of images with so many black pixels around; 0: none
  bool flip = false;                  // every other image mirrored
  std::int64_t epochs = 5;
  std::int64_t batch = 32;
  double lr = 0.01;
  double momentum = 0.9;
  double weight_decay = 0;

  bool augments() const { return crop_padding > 0 || flip; }
  /// What the model takes.
  ImageForm form() const;

  teff::Dict to_dict() const;
  /// @throws teff::Error if something is missing or of another kind.
  static Settings from_dict(const teff::Dict& dict);
};

/// @throws teff::ValueError for another name than those above.
std::unique_ptr<teff::nn::Module> make_model(const std::string& name);

/// The images, and the batches that training and test get.
struct Data {
  Data(const std::string& folder, const Settings& settings);
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  FashionMnist train_images, test_images;
  teff::data::TransformedDataset augmented;  // train_images
  teff::data::DataLoader train, test;
};

/// All that a training run consists of. What `state` writes down is enough to go on exactly where it stopped:
/// the same batches, the same losses, the same weights as without the break.
class Training {
 public:
  /// Refers to the data.
  Training(const Settings& settings, Data& data);
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  /// Called after each batch with the number of images and the mean loss of the epoch so far.
  using Report = std::function<void(std::int64_t, double)>;

  /// Trains one epoch and returns its mean loss. @throws teff::Error when the loss is no longer finite.
  double run_epoch(const Report& report);
  /// Adds the epoch's accuracy to the curve and writes a checkpoint.
  void save(teff::Checkpoints& checkpoints, double accuracy);
  /// @throws teff::Error if there is no checkpoint, or it is not one of such a run.
  teff::ResumeReport resume(teff::Checkpoints& checkpoints);

  teff::nn::Module& model() { return *model_; }
  std::int64_t epoch() const { return state_.epoch; }  // finished ones
  const Curve& curve() const { return curve_; }

 private:
  float run_batch(const teff::Tensor& images, const teff::Tensor& labels);

  Data* data_;
  std::unique_ptr<teff::nn::Module> model_;
  teff::optim::SGD optimizer_;
  std::optional<teff::optim::OneCycleLR> scheduler_;
  teff::TrainingState state_;
  Curve curve_;
};

/// The classes, int64 [N], that a model in evaluation mode gives to all images.
teff::Tensor predict(teff::nn::Module& model, const teff::data::DataLoader& batches);

}  // namespace fashion
