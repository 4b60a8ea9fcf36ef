// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace fashion {

struct CurvePoint {
  double epoch = 0;  // how far training was: 1.5 is half through the second epoch
  double value = 0;
};

/// What a training run leaves behind to look at.
struct Curve {
  std::vector<CurvePoint> loss;      // mean training loss of the batches since the point before
  std::vector<CurvePoint> accuracy;  // on the test images, per cent
};

/// Writes the curve as an SVG picture: loss above, accuracy below, over the same epochs.
/// @throws teff::ValueError if there is no point; teff::IoError if the file cannot be written.
void write_svg(const Curve& curve, const std::string& title, const std::string& path);

}  // namespace fashion
