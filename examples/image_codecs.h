// SPDX-License-Identifier: MIT
#pragma once

// Private to image_file.h: the formats. Each decoder takes a whole file and throws teff::FormatError.

#include <cstdint>
#include <span>

#include <teff/teff.h>

namespace images::detail {

using Bytes = std::span<const std::uint8_t>;

/// @throws teff::FormatError unless there are 1 to `most_pixels`.
void check_size(std::int64_t width, std::int64_t height, std::int64_t most_pixels);

/// What a small file claims is not allocated. @throws teff::FormatError for more pixels than such a file can hold, if
/// each of its bytes holds at most `pixels_of_byte`.
void check_claim(std::int64_t width, std::int64_t height, Bytes file, std::int64_t pixels_of_byte);

/// Pixels [H, W, channels] of 1 or 3 channels -> [3, H, W].
teff::Tensor to_planes(Bytes pixels, std::int64_t height, std::int64_t width, int channels);

teff::Tensor decode_png(Bytes bytes, std::int64_t most_pixels);
teff::Tensor decode_jpeg(Bytes bytes, std::int64_t most_pixels);

}  // namespace images::detail
