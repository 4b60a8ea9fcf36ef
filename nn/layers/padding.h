// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Values added on each side of what is padded, or taken away where negative (constants only): left, right, then of
/// images top, bottom, then of volumes front, back. One number stands for all.
template <std::size_t dims>
class PadSizesOf {
 public:
  template <WholeNumber T>
  PadSizesOf(T all) {
    for (std::size_t i = 0; i < 2 * dims; ++i) sides_.push_back(Integer(all));
  }
  template <WholeNumber... T>
  requires(sizeof...(T) == 2 * dims) PadSizesOf(T... sides) : sides_{Integer(sides)...} {}
  const IntList& sides() const { return sides_; }

 private:
  IntList sides_;
};
using PadSizes1d = PadSizesOf<1>;
using PadSizes = PadSizesOf<2>;
using PadSizes3d = PadSizesOf<3>;

/// teff::pad of the last dimensions of [N, C, ...]: base of the layers below.
class PadLayer : public Module {
 public:
  /// @throws ShapeError unless the input has the layer's rank.
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 protected:
  PadLayer(const IntList& sides, PadMode mode) : sides_(sides), mode_(mode) {}
  PadLayer(const IntList& sides, double value) : sides_(sides), value_(value) {}
  const IntList& sides() const { return sides_; }
  double value() const { return value_; }

 private:
  IntList sides_;
  PadMode mode_ = PadMode::constant;
  double value_ = 0;
};

// With zeros.

class ZeroPad1d : public PadLayer {
 public:
  explicit ZeroPad1d(const PadSizes1d& padding) : PadLayer(padding.sides(), 0.0) {}
  TEFF_MODULE(ZeroPad1d)
};

class ZeroPad2d : public PadLayer {
 public:
  explicit ZeroPad2d(const PadSizes& padding) : PadLayer(padding.sides(), 0.0) {}
  TEFF_MODULE(ZeroPad2d)
};

class ZeroPad3d : public PadLayer {
 public:
  explicit ZeroPad3d(const PadSizes3d& padding) : PadLayer(padding.sides(), 0.0) {}
  TEFF_MODULE(ZeroPad3d)
};

// With a value.

class ConstantPad : public PadLayer {
 public:
  std::string extra_repr() const override;

 protected:
  using PadLayer::PadLayer;
};

class ConstantPad1d : public ConstantPad {
 public:
  ConstantPad1d(const PadSizes1d& padding, double value) : ConstantPad(padding.sides(), value) {}
  TEFF_MODULE(ConstantPad1d)
};

class ConstantPad2d : public ConstantPad {
 public:
  ConstantPad2d(const PadSizes& padding, double value) : ConstantPad(padding.sides(), value) {}
  TEFF_MODULE(ConstantPad2d)
};

class ConstantPad3d : public ConstantPad {
 public:
  ConstantPad3d(const PadSizes3d& padding, double value) : ConstantPad(padding.sides(), value) {}
  TEFF_MODULE(ConstantPad3d)
};

// With the values mirrored at those of the border.

class ReflectionPad1d : public PadLayer {
 public:
  explicit ReflectionPad1d(const PadSizes1d& padding) : PadLayer(padding.sides(), PadMode::reflect) {}
  TEFF_MODULE(ReflectionPad1d)
};

class ReflectionPad2d : public PadLayer {
 public:
  explicit ReflectionPad2d(const PadSizes& padding) : PadLayer(padding.sides(), PadMode::reflect) {}
  TEFF_MODULE(ReflectionPad2d)
};

class ReflectionPad3d : public PadLayer {
 public:
  explicit ReflectionPad3d(const PadSizes3d& padding) : PadLayer(padding.sides(), PadMode::reflect) {}
  TEFF_MODULE(ReflectionPad3d)
};

// With the values of the border.

class ReplicationPad1d : public PadLayer {
 public:
  explicit ReplicationPad1d(const PadSizes1d& padding) : PadLayer(padding.sides(), PadMode::replicate) {}
  TEFF_MODULE(ReplicationPad1d)
};

class ReplicationPad2d : public PadLayer {
 public:
  explicit ReplicationPad2d(const PadSizes& padding) : PadLayer(padding.sides(), PadMode::replicate) {}
  TEFF_MODULE(ReplicationPad2d)
};

class ReplicationPad3d : public PadLayer {
 public:
  explicit ReplicationPad3d(const PadSizes3d& padding) : PadLayer(padding.sides(), PadMode::replicate) {}
  TEFF_MODULE(ReplicationPad3d)
};

// With the values of the other side.

class CircularPad1d : public PadLayer {
 public:
  explicit CircularPad1d(const PadSizes1d& padding) : PadLayer(padding.sides(), PadMode::circular) {}
  TEFF_MODULE(CircularPad1d)
};

class CircularPad2d : public PadLayer {
 public:
  explicit CircularPad2d(const PadSizes& padding) : PadLayer(padding.sides(), PadMode::circular) {}
  TEFF_MODULE(CircularPad2d)
};

class CircularPad3d : public PadLayer {
 public:
  explicit CircularPad3d(const PadSizes3d& padding) : PadLayer(padding.sides(), PadMode::circular) {}
  TEFF_MODULE(CircularPad3d)
};

}  // namespace nn
}  // namespace teff
