// SPDX-License-Identifier: MIT
#include "examples/image_file.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "examples/image_codecs.h"
#include "examples/read_file.h"

namespace images {

using namespace teff;

void detail::check_size(std::int64_t width, std::int64_t height, std::int64_t most_pixels) {
  if (width >= 1 && height >= 1 && width <= most_pixels / height) return;
  throw FormatError("expected 1 to " + std::to_string(most_pixels) + " pixels, got " + std::to_string(height) +
                    " rows of " + std::to_string(width));
}

void detail::check_claim(std::int64_t width, std::int64_t height, Bytes file, std::int64_t pixels_of_byte) {
  const std::int64_t most = static_cast<std::int64_t>(file.size()) * pixels_of_byte;
  if (width <= most / height) return;
  throw FormatError("expected at most " + std::to_string(most) + " pixels in " + std::to_string(file.size()) +
                    " bytes, got " + std::to_string(height) + " rows of " + std::to_string(width));
}

Tensor detail::to_planes(Bytes pixels, std::int64_t height, std::int64_t width, int channels) {
  const Tensor image = empty({3, height, width}, {.dtype = DType::uint8});
  auto* to = image.data<std::uint8_t>();
  for (int c = 0; c < 3; ++c) {
    const std::uint8_t* from = pixels.data() + (channels == 3 ? c : 0);
    for (std::int64_t i = 0; i < height * width; ++i, from += channels) *to++ = *from;
  }
  return image;
}

namespace {

using detail::Bytes;

constexpr std::size_t kMaxFileBytes = 1U << 30;

/// The header of a PPM or PGM: numbers among white space and comments.
class Header {
 public:
  explicit Header(Bytes bytes) : bytes_(bytes) {}

  std::int64_t number() {
    while (place_ < bytes_.size() && !is_digit()) {
      if (bytes_[place_] == '#') {
        while (place_ < bytes_.size() && bytes_[place_] != '\n') ++place_;
      } else if (std::string_view(" \t\r\n").find(static_cast<char>(bytes_[place_])) == std::string_view::npos) {
        break;
      } else {
        ++place_;
      }
    }
    std::int64_t value = 0;
    const std::size_t first = place_;
    while (place_ < bytes_.size() && is_digit() && value <= kMaxPixels) value = value * 10 + (bytes_[place_++] - '0');
    if (place_ == first) throw FormatError("expected a number at byte " + std::to_string(first) + ", got none");
    return value;
  }

  /// What follows the one character behind the header.
  Bytes rest() const { return bytes_.subspan(std::min(place_ + 1, bytes_.size())); }

 private:
  bool is_digit() const { return bytes_[place_] >= '0' && bytes_[place_] <= '9'; }

  Bytes bytes_;
  std::size_t place_ = 2;
};

Tensor decode_pnm(Bytes bytes, std::int64_t most_pixels) {
  Header header(bytes);
  const std::int64_t width = header.number(), height = header.number(), most = header.number();
  detail::check_size(width, height, most_pixels);
  if (most != 255) throw FormatError("expected values up to 255, got up to " + std::to_string(most));
  const int channels = bytes[1] == '6' ? 3 : 1;
  const Bytes pixels = header.rest();
  if (static_cast<std::int64_t>(pixels.size()) < height * width * channels) {
    throw FormatError("expected " + std::to_string(height * width * channels) + " bytes of pixels, got " +
                      std::to_string(pixels.size()));
  }
  return detail::to_planes(pixels, height, width, channels);
}

}  // namespace

Tensor decode_image(Bytes bytes, std::int64_t most_pixels) {
  if (bytes.size() > kMaxFileBytes) throw FormatError("expected at most 1 GiB, got " + std::to_string(bytes.size()));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\x89PNG")) return detail::decode_png(bytes, most_pixels);
  if (text.starts_with("\xff\xd8")) return detail::decode_jpeg(bytes, most_pixels);
  if (text.starts_with("P5") || text.starts_with("P6")) return decode_pnm(bytes, most_pixels);
  throw FormatError("expected a PNG, JPEG, PPM or PGM picture, got something else");
}

Tensor read_image(const std::string& path) {
  const std::vector<std::uint8_t> bytes = examples::read_file(path, kMaxFileBytes);
  try {
    return decode_image(bytes);
  } catch (const FormatError& error) {
    throw FormatError(path + ": " + error.what());
  }
}

}  // namespace images
