// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/data/transforms.h"

namespace teff::testing {

/// Pixels as golden files have them, of any dtype. `off` is how far whole numbers may be.
inline void check_image(const Tensor& image, const std::vector<double>& expected, double off = 0) {
  REQUIRE(image.numel() == static_cast<std::int64_t>(expected.size()));
  const double epsilon = image.dtype() == DType::float64 ? 1e-9 : 2e-5;
  const Tensor values = image.to(DType::float64);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    const double difference = std::abs(values.span<double>()[i] - expected[i]);
    CHECK(difference <= off + (image.dtype() == DType::uint8 ? 0 : epsilon * (1 + std::abs(expected[i]))));
  }
}

/// The `draws` of make_augment_golden.py: a sum of each image, the last image, and what the generator gives then.
inline void check_seeded_draws(const transforms::Transform& transform, const Tensor& image,
                               const std::vector<double>& sums, const std::vector<double>& last,
                               const std::vector<std::int64_t>& left) {
  Generator generator(17);
  Tensor drawn;
  for (const double expected : sums) {
    drawn = transform(image, generator);
    double sum = 0, weight = 0;
    const Tensor values = drawn.to(DType::float64);
    for (const double value : values.span<double>()) sum += value * ++weight;
    CHECK(sum == doctest::Approx(expected).epsilon(2e-5));
  }
  check_image(drawn, last);
  std::vector<std::int64_t> next(2);
  random_(next.data(), 2, 0, 1000000, generator);
  CHECK(next == left);
}

}  // namespace teff::testing

/// Of the golden numbers of one name.
#define CHECK_SEEDED_DRAWS(name, image, ...)                                                  \
  teff::testing::check_seeded_draws(__VA_ARGS__, image, teff::golden::augment::k##name##Sums, \
                                    teff::golden::augment::k##name##Last, teff::golden::augment::k##name##Left)
