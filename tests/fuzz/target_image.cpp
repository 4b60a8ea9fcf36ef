// SPDX-License-Identifier: MIT
#include "examples/image_file.h"
#include "fuzz/checks.h"
#include "teff/engine/error.h"

namespace teff::fuzz {

/// What examples/classify reads. Larger pictures would only be slower.
void run_image(std::span<const std::byte> bytes) {
  constexpr std::int64_t kMostPixels = 1 << 14;
  Tensor image;
  try {
    image = images::decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, kMostPixels);
  } catch (const FormatError&) {
    return;
  }
  expect(image.dim() == 3 && image.size(0) == 3 && image.dtype() == DType::uint8, "a picture is uint8 [3, H, W]");
  expect(image.numel() > 0 && image.numel() <= 3 * kMostPixels, "a picture has pixels, and no more than asked for");
}

}  // namespace teff::fuzz
