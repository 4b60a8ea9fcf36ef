// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <teff/teff.h>

namespace images {

constexpr std::int64_t kMaxPixels = 100'000'000;

/// The pixels of a PNG, JPEG, PPM or PGM file (the last two binary, of values up to 255) as uint8 [3, H, W]: red,
/// green, blue. Grey pictures get three equal channels; transparency is dropped, and so is the rotation that a camera
/// noted down. PNG is decoded by libpng, JPEG by libjpeg, whose versions may differ by a few units.
/// @throws teff::IoError if the file cannot be read; teff::FormatError if it is no such picture, is damaged or cut off,
/// or has more than kMaxPixels.
teff::Tensor read_image(const std::string& path);

/// The same from the bytes of such a file.
/// @throws teff::FormatError as read_image, and beyond `most_pixels` or 1 GiB.
teff::Tensor decode_image(std::span<const std::uint8_t> bytes, std::int64_t most_pixels = kMaxPixels);

}  // namespace images
