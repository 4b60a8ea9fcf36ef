// SPDX-License-Identifier: MIT
#include "teff/nn/optim/line_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace teff::optim::detail {
namespace {

constexpr double kDecrease = 1e-4, kCurvature = 0.9;
constexpr int kMostEvaluations = 25;

/// The minimum in [low, high] of the cubic with these losses and slopes at a and b; the middle if it has none.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const LinePoint &left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double place = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(place, low), high);
}

class WolfeSearch {
 public:
  WolfeSearch(const std::function<LinePoint(double)>& evaluate, const LinePoint& start, double width)
      : evaluate_(evaluate), start_(start), width_(width) {}

  LineSearchResult run(double first) {
    LinePoint point = look(first), before = start_;
    int tries = 0;
    while (tries < kMostEvaluations) {
      if (!decreases(point) || (tries > 1 && point.loss >= before.loss)) return narrow(before, point, tries);
      if (is_flat(point)) return {point, evaluations_};
      if (point.slope >= 0) return narrow(before, point, tries);
      const double next = cubic_minimum(before, point, point.t + 0.01 * (point.t - before.t), point.t * 10);
      before = std::exchange(point, look(next));
      ++tries;
    }
    return {start_.loss <= point.loss ? start_ : point, evaluations_};
  }

 private:
  LinePoint look(double t) {
    ++evaluations_;
    return evaluate_(t);
  }
  bool decreases(const LinePoint& point) const {
    return point.loss <= start_.loss + kDecrease * point.t * start_.slope;
  }
  bool is_flat(const LinePoint& point) const { return std::abs(point.slope) <= -kCurvature * start_.slope; }

  /// Between the two there is a point of the kind.
  LineSearchResult narrow(const LinePoint& a, const LinePoint& b, int tries) {
    const bool a_is_lower = a.loss <= b.loss;
    LinePoint low = a_is_lower ? a : b, high = a_is_lower ? b : a;
    bool stuck = false;  // the last place was near an end
    for (; tries < kMostEvaluations && std::abs(high.t - low.t) * width_ >= 1; ++tries) {
      const double left = std::min(low.t, high.t), right = std::max(low.t, high.t);
      const double t = away_from_ends(cubic_minimum(low, high, left, right), left, right, stuck);
      const LinePoint point = look(t);
      if (!decreases(point) || point.loss >= low.loss) {
        high = point;
        if (high.loss < low.loss) std::swap(low, high);
        continue;
      }
      const bool done = is_flat(point);
      if (!done && point.slope * (high.t - low.t) >= 0) high = low;
      low = point;
      if (done) break;
    }
    return {low, evaluations_};
  }

  /// Two places near an end, one after the other, make no progress: then a tenth of the interval away from it.
  static double away_from_ends(double t, double left, double right, bool& stuck) {
    const double margin = 0.1 * (right - left);
    const bool near = std::min(right - t, t - left) < margin;
    const bool at_end = t >= right || t <= left;
    if (!near) {
      stuck = false;
      return t;
    }
    if (!stuck && !at_end) {
      stuck = true;
      return t;
    }
    stuck = false;
    return std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
  }

  const std::function<LinePoint(double)>& evaluate_;
  LinePoint start_;
  double width_;  // largest / tolerance
  int evaluations_ = 0;
};

}  // namespace

LineSearchResult strong_wolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start, double first,
                              double largest, double tolerance) {
  return WolfeSearch(evaluate, start, largest / tolerance).run(first);
}

}  // namespace teff::optim::detail
