// SPDX-License-Identifier: MIT
#include "teff/nn/train/resample.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"

namespace teff::transforms {
namespace {

/// For each place of the result: which places of a line it is a mean of, and their weights.
struct Means {
  struct Mean {
    std::int64_t first;
    std::vector<double> weights;
  };
  std::vector<Mean> of;

  /// A triangle over twice the distance of two results, or of two pixels if that is more.
  Means(std::int64_t from, std::int64_t to) {
    const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
    for (std::int64_t i = 0; i < to; ++i) {
      const double centre = scale * (static_cast<double>(i) + 0.5);
      const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(centre - reach + 0.5)), 0);
      const auto last = std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(centre + reach + 0.5)), from);
      Mean mean{first, {}};
      double sum = 0;
      for (std::int64_t j = first; j < last; ++j) {
        const double distance = std::abs(static_cast<double>(j) - centre + 0.5) / reach;
        mean.weights.push_back(std::max(0.0, 1 - distance));
        sum += mean.weights.back();
      }
      for (double& weight : mean.weights) weight /= sum;
      of.push_back(std::move(mean));
    }
  }
};

/// Lines of `from`, whose elements are `step` apart, to lines of `to`.
template <class T>
void apply_means(const Means& means, const T* from, std::int64_t step, T* to) {
  for (const Means::Mean& mean : means.of) {
    const T* x = from + mean.first * step;
    for (std::int64_t column = 0; column < step; ++column) {
      double sum = 0;
      for (std::size_t j = 0; j < mean.weights.size(); ++j) {
        sum += mean.weights[j] * static_cast<double>(x[static_cast<std::int64_t>(j) * step + column]);
      }
      *to++ = static_cast<T>(sum);
    }
  }
}

template <class T>
void resample(const Tensor& images, const Tensor& result) {
  const std::int64_t height = images.size(1), width = images.size(2), rows = result.size(1), columns = result.size(2);
  const Means across(width, columns), down(height, rows);
  parallel_for(images.size(0), [&](std::int64_t n) {
    std::vector<T> narrow(static_cast<std::size_t>(height * columns));
    const T* from = images.data<T>() + n * height * width;
    for (std::int64_t row = 0; row < height; ++row) {
      apply_means(across, from + row * width, 1, narrow.data() + row * columns);
    }
    apply_means(down, narrow.data(), columns, result.data<T>() + n * rows * columns);
  });
}

}  // namespace

Tensor resampled(const Tensor& images, const Pair& size, bool antialias) {
  if (!antialias) {
    return interpolate(images.unsqueeze(0), {.size = size, .mode = InterpolateMode::bilinear}).squeeze(0);
  }
  const Tensor result = empty({images.size(0), size.height, size.width}, {.dtype = images.dtype()});
  if (images.dtype() == DType::float32) {
    resample<float>(images, result);
  } else {
    resample<double>(images, result);
  }
  return result;
}

}  // namespace teff::transforms
