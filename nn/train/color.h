// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "teff/nn/data/transforms.h"

// torchvision's changes of colours, for images [..., C, H, W] of one channel, or of three: red, green, blue. float32
// and float64 from 0 to 1, or uint8, which is computed in float32 and rounded down. With torchvision's random numbers
// after the same seed.

namespace TEFF_EXPORT teff {
namespace transforms {

/// ratio * image + (1 - ratio) * other, kept within [0, 1] (uint8: 255): other is black, the mean of the grey image,
/// the grey image. So 0 gives the other, 1 the image as it is, and more takes it away from the other. Images of one
/// channel have no saturation. @throws ValueError for a negative factor; ShapeError, TypeError for other images.
Tensor adjust_brightness(const Tensor& image, double factor);
Tensor adjust_contrast(const Tensor& image, double factor);
Tensor adjust_saturation(const Tensor& image, double factor);
/// The hue, as an angle, turned by so many whole turns; one channel has none.
/// @throws ValueError unless -0.5 <= turns <= 0.5; ShapeError, TypeError.
Tensor adjust_hue(const Tensor& image, double turns);
/// 0.2989 red + 0.587 green + 0.114 blue: [..., 1, H, W]; one channel stays. @throws ShapeError, TypeError.
Tensor rgb_to_grayscale(const Tensor& image);

/// How much a colour may change: a factor from [max(0, 1 - amount), 1 + amount] (for hue: from [-amount, amount]), or
/// from [least, greatest].
struct Jitter {
  double least, greatest;
  bool around = false;  // one number
  Jitter(double amount) : least(-amount), greatest(amount), around(true) {}
  Jitter(double l, double g) : least(l), greatest(g) {}
};

struct ColorJitterOptions {
  Jitter brightness = 0;
  Jitter contrast = 0;
  Jitter saturation = 0;
  Jitter hue = 0;
};

/// Brightness, contrast, saturation and hue by random factors, in random order.
class ColorJitter {
 public:
  /// @throws ValueError for a negative factor, a hue outside [-0.5, 0.5], and least > greatest.
  explicit ColorJitter(const ColorJitterOptions& options);
  /// @throws what adjust_brightness throws.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  std::vector<Jitter> ranges_;  // of the four, in their order
};

/// The image in grey, of as many channels, with probability p.
class RandomGrayscale {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit RandomGrayscale(double p = 0.1);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double p_;
};

/// All of the transforms, one after the other, with probability p; else none. (RandomChoice and RandomOrder are not
/// here: torchvision's draw from Python's own generator.)
class RandomApply {
 public:
  /// @throws ValueError unless 0 <= p <= 1; TypeError for an empty function.
  explicit RandomApply(std::vector<Transform> transforms, double p = 0.5);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Compose transforms_;
  double p_;
};

}  // namespace transforms
}  // namespace teff
