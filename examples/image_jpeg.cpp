// SPDX-License-Identifier: MIT
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "examples/image_codecs.h"

namespace images::detail {
namespace {

constexpr std::int64_t kBlockPixels = 64;  // each block has a Huffman code, of one bit or more

/// libjpeg's reader. Its errors leave by longjmp, past all destructors, so the steps below have none to run.
class JpegReader {
 public:
  explicit JpegReader(Bytes bytes) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = fail;
    errors_.emit_message = judge;
    info_.client_data = this;
    step([this, bytes] {
      jpeg_create_decompress(&info_);
      jpeg_mem_src(&info_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    });
    progress_.progress_monitor = watch;
    info_.progress = &progress_;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info_); }

  void read_header() {
    step([this] {
      jpeg_read_header(&info_, TRUE);
      const bool inks = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
      info_.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    });
  }
  bool is_arithmetic() const { return info_.arith_code != FALSE; }
  std::int64_t width() const { return info_.image_width; }
  std::int64_t height() const { return info_.image_height; }
  int channels() const { return info_.out_color_space == JCS_CMYK ? 4 : 3; }

  /// Into [height, width, channels].
  void read_pixels(std::uint8_t* to) {
    step([this, to] {
      jpeg_start_decompress(&info_);
      const std::size_t row = static_cast<std::size_t>(info_.output_width) * static_cast<std::size_t>(channels());
      while (info_.output_scanline < info_.output_height) {
        JSAMPROW place = to + info_.output_scanline * row;
        jpeg_read_scanlines(&info_, &place, 1);
      }
      jpeg_finish_decompress(&info_);
    });
  }

 private:
  static constexpr int kMostScans = 200;  // a progressive file has some ten

  template <class Step>
  void step(Step act) {
    if (setjmp(back_) != 0) throw teff::FormatError(std::string("expected a JPEG, got: ") + message_.data());
    act();
  }

  [[noreturn]] static void fail(j_common_ptr info) {
    auto& reader = *static_cast<JpegReader*>(info->client_data);
    info->err->format_message(info, reader.message_.data());
    std::longjmp(reader.back_, 1);
  }
  /// Warnings have a level of -1. libjpeg would go on, with grey, where a file is damaged or ends too early.
  static void judge(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR) fail(info);
  }
  /// Each scan goes over the whole picture, however few bytes it has.
  static void watch(j_common_ptr info) {
    auto& reader = *static_cast<JpegReader*>(info->client_data);
    if (reader.info_.input_scan_number <= kMostScans) return;
    std::snprintf(reader.message_.data(), reader.message_.size(), "more than %d scans", kMostScans);
    std::longjmp(reader.back_, 1);
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf back_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

/// Inks as JPEG files have them, 255 for none of it -> red, green, blue, in place.
std::vector<std::uint8_t> without_inks(std::vector<std::uint8_t> pixels) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < pixels.size(); from += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[to++] = static_cast<std::uint8_t>((pixels[from + c] * pixels[from + 3] + 127) / 255);
    }
  }
  pixels.resize(to);
  return pixels;
}

}  // namespace

teff::Tensor decode_jpeg(Bytes bytes, std::int64_t most_pixels) {
  JpegReader reader(bytes);
  reader.read_header();
  check_size(reader.width(), reader.height(), most_pixels);
  if (!reader.is_arithmetic()) check_claim(reader.width(), reader.height(), bytes, kBlockPixels * 8);
  const auto count = static_cast<std::size_t>(reader.width() * reader.height());
  std::vector<std::uint8_t> pixels(count * static_cast<std::size_t>(reader.channels()));
  reader.read_pixels(pixels.data());
  if (reader.channels() == 4) pixels = without_inks(std::move(pixels));
  return to_planes(pixels, reader.height(), reader.width(), 3);
}

}  // namespace images::detail
