// SPDX-License-Identifier: MIT
#include "teff/nn/layers/upsample.h"

#include "teff/nn/text.h"

namespace teff::nn {
namespace {

/// As it was given.
std::string float_or_tuple(const ScaleFactor& scale) {
  const std::string depth = detail::python_float(scale.depth), height = detail::python_float(scale.height),
                    width = detail::python_float(scale.width);
  if (scale.given == 1) return width;
  return '(' + (scale.given == 3 ? depth + ", " : "") + height + ", " + width + ')';
}

}  // namespace

Upsample::Upsample(const char* layer, const InterpolateOptions& options) : options_(options) {
  detail::expect(options.size.has_value() != options.scale_factor.has_value(), layer, "either a size or a scale_factor",
                 options.size ? "both" : "neither");
  if (options.size) {
    detail::expect_at_least(1, layer, "size", options.size->sizes());
  } else {
    const ScaleFactor& scale = *options.scale_factor;
    detail::expect(scale.height > 0 && scale.width > 0 && scale.depth > 0, layer, "scale_factor > 0",
                   float_or_tuple(scale));
  }
}

Tensor Upsample::forward(const Tensor& input) { return interpolate(input, options_); }

std::string Upsample::extra_repr() const {
  std::string text = "scale_factor=";
  if (options_.size) {
    const IntList& sizes = options_.size->sizes();
    text = "size=" + (sizes.size() == 1 ? std::to_string(sizes[0]) : detail::tuple(sizes));
  } else {
    text += float_or_tuple(*options_.scale_factor);
  }
  return text + ", mode=" + std::string(to_string(options_.mode));
}

}  // namespace teff::nn
