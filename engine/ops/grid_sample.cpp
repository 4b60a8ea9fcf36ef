// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>

#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Along one axis: up to four pixels that a value is mixed of, their weights, and the weights' derivatives with respect
/// to the grid's coordinate. Pixels outside count as 0, and are marked by -1.
struct Taps {
  std::array<std::int64_t, 4> place;
  std::array<double, 4> weight, slope;
};

/// A coordinate and its derivative with respect to the grid's.
struct Coordinate {
  double value, slope;
};

Coordinate clip(Coordinate x, std::int64_t size) {
  const auto last = static_cast<double>(size - 1);
  if (x.value <= 0) return {0, 0};
  if (x.value >= last) return {last, 0};
  return x;
}

/// Back and forth between low and high.
Coordinate reflect(Coordinate x, double low, double high) {
  if (high <= low) return {0, 0};
  const double span = high - low, distance = x.value - low;
  const double away = std::abs(distance), rest = std::fmod(away, span);
  const double sign = distance < 0 ? -1 : 1;
  const bool is_odd = std::fmod(std::floor(away / span), 2) == 1;
  return is_odd ? Coordinate{span - rest + low, -sign * x.slope} : Coordinate{rest + low, sign * x.slope};
}

class Sampler {
 public:
  explicit Sampler(const GridSampleOptions& options) : o_(options) {}

  int count() const { return o_.mode == GridSampleMode::nearest ? 1 : o_.mode == GridSampleMode::bilinear ? 2 : 4; }

  Taps taps(double grid, std::int64_t size) const {
    const double scale = static_cast<double>(o_.align_corners ? size - 1 : size) / 2;
    Coordinate x{(grid + 1) * scale - (o_.align_corners ? 0 : 0.5), scale};
    if (o_.mode != GridSampleMode::bicubic) x = padded(x, size);
    if (!(std::abs(x.value) < 1e9)) x = {-100, 0};  // NaN, or what no integer holds
    Taps taps{};
    if (o_.mode == GridSampleMode::nearest) {
      taps.place[0] = inside(std::nearbyint(x.value), size);
      taps.weight[0] = 1;
      return taps;
    }
    const double first = std::floor(x.value), t = x.value - first;
    if (o_.mode == GridSampleMode::bilinear) {
      taps.weight = {1 - t, t};
      taps.slope = {-x.slope, x.slope};
    } else {
      set_cubic(t, x.slope, taps);
    }
    const double before = o_.mode == GridSampleMode::bicubic ? 1 : 0;
    for (int i = 0; i < count(); ++i) {
      double place = first - before + i;
      if (o_.mode == GridSampleMode::bicubic) place = padded({place, 0}, size).value;
      taps.place[static_cast<std::size_t>(i)] = inside(place, size);
    }
    return taps;
  }

 private:
  Coordinate padded(Coordinate x, std::int64_t size) const {
    if (o_.padding_mode == GridSamplePadding::zeros) return x;
    if (o_.padding_mode == GridSamplePadding::reflection) {
      const auto n = static_cast<double>(size);
      x = o_.align_corners ? reflect(x, 0, n - 1) : reflect(x, -0.5, n - 0.5);
    }
    return clip(x, size);
  }

  static std::int64_t inside(double place, std::int64_t size) {
    return place >= 0 && place < static_cast<double>(size) ? static_cast<std::int64_t>(place) : -1;
  }

  /// Keys (1981), with a = -0.75.
  static void set_cubic(double t, double slope, Taps& taps) {
    constexpr double a = -0.75;
    const auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    const auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    const auto near_slope = [](double d) { return (3 * (a + 2) * d - 2 * (a + 3)) * d; };
    const auto far_slope = [](double d) { return (3 * a * d - 10 * a) * d + 8 * a; };
    taps.weight = {far(1 + t), near(t), near(1 - t), far(2 - t)};
    taps.slope = {slope * far_slope(1 + t), slope * near_slope(t), -slope * near_slope(1 - t),
                  -slope * far_slope(2 - t)};
  }

  const GridSampleOptions& o_;
};

/// Y[n, c, i, j] = the sum over pixels (y, x) near grid[n, i, j] of wy wx X[n, c, y, x];
/// dX[n, c, y, x] += wy wx dY, d grid = the sum over c and pixels of wy' wx X dY and wy wx' X dY
class GridSample : public OpWith<GridSample, GridSampleOptions> {
 public:
  static constexpr std::string_view kName = "grid_sample";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    const Shape &x = inputs[0].shape, &grid = inputs[1].shape;
    ops::check_images(kName, x);
    if (grid.size() != 4 || grid[0] != x[0] || grid[3] != 2) {
      ops::fail<ShapeError>(kName, "grid [", x[0], ", Ho, Wo, 2] for input ", x, ", got grid ", grid);
    }
    return {ops::check_output(kName, {x[0], x[1], grid[1], grid[2]}), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &grid = context.inputs[1];
    Tensor y = context.make_result();
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for_each_place<T>(x, grid, [&](std::int64_t place, const Corner<T>* corners, int count, std::int64_t image) {
        const std::int64_t pixels = x.size(2) * x.size(3), places = grid.size(1) * grid.size(2);
        const T* from = x.data<T>() + image * x.size(1) * pixels;
        T* to = y.data<T>() + image * x.size(1) * places + place;
        for (std::int64_t c = 0; c < x.size(1); ++c, from += pixels, to += places) {
          T sum = 0;
          for (int i = 0; i < count; ++i) sum += corners[i].weight * from[corners[i].pixel];
          *to = sum;
        }
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &x = context.inputs[0], &grid = context.inputs[1], &grad = context.grad;
    TensorList grads(2);
    if (context.wanted[0]) grads[0] = ops::new_zeros(x.type());
    if (context.wanted[1]) grads[1] = ops::new_zeros(grid.type());
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for_each_place<T>(x, grid, [&](std::int64_t place, const Corner<T>* corners, int count, std::int64_t image) {
        const std::int64_t pixels = x.size(2) * x.size(3), places = grid.size(1) * grid.size(2);
        T by_x = 0, by_y = 0;
        for (std::int64_t c = 0; c < x.size(1); ++c) {
          const std::int64_t plane = image * x.size(1) + c;
          const T g = grad.data<T>()[plane * places + place];
          for (int i = 0; i < count; ++i) {
            const std::int64_t pixel = plane * pixels + corners[i].pixel;
            if (grads[0].defined()) grads[0].data<T>()[pixel] += corners[i].weight * g;
            by_x += corners[i].by_x * x.data<T>()[pixel] * g;
            by_y += corners[i].by_y * x.data<T>()[pixel] * g;
          }
        }
        if (!grads[1].defined()) return;
        T* const to = grads[1].data<T>() + (image * places + place) * 2;
        to[0] = by_x;
        to[1] = by_y;
      });
    });
    return grads;
  }

  double flop(std::span<const TensorType>, const TensorType& output) const override {
    const double taps = Sampler(options_).count();
    return static_cast<double>(numel(output.shape)) * 2 * taps * taps;
  }

 private:
  template <class T>
  struct Corner {
    std::int64_t pixel;  // of a plane
    T weight, by_x, by_y;
  };

  /// Calls function(place of the result's plane, pixels that it is mixed of, how many, image) for all places. Those of
  /// an image come one after the other, on one thread.
  template <class T, class Function>
  void for_each_place(const Tensor& x, const Tensor& grid, const Function& function) const {
    const std::int64_t height = x.size(2), width = x.size(3), places = grid.size(1) * grid.size(2);
    if (places == 0) return;
    const Sampler sampler(options_);
    const int count = sampler.count();
    parallel_ranges(x.size(0), std::max<std::int64_t>(1, kernels::kGrain / (places * x.size(1))),
                    [&](std::int64_t begin, std::int64_t end) {
                      const T* at = grid.data<T>() + begin * places * 2;
                      std::array<Corner<T>, 16> corners;
                      for (std::int64_t i = begin * places; i < end * places; ++i, at += 2) {
                        const Taps across = sampler.taps(static_cast<double>(at[0]), width),
                                   down = sampler.taps(static_cast<double>(at[1]), height);
                        function(i % places, corners.data(), mix(across, down, count, width, corners.data()),
                                 i / places);
                      }
                    });
  }

  /// The pixels inside of the image.
  template <class T>
  static int mix(const Taps& across, const Taps& down, int count, std::int64_t width, Corner<T>* corners) {
    int found = 0;
    for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        if (down.place[j] < 0 || across.place[i] < 0) continue;
        corners[found++] = {down.place[j] * width + across.place[i], static_cast<T>(down.weight[j] * across.weight[i]),
                            static_cast<T>(down.weight[j] * across.slope[i]),
                            static_cast<T>(down.slope[j] * across.weight[i])};
      }
    }
    return found;
  }
};

template <class Enum, std::size_t kCount>
void find_name(std::string_view what, const std::string_view (&names)[kCount], std::string_view name, Enum& value) {
  const auto place = std::find(std::begin(names), std::end(names), name);
  if (place == std::end(names))
    ops::fail<ValueError>(what, '"', names[0], "\", \"", names[1], "\" or \"", names[2], "\", got \"", name, '"');
  value = static_cast<Enum>(place - std::begin(names));
}

constexpr std::string_view kModes[] = {"bilinear", "nearest", "bicubic"};
constexpr std::string_view kPaddings[] = {"zeros", "border", "reflection"};

}  // namespace

std::string_view to_string(GridSampleMode mode) { return kModes[static_cast<int>(mode)]; }
void from_string(std::string_view name, GridSampleMode& mode) { find_name("grid_sample mode", kModes, name, mode); }
std::string_view to_string(GridSamplePadding mode) { return kPaddings[static_cast<int>(mode)]; }
void from_string(std::string_view name, GridSamplePadding& mode) {
  find_name("grid_sample padding_mode", kPaddings, name, mode);
}

Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options) {
  return apply(GridSample(options), {x, grid});
}

std::span<const OpEntry> ops::grid_sample_ops() {
  static const OpEntry entries[] = {op_entry<GridSample>()};
  return entries;
}

}  // namespace teff
