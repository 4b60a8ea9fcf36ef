// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <teff/teff.h>

namespace images {

/// Pictures in folders that are named after their classes, as torchvision.datasets.ImageFolder:
///
///   root/cat/1.png    root/cat/more/2.jpg    root/dog/3.ppm
///
/// Class 0 is the folder whose name comes first. Within a class files are sorted by folder, then by name.
class ImageFolder : public teff::data::Dataset {
 public:
  /// What becomes of a picture uint8 [3, H, W]: a Preset, for one.
  using Transform = std::function<teff::Tensor(const teff::Tensor& image)>;

  struct Sample {
    std::string path;
    std::int64_t target;
  };

  /// Looks for files, and opens none yet.
  /// @throws teff::IoError if the folder cannot be read, or has no folders, or one without pictures.
  ImageFolder(const std::string& root, Transform transform);

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  /// The picture and its class, int64 []. @throws teff::IndexError; what read_image and the transform throw.
  teff::data::Example get(std::int64_t index) override;

  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  Transform transform_;
  std::vector<std::string> classes_;
  std::vector<Sample> samples_;
};

}  // namespace images
