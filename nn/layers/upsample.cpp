// SPDX-License-Identifier: MIT
#include "teff/nn/layers/upsample.h"

#include "teff/nn/text.h"

namespace teff::nn {
namespace {

std::string float_or_pair(const ScaleFactor& scale) {
  const std::string height = detail::python_float(scale.height), width = detail::python_float(scale.width);
  return height == width ? height : '(' + height + ", " + width + ')';
}

}  // namespace

Upsample::Upsample(const InterpolateOptions& options) : options_(options) {
  detail::expect(options.size.has_value() != options.scale_factor.has_value(), "Upsample",
                 "either a size or a scale_factor", options.size ? "both" : "neither");
  if (options.size) {
    detail::expect_at_least(1, "Upsample", "size", *options.size);
  } else {
    const ScaleFactor& scale = *options.scale_factor;
    detail::expect(scale.height > 0 && scale.width > 0, "Upsample", "scale_factor > 0", float_or_pair(scale));
  }
}

Tensor Upsample::forward(const Tensor& input) { return interpolate(input, options_); }

std::string Upsample::extra_repr() const {
  const std::string size = options_.size ? "size=" + detail::int_or_pair(*options_.size)
                                         : "scale_factor=" + float_or_pair(*options_.scale_factor);
  return size + ", mode=" + std::string(to_string(options_.mode));
}

}  // namespace teff::nn
