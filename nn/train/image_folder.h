// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "teff/nn/data/dataset.h"
#include "teff/nn/data/transforms.h"

namespace TEFF_EXPORT teff {
namespace data {

struct ImageFolderOptions {
  /// What becomes of a picture on its way to the network; nothing if empty. In a batch all must come out alike.
  transforms::Transform transform = {};
  /// Ends of the names of pictures, in lower case; capitals in names count as small. Default: torchvision's.
  std::vector<std::string> extensions = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"};
};

/// Pictures in folders that are named after their classes, as torchvision.datasets.ImageFolder:
///
///   root/cat/1.png    root/cat/more/2.jpg    root/dog/3.ppm
///
///   data::ImageFolder pictures("root", images::read_image, {.transform = Compose{RandomResizedCrop(224), ...}});
///
/// Class 0 is the folder whose name comes first, by bytes. Within a class files are sorted by folder, then by name;
/// links to folders are followed. Teff decodes no pictures itself: examples/image_file.h does, by libpng and libjpeg.
class ImageFolder : public Dataset {
 public:
  /// Reads a file: uint8 [3, H, W], as a rule. Called from as many threads at once as the loader has workers.
  using Loader = std::function<Tensor(const std::string& path)>;

  struct Sample {
    std::string path;
    std::int64_t target;
  };

  /// Looks for files, and opens none yet.
  /// @throws IoError if the folder cannot be read, or has no folders, or one without pictures; TypeError for an empty
  /// loader.
  ImageFolder(const std::string& root, Loader loader, ImageFolderOptions options = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_.size()); }
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<Sample>& samples() const { return samples_; }

  /// The picture and its class, int64 []. What is random in the transform is drawn from default_generator(), but in
  /// batch_with. These throw IndexError, and what loader and transform throw.
  Example get(std::int64_t index) override;
  Example batch(std::span<const std::int64_t> indices) override;
  /// Loads and transforms one after the other, each on its own, so that their sizes in the files may differ.
  Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override;

 private:
  Example get_with(std::int64_t index, Generator& generator) const;

  Loader loader_;
  ImageFolderOptions options_;
  std::vector<std::string> classes_;
  std::vector<Sample> samples_;
};

}  // namespace data
}  // namespace teff
