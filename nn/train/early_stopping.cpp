// SPDX-License-Identifier: MIT
#include "teff/nn/train/early_stopping.h"

#include <cmath>
#include <limits>

#include "teff/engine/error.h"
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

Dict EarlyStopping::state_dict() const {
  return {{"maximise", options_.maximise},
          {"best", best_},
          {"best_index", best_index_},
          {"count", count_},
          {"since_best", since_best_}};
}

Commit EarlyStopping::prepare_load(const Dict& state_dict) {
  try {
    nn::detail::expect(state_dict.at("maximise").as_bool() == options_.maximise, "EarlyStopping",
                       "maximise " + nn::detail::python_bool(options_.maximise),
                       nn::detail::python_bool(!options_.maximise));
    const double best = state_dict.at("best").as_float();
    const std::int64_t index = state_dict.at("best_index").as_int(), count = state_dict.at("count").as_int();
    const std::int64_t since = state_dict.at("since_best").as_int();
    nn::detail::expect(index >= -1 && since >= 0 && count - since == index + 1, "EarlyStopping",
                       "a count that ends since_best values behind the best", std::to_string(count));
    return [this, best, index, count, since] {
      best_ = best;
      best_index_ = index;
      count_ = count;
      since_best_ = since;
    };
  } catch (const Error& error) {
    throw StateDictError(std::string("EarlyStopping: loaded state dict is not valid: ") + error.what());
  }
}

}  // namespace teff
