// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Pixels added on each side of an image, or taken away where negative (zeros only); one number stands for all.
struct PadSizes {
  std::int64_t left = 0, right = 0, top = 0, bottom = 0;
  template <WholeNumber T>
  PadSizes(T all) : PadSizes(all, all, all, all) {}
  PadSizes(Integer its_left, Integer its_right, Integer its_top, Integer its_bottom)
      : left(its_left), right(its_right), top(its_top), bottom(its_bottom) {}
};

/// teff::pad of images [N, C, H, W] on their four sides: base of the layers below.
class Pad2d : public Module {
 public:
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 protected:
  Pad2d(const PadSizes& sizes, PadMode mode) : sizes_(sizes), mode_(mode) {}

 private:
  PadSizes sizes_;
  PadMode mode_;
};

/// With zeros.
class ZeroPad2d : public Pad2d {
 public:
  explicit ZeroPad2d(const PadSizes& padding) : Pad2d(padding, PadMode::constant) {}
  TEFF_MODULE(ZeroPad2d)
};

/// With the image mirrored at its border's pixels.
class ReflectionPad2d : public Pad2d {
 public:
  explicit ReflectionPad2d(const PadSizes& padding) : Pad2d(padding, PadMode::reflect) {}
  TEFF_MODULE(ReflectionPad2d)
};

/// With the border's pixels.
class ReplicationPad2d : public Pad2d {
 public:
  explicit ReplicationPad2d(const PadSizes& padding) : Pad2d(padding, PadMode::replicate) {}
  TEFF_MODULE(ReplicationPad2d)
};

}  // namespace nn
}  // namespace teff
