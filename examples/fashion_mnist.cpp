// SPDX-License-Identifier: MIT
#include "examples/fashion_mnist.h"

#include <algorithm>
#include <filesystem>

#include "examples/idx.h"

namespace fashion {
namespace {

constexpr std::int64_t kSide = 28;
constexpr auto kPixels = static_cast<std::size_t>(kSide * kSide);

constexpr const char* kDebianFolder = "/usr/share/datasets/fashion-mnist";
constexpr const char* kEmbeddedFolder = TEFF_EXAMPLES_DATA_DIR "/fashion-mnist";

/// In the folder's file of that name, gzip'd or unpacked.
teff::Tensor read(const std::string& folder, const std::string& name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  return read_idx(std::filesystem::exists(path + ".gz") || !std::filesystem::exists(path) ? path + ".gz" : path);
}

/// What the network gets for each value of a pixel.
std::array<float, 256> normalised_pixels() {
  std::array<float, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = (static_cast<float>(i) / 255.0F - 0.5F) / 0.5F;
  return table;
}

/// pixels [28, 28] -> channel [side, side]
void write_channel(std::span<const std::uint8_t> pixels, const ImageForm& form, float* channel) {
  static const std::array<float, 256> table = normalised_pixels();
  std::fill_n(channel, form.side() * form.side(), kBlack);
  for (std::int64_t row = 0; row < kSide; ++row) {
    const auto line = pixels.subspan(static_cast<std::size_t>(row * kSide), static_cast<std::size_t>(kSide));
    std::transform(line.begin(), line.end(), channel + (row + form.padding) * form.side() + form.padding,
                   [](std::uint8_t pixel) { return table[pixel]; });
  }
}

/// pixels [28, 28] -> image [channels, side, side]
void write_image(std::span<const std::uint8_t> pixels, const ImageForm& form, float* image) {
  const std::int64_t size = form.side() * form.side();
  write_channel(pixels, form, image);
  for (std::int64_t c = 1; c < form.channels; ++c) std::copy_n(image, size, image + c * size);
}

void check(const std::string& folder, const teff::Tensor& images, const teff::Tensor& labels) {
  if (images.dim() != 3 || images.size(1) != kSide || images.size(2) != kSide) {
    throw teff::FormatError(folder + ": expected images [N, 28, 28], got " + teff::to_string(images.shape()));
  }
  if (labels.shape() != teff::Shape{images.size(0)}) {
    throw teff::FormatError(folder + ": expected a label for each of " + std::to_string(images.size(0)) +
                            " images, got " + teff::to_string(labels.shape()));
  }
  for (const std::uint8_t label : labels.span<std::uint8_t>()) {
    if (label >= kClassNames.size()) {
      throw teff::FormatError(folder + ": expected labels from 0 to 9, got " + std::to_string(label));
    }
  }
}

}  // namespace

std::string find_data(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  for (const char* folder : {kDebianFolder, kEmbeddedFolder}) {
    if (std::filesystem::is_directory(folder)) return folder;
  }
  throw teff::IoError(std::string("no data: neither ") + kDebianFolder + " nor " + kEmbeddedFolder +
                      " is there; install dataset-fashion-mnist or give a folder with --data");
}

FashionMnist::FashionMnist(const std::string& folder, Part part, const ImageForm& form) : form_(form) {
  const std::string name = part == Part::train ? "train" : "t10k";
  images_ = read(folder, name + "-images-idx3-ubyte");
  labels_ = read(folder, name + "-labels-idx1-ubyte");
  check(folder, images_, labels_);
}

std::span<const std::uint8_t> FashionMnist::pixels(std::int64_t index) const {
  if (index < 0 || index >= images_.size(0)) {
    throw teff::IndexError("FashionMnist: expected an index below " + std::to_string(images_.size(0)) + ", got " +
                           std::to_string(index));
  }
  return std::span<const std::uint8_t>(images_.span<std::uint8_t>())
      .subspan(static_cast<std::size_t>(index) * kPixels, kPixels);
}

std::int64_t FashionMnist::label(std::int64_t index) const {
  static_cast<void>(pixels(index));  // checks the index
  return labels_.data<std::uint8_t>()[index];
}

teff::data::Example FashionMnist::get(std::int64_t index) {
  const teff::data::Example one = batch({&index, 1});
  return {one.data[0], one.target[0]};
}

teff::data::Example FashionMnist::batch(std::span<const std::int64_t> indices) {
  const auto count = static_cast<std::int64_t>(indices.size());
  teff::data::Example batch{teff::empty({count, form_.channels, form_.side(), form_.side()}),
                            teff::empty({count}, {.dtype = teff::DType::int64})};
  float* image = batch.data.data<float>();
  std::int64_t* target = batch.target.data<std::int64_t>();
  for (const std::int64_t index : indices) {
    write_image(pixels(index), form_, image);
    image += form_.channels * form_.side() * form_.side();
    *target++ = label(index);
  }
  return batch;
}

}  // namespace fashion
