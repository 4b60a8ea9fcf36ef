// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <teff/teff.h>

namespace fashion {

inline constexpr std::array<std::string_view, 10> kClassNames = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};

/// The folder with the data: `wanted` if that is not empty, else that of Debian's package
/// dataset-fashion-mnist, else the small part of the same images in examples/data.
/// @throws teff::IoError if there is none of them.
std::string find_data(const std::string& wanted);

/// What a network gets of an image.
struct ImageForm {
  std::int64_t channels = 3;  // as often the one channel
  std::int64_t padding = 2;   // black pixels around the 28 x 28
  std::int64_t side() const { return 28 + 2 * padding; }
};
/// The value of black pixels: 0, normalised.
inline constexpr float kBlack = -1;

/// Grey images of 28 x 28 and their classes, kept as the bytes of the files. What the network gets is made
/// when a batch is asked for: (x / 255 - 0.5) / 0.5, in the given form; by default [3, 32, 32].
class FashionMnist : public teff::data::Dataset {
 public:
  enum class Part { train, test };

  /// Reads the images and labels of a folder. @throws teff::IoError, teff::FormatError.
  FashionMnist(const std::string& folder, Part part, const ImageForm& form = {});

  std::int64_t size() const override { return images_.size(0); }
  teff::data::Example get(std::int64_t index) override;
  /// data float32 [N, channels, side, side], target int64 [N]. @throws teff::IndexError.
  teff::data::Example batch(std::span<const std::int64_t> indices) override;

  /// As in the file: 28 rows of 28 bytes, 0 is black. @throws teff::IndexError.
  std::span<const std::uint8_t> pixels(std::int64_t index) const;
  std::int64_t label(std::int64_t index) const;

 private:
  teff::Tensor images_;  // uint8 [N, 28, 28]
  teff::Tensor labels_;  // uint8 [N]
  ImageForm form_;
};

}  // namespace fashion
