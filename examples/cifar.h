// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <teff/nn/data/dataset.h>

namespace cifar {

inline constexpr std::int64_t kImageBytes = 3 * 32 * 32;

/// The two sets of 32 x 32 colour images (Krizhevsky, 2009), by the number of classes.
enum class Kind { cifar10, cifar100 };

/// Images and their classes.
struct Records {
  teff::Tensor images;  // uint8 [N, 3, 32, 32]: red, green, blue
  teff::Tensor labels;  // int64 [N]: in [0, 10), or for CIFAR-100 the fine ones in [0, 100)
};

/// Reads a file of the "binary version" of https://www.cs.toronto.edu/~kriz/cifar.html, unpacked: data_batch_1.bin to
/// data_batch_5.bin and test_batch.bin of CIFAR-10, train.bin and test.bin of CIFAR-100. It is records without a
/// header:
///
///     type           field
///     uint8          CIFAR-100 only: coarse class, 0 to 19
///     uint8          class
///     uint8[3072]    pixels by channel, row, column
///
/// @throws teff::IoError if the file cannot be read; teff::FormatError, with its name, if it is anything else.
Records read_records(const std::string& path, Kind kind);

/// The same for the content of a file. `name` begins error messages.
Records parse_records(std::span<const std::uint8_t> bytes, Kind kind, const std::string& name);

/// The training or test images of a folder, as torchvision's ToTensor gives them: float32 [3, 32, 32] of [0, 1].
class Cifar : public teff::data::Dataset {
 public:
  enum class Part { train, test };

  /// @throws teff::IoError, teff::FormatError.
  Cifar(const std::string& folder, Kind kind, Part part);

  std::int64_t size() const override { return records_.labels.size(0); }
  teff::data::Example get(std::int64_t index) override;
  /// data float32 [N, 3, 32, 32], target int64 [N]. @throws teff::IndexError.
  teff::data::Example batch(std::span<const std::int64_t> indices) override;

 private:
  Records records_;
};

}  // namespace cifar
