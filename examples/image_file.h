// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <teff/teff.h>

namespace images {

/// The pixels of a PNG, JPEG, PPM or PGM file (the last two binary, of values up to 255) as uint8 [3, H, W]: red, green,
/// blue. Grey pictures get three equal channels; transparency is dropped, and so is the rotation that a camera noted down.
/// PNG and JPEG are decoded by stb_image: pixels of PNG are exact, those of JPEG may differ by a few units from other
/// decoders'; checksums in PNG are not verified.
/// @throws teff::IoError if the file cannot be read; teff::FormatError if it is no such picture, is damaged or cut off, or
/// has more than 100 million pixels.
teff::Tensor read_image(const std::string& path);

}  // namespace images
