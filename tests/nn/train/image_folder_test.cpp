// SPDX-License-Identifier: MIT
#include "teff/nn/train/image_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "golden/augment_golden.h"
#include "support/error_of.h"
#include "support/temp_file.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/data/data_loader.h"
#include "teff/nn/train/augmentation.h"

namespace fs = std::filesystem;
using namespace teff;
using testing::error_of;
using testing::TempFolder;

namespace {

void put_file(const std::string& path, const std::string& content = "") {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

/// A picture of as many rows and columns as the file has bytes, each pixel that number.
Tensor load_square(const std::string& path) {
  const auto side = static_cast<std::int64_t>(fs::file_size(path));
  return full({3, side, side}, static_cast<double>(side), {.dtype = DType::uint8});
}

}  // namespace

TEST_CASE("classes and files are in torchvision's order") {
  const TempFolder folder;
  for (const std::string& name : golden::augment::kFolderFiles) put_file(folder / name);
  const data::ImageFolder pictures(folder.path(), load_square);
  CHECK(pictures.classes() == golden::augment::kFolderClasses);
  std::vector<std::string> samples;
  for (const auto& sample : pictures.samples()) {
    samples.push_back(std::to_string(sample.target) + ' ' + sample.path.substr(folder.path().size() + 1));
  }
  CHECK(samples == golden::augment::kFolderSamples);
}

TEST_CASE("pictures of several sizes become a batch by their transform, the same for any number of workers") {
  const TempFolder folder;
  for (int i = 1; i <= 9; ++i)
    put_file(folder / (i % 2 == 0 ? "even/" : "odd/") + std::to_string(i) + ".png", std::string(i + 3, 'x'));
  data::ImageFolder pictures(
      folder.path(), load_square,
      {.transform = transforms::Compose{transforms::RandomResizedCrop(4), transforms::RandomErasing({.value = {}})}});
  CHECK(pictures.size() == 9);
  CHECK(pictures.get(0).data.shape() == Shape{3, 4, 4});
  std::vector<Dict> epochs;
  for (const std::int64_t workers : {0, 1, 3}) {
    Generator generator(4);
    Dict epoch;
    const data::DataLoader loader(pictures,
                                  {.batch_size = 2, .shuffle = true, .generator = &generator, .num_workers = workers});
    for (const auto& [images, labels] : loader) {
      epoch.insert("images" + std::to_string(epoch.size()), images);
      epoch.insert("labels" + std::to_string(epoch.size()), labels);
    }
    epochs.push_back(epoch);
  }
  CHECK(epochs[0].size() == 10);
  CHECK(Value(epochs[1]) == Value(epochs[0]));
  CHECK(Value(epochs[2]) == Value(epochs[0]));
}

TEST_CASE("a folder without classes, or a class without pictures, is refused") {
  const TempFolder folder;
  CHECK(error_of<IoError>([&] { data::ImageFolder(folder.path(), load_square); }) ==
        folder.path() + ": expected a folder for each class, got none");
  put_file(folder / "cat/notes.txt");
  CHECK(error_of<IoError>([&] {
          data::ImageFolder(folder.path(), load_square, {.extensions = {".png", ".ppm"}});
        }) == folder / "cat" + ": expected pictures (.png, .ppm), got none");
  CHECK(error_of<IoError>([&] { data::ImageFolder(folder / "absent", load_square); }) ==
        folder / "absent" + ": expected folders that can be read, got No such file or directory");
  CHECK(error_of<TypeError>([&] { data::ImageFolder(folder.path(), nullptr); }) ==
        "ImageFolder: expected a loader, got an empty function");
  put_file(folder / "cat/1.png");
  data::ImageFolder one(folder.path(), load_square);
  CHECK(error_of<IndexError>([&] { one.get(1); }) == "ImageFolder: expected an index in [0, 1), got 1");
}
