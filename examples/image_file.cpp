// SPDX-License-Identifier: MIT
#include "examples/image_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>

namespace images {

using namespace teff;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr std::uintmax_t kMaxFileBytes = 1U << 30;  // stb_image counts in int

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw IoError(path + ": expected a file that can be read, got none");
  if (size > kMaxFileBytes) throw FormatError(path + ": expected at most 1 GiB, got " + std::to_string(size) + " bytes");
  return {std::istreambuf_iterator<char>(file), {}};
}

void check_size(std::int64_t width, std::int64_t height) {
  if (width >= 1 && height >= 1 && width <= kMaxPixels / height) return;
  throw FormatError("expected 1 to " + std::to_string(kMaxPixels) + " pixels, got " + std::to_string(height) + " rows of " +
                    std::to_string(width));
}

/// Pixels [H, W, channels] of 1 or 3 channels -> [3, H, W].
Tensor to_planes(Bytes pixels, std::int64_t height, std::int64_t width, int channels) {
  const Tensor image = empty({3, height, width}, {.dtype = DType::uint8});
  auto* to = image.data<std::uint8_t>();
  for (int c = 0; c < 3; ++c) {
    const std::uint8_t* from = pixels.data() + (channels == 3 ? c : 0);
    for (std::int64_t i = 0; i < height * width; ++i, from += channels) *to++ = *from;
  }
  return image;
}

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

Tensor read_pnm(Bytes bytes) {
  Header header(bytes);
  const std::int64_t width = header.number(), height = header.number(), most = header.number();
  check_size(width, height);
  if (most != 255) throw FormatError("expected values up to 255, got up to " + std::to_string(most));
  const int channels = bytes[1] == '6' ? 3 : 1;
  const Bytes pixels = header.rest();
  if (static_cast<std::int64_t>(pixels.size()) < height * width * channels) {
    throw FormatError("expected " + std::to_string(height * width * channels) + " bytes of pixels, got " +
                      std::to_string(pixels.size()));
  }
  return to_planes(pixels, height, width, channels);
}

/// stb_image goes on, with grey, where a JPEG file ends too early.
void check_end_of_jpeg(Bytes bytes) {
  constexpr std::array<std::uint8_t, 2> kScan{0xff, 0xda}, kEnd{0xff, 0xd9};
  const auto last_scan = std::ranges::find_end(bytes, kScan);
  if (std::ranges::search(last_scan.begin(), bytes.end(), kEnd.begin(), kEnd.end()).empty()) {
    throw FormatError("expected a JPEG with its end, got one that is cut off");
  }
}

Tensor read_by_stb(Bytes bytes) {
  const int size = static_cast<int>(bytes.size());
  const auto refuse = [] {
    throw FormatError(std::string("expected a PNG, JPEG, PPM or PGM picture, got ") + stbi_failure_reason());
  };
  int width = 0, height = 0, channels = 0;
  if (stbi_info_from_memory(bytes.data(), size, &width, &height, &channels) == 0) refuse();
  check_size(width, height);
  if (bytes[0] == 0xff) check_end_of_jpeg(bytes);
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(bytes.data(), size, &width, &height, &channels, 3), stbi_image_free);
  if (pixels == nullptr) refuse();
  return to_planes({pixels.get(), static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3}, height, width,
                   3);
}

}  // namespace

Tensor read_image(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  const bool is_pnm = bytes.size() > 2 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6');
  try {
    return is_pnm ? read_pnm(bytes) : read_by_stb(bytes);
  } catch (const FormatError& error) {
    throw FormatError(path + ": " + error.what());
  }
}

}  // namespace images
