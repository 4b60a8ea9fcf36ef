// SPDX-License-Identifier: MIT
#pragma once

// Private: what the random transforms draw, and the checks that they share.

#include <cmath>
#include <cstdint>
#include <string>

#include "teff/engine/error.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor.h"
#include "teff/nn/text.h"

namespace teff::transforms {

inline void expect_image(const char* owner, const Tensor& image, std::int64_t dims, const char* layout) {
  if (image.dim() >= dims) return;
  throw ShapeError(std::string(owner) + ": expected an image " + layout + ", got " + to_string(image.shape()));
}

inline void expect_pixel_dtype(const char* owner, const Tensor& image) {
  const DType dtype = image.dtype();
  if (dtype == DType::float32 || dtype == DType::float64 || dtype == DType::uint8) return;
  throw TypeError(std::string(owner) + ": expected an image of float32, float64 or uint8, got " +
                  std::string(to_string(dtype)));
}

inline void expect_probability(const char* owner, double p) {
  nn::detail::expect(p >= 0 && p <= 1, owner, "p in [0, 1]", nn::detail::python_float(p));
}

inline std::string range_text(double least, double greatest) {
  return '(' + nn::detail::python_float(least) + ", " + nn::detail::python_float(greatest) + ')';
}

/// In float32, as torchvision draws.
inline double draw_uniform(double least, double greatest, Generator& generator) {
  float drawn = 0;
  uniform_(&drawn, 1, least, greatest, generator);
  return drawn;
}

/// A probability beside what draw_uniform gives: PyTorch compares in float32.
inline double in_float(double p) { return static_cast<double>(static_cast<float>(p)); }

/// Uniform in [0, greatest].
inline std::int64_t draw_up_to(std::int64_t greatest, Generator& generator) {
  std::int64_t drawn = 0;
  random_(&drawn, 1, 0, greatest + 1, generator);
  return drawn;
}

/// As Python's round(): halves to the even number.
inline std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

}  // namespace teff::transforms
