// SPDX-License-Identifier: MIT
#include "examples/curve.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <ostream>
#include <sstream>

#include <teff/engine/error.h>

namespace fashion {
namespace {

constexpr double kWidth = 720, kHeight = 560;
constexpr double kLeft = 70, kRight = 690;
constexpr double kMaxSteps = 6;

/// The numbers from `low` to `high` that an axis shows, and how they map to the picture.
struct Axis {
  double low, high;  // numbers
  double from, to;   // places in the picture
  double step;       // between ticks
  double place(double number) const { return from + (number - low) / (high - low) * (to - from); }
};

/// 1, 2 or 5 times a power of ten: the least such step that divides `range` into at most kMaxSteps parts.
double round_step(double range) {
  const double rough = range / kMaxSteps;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

/// An axis for the points' values, its ends on ticks.
Axis value_axis(const std::vector<CurvePoint>& points, double from, double to) {
  double low = points.front().value, high = low;
  for (const CurvePoint& point : points) {
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  if (high - low < 1e-6) {
    low -= 0.5;
    high += 0.5;
  }
  const double step = round_step(high - low);
  return {std::floor(low / step) * step, std::ceil(high / step) * step, from, to, step};
}

std::string number(double value, double step) {
  std::ostringstream text;
  text.setf(std::ios::fixed);
  text.precision(std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))));
  text << value;
  return text.str();
}

/// Escapes what XML gives a meaning to.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

void text(std::ostream& out, double x, double y, const std::string& anchor, const std::string& content) {
  out << "<text x='" << x << "' y='" << y << "' text-anchor='" << anchor << "'>" << escaped(content) << "</text>\n";
}

void line(std::ostream& out, double x1, double y1, double x2, double y2, const std::string& colour) {
  out << "<line x1='" << x1 << "' y1='" << y1 << "' x2='" << x2 << "' y2='" << y2 << "' stroke='" << colour << "'/>\n";
}

template <class Draw>
void for_each_tick(const Axis& axis, Draw draw) {
  const auto count = static_cast<int>((axis.high - axis.low) / axis.step + 1e-9);
  for (int i = 0; i <= count; ++i) draw(axis.low + static_cast<double>(i) * axis.step);
}

void draw_axes(std::ostream& out, const Axis& x, const Axis& y, const std::string& y_label) {
  for_each_tick(y, [&](double tick) {
    line(out, x.from, y.place(tick), x.to, y.place(tick), "#ddd");
    text(out, x.from - 8, y.place(tick) + 4, "end", number(tick, y.step));
  });
  for_each_tick(x, [&](double tick) {
    line(out, x.place(tick), y.from, x.place(tick), y.from + 5, "#333");
    text(out, x.place(tick), y.from + 20, "middle", number(tick, x.step));
  });
  line(out, x.from, y.from, x.to, y.from, "#333");
  line(out, x.from, y.from, x.from, y.to, "#333");
  text(out, (x.from + x.to) / 2, y.from + 38, "middle", "epoch");
  text(out, x.from - 8, y.to - 14, "start", y_label);
}

void draw_line(std::ostream& out, const std::vector<CurvePoint>& points, const Axis& x, const Axis& y,
               const std::string& colour) {
  out << "<polyline fill='none' stroke='" << colour << "' stroke-width='2' points='";
  for (const CurvePoint& point : points) out << x.place(point.epoch) << ',' << y.place(point.value) << ' ';
  out << "'/>\n";
}

void draw_dots(std::ostream& out, const std::vector<CurvePoint>& points, const Axis& x, const Axis& y,
               const std::string& colour) {
  for (const CurvePoint& point : points) {
    out << "<circle cx='" << x.place(point.epoch) << "' cy='" << y.place(point.value) << "' r='4' fill='" << colour
        << "'/>\n";
  }
}

void draw(std::ostream& out, const Curve& curve, const std::string& title) {
  out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << kWidth << ' ' << kHeight << "' width='" << kWidth
      << "' height='" << kHeight << "' font-family='sans-serif' font-size='13' fill='#333'>\n"
      << "<rect width='100%' height='100%' fill='white'/>\n<g font-size='17'>";
  text(out, kWidth / 2, 28, "middle", title);
  out << "</g>\n";
  const double epochs = std::ceil(std::max(curve.loss.back().epoch, curve.accuracy.back().epoch) - 1e-9);
  const Axis x{0, epochs, kLeft, kRight, epochs <= 10 ? 1 : std::max(1.0, round_step(epochs))};
  const Axis loss = value_axis(curve.loss, 260, 75);
  draw_axes(out, x, loss, "training loss");
  draw_line(out, curve.loss, x, loss, "#1f77b4");
  const Axis accuracy = value_axis(curve.accuracy, 510, 345);
  draw_axes(out, x, accuracy, "test accuracy, %");
  draw_line(out, curve.accuracy, x, accuracy, "#d62728");
  draw_dots(out, curve.accuracy, x, accuracy, "#d62728");
  out << "</svg>\n";
}

}  // namespace

void write_svg(const Curve& curve, const std::string& title, const std::string& path) {
  if (curve.loss.empty() || curve.accuracy.empty()) throw teff::ValueError("write_svg: expected points, got none");
  std::ofstream out(path, std::ios::binary);
  draw(out, curve, title);
  out.close();
  if (!out) throw teff::IoError(path + ": cannot write the training curve");
}

}  // namespace fashion
