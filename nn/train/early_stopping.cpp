// SPDX-License-Identifier: MIT
#include "teff/nn/train/early_stopping.h"

#include <cmath>
#include <limits>

#include "teff/nn/text.h"

namespace teff {

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : options_(options),
      best_(options.maximise ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {
  nn::detail::expect_at_least(1, "EarlyStopping", "patience", options.patience);
  nn::detail::expect(options.min_delta >= 0 && std::isfinite(options.min_delta), "EarlyStopping",
                     "min_delta at least 0 and finite", nn::detail::python_float(options.min_delta));
}

bool EarlyStopping::add(double value) {
  const double gain = options_.maximise ? value - best_ : best_ - value;
  const bool better = gain > options_.min_delta;  // not for NaN
  if (better) {
    best_ = value;
    best_index_ = count_;
  }
  since_best_ = better ? 0 : since_best_ + 1;
  ++count_;
  return better;
}

}  // namespace teff
