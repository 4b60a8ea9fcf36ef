// SPDX-License-Identifier: MIT
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "examples/image_codecs.h"

namespace images::detail {
namespace {

constexpr std::int64_t kMostInflation = 1032;  // bytes that deflate makes of one; a pixel may be a bit

/// libpng's reader. Its errors leave by longjmp, past all destructors, so the steps below have none to run.
class PngReader {
 public:
  explicit PngReader(Bytes bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      close();
      throw teff::Error("read_image: cannot start libpng");
    }
    png_set_read_fn(png_, this, read);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { close(); }

  void read_header() {
    step([this] { png_read_info(png_, info_); });
  }
  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }

  /// Into [height, width, 3], whatever the file has.
  void read_pixels(std::uint8_t* to) {
    step([this, to] {
      png_set_expand(png_);  // palettes, fewer than 8 bits, and transparent colours
      png_set_strip_16(png_);
      png_set_strip_alpha(png_);
      png_set_gray_to_rgb(png_);
      const int passes = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      const std::size_t row = png_get_rowbytes(png_, info_), rows = png_get_image_height(png_, info_);
      if (row != std::size_t{3} * png_get_image_width(png_, info_)) png_error(png_, "not three channels of 8 bits");
      for (int pass = 0; pass < passes; ++pass) {
        for (std::size_t y = 0; y < rows; ++y) png_read_row(png_, to + y * row, nullptr);
      }
      png_read_end(png_, nullptr);
    });
  }

 private:
  template <class Step>
  void step(Step act) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw teff::FormatError(std::string("expected a PNG, got: ") + message_.data());
    act();
  }

  void close() { png_destroy_read_struct(&png_, &info_, nullptr); }

  static void read(png_structp png, png_bytep to, std::size_t count) {
    Bytes& left = static_cast<PngReader*>(png_get_io_ptr(png))->left_;
    if (count > left.size()) png_error(png, "one that is cut off");
    std::memcpy(to, left.data(), count);
    left = left.subspan(count);
  }
  [[noreturn]] static void fail(png_structp png, png_const_charp message) {
    auto& text = static_cast<PngReader*>(png_get_error_ptr(png))->message_;
    std::snprintf(text.data(), text.size(), "%s", message);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp, png_const_charp) {}  // warnings

  Bytes left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 200> message_{};
};

}  // namespace

teff::Tensor decode_png(Bytes bytes, std::int64_t most_pixels) {
  PngReader reader(bytes);
  reader.read_header();
  check_size(reader.width(), reader.height(), most_pixels);
  check_claim(reader.width(), reader.height(), bytes, kMostInflation * 8);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(reader.width() * reader.height()) * 3);
  reader.read_pixels(pixels.data());
  return to_planes(pixels, reader.height(), reader.width(), 3);
}

}  // namespace images::detail
