// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <iterator>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/pool/pool_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/cubic.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows_and_volumes.h"
#include "teff/engine/ops/window.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct InterpolateFields {
  std::optional<Pair> size;
  std::optional<double> scale_height, scale_width;
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;

  static void fields(auto& self, auto&& field) {
    field("size", self.size);
    field("scale_height", self.scale_height);
    field("scale_width", self.scale_width);
    field("mode", self.mode);
    field("align_corners", self.align_corners);
  }
};

/// One axis of the images, and the factor that the caller gave.
struct ResizeAxis {
  std::int64_t size, out_size;
  std::optional<double> scale;
};

/// The step in the input from one value of the result to the next.
double step_of(const ResizeAxis& axis, bool align_corners) {
  if (align_corners) {
    return axis.out_size > 1 ? static_cast<double>(axis.size - 1) / static_cast<double>(axis.out_size - 1) : 0;
  }
  return axis.scale ? 1 / *axis.scale : static_cast<double>(axis.size) / static_cast<double>(axis.out_size);
}

/// For each value of the result the two of the input that it is mixed of, and the part of the second.
template <class T>
class Sources {
 public:
  Sources(const ResizeAxis& axis, const InterpolateFields& options)
      : axis_(axis),
        first_(count()),
        second_(count()),
        part_(count()),
        mixed_(options.mode == InterpolateMode::bilinear) {
    if (mixed_) {
      set_linear(options.align_corners);
    } else if (options.mode == InterpolateMode::nearest) {
      set_nearest();
    } else {
      set_nearest_exact();
    }
  }

  kernels::ResizedAxis<T> axis() {
    return {axis_.size, axis_.out_size, first_.data(), mixed_ ? second_.data() : nullptr,
            mixed_ ? part_.data() : nullptr};
  }

 private:
  std::size_t count() const { return static_cast<std::size_t>(axis_.out_size); }
  void set_nearest();
  void set_nearest_exact();
  void set_linear(bool align_corners);

  ResizeAxis axis_;
  kernels::Workspace<std::int64_t> first_, second_;
  kernels::Workspace<T> part_;
  bool mixed_;
};

/// In single precision, whatever the dtype: where a product falls on a whole number another rounding would take another
/// pixel than PyTorch does.
template <class T>
void Sources<T>::set_nearest() {
  const ResizeAxis& a = axis_;
  const float step =
      a.scale ? static_cast<float>(1 / *a.scale) : static_cast<float>(a.size) / static_cast<float>(a.out_size);
  for (std::int64_t i = 0; i < a.out_size; ++i) {
    const auto place = a.size == a.out_size ? i : static_cast<std::int64_t>(static_cast<float>(i) * step);
    first_.data()[i] = std::min(place, a.size - 1);
  }
}

template <class T>
void Sources<T>::set_nearest_exact() {
  const ResizeAxis& a = axis_;
  const T step = static_cast<T>(step_of(a, false));
  for (std::int64_t i = 0; i < a.out_size; ++i) {
    const T middle = step * (static_cast<T>(i) + T(0.5)) - T(0.5);
    const auto place = static_cast<std::int64_t>(std::floor(static_cast<float>(std::max(middle, T(0)) + T(0.5))));
    first_.data()[i] = std::min(place, a.size - 1);
  }
}

template <class T>
void Sources<T>::set_linear(bool align_corners) {
  const ResizeAxis& a = axis_;
  const double step = step_of(a, align_corners);
  for (std::int64_t i = 0; i < a.out_size; ++i) {
    const auto place = static_cast<double>(i);
    const double exact = a.size == a.out_size ? place : align_corners ? step * place : step * (place + 0.5) - 0.5;
    const double inside = std::clamp(exact, 0.0, static_cast<double>(a.size - 1));
    const auto first = static_cast<std::int64_t>(inside);
    first_.data()[i] = first;
    second_.data()[i] = std::min(first + 1, a.size - 1);
    part_.data()[i] = static_cast<T>(inside - static_cast<double>(first));
  }
}

/// Every value of Y is a mixture of up to four of X, and gives each its part of the gradient.
class Interpolate : public OpWith<Interpolate, InterpolateFields> {
 public:
  static constexpr std::string_view kName = "interpolate";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    const Shape& input = inputs[0].shape;
    ops::check_images(kName, input);
    if (options_.size.has_value() == options_.scale_height.has_value() ||
        options_.scale_height.has_value() != options_.scale_width.has_value()) {
      ops::fail<ValueError>(kName, "either a size or a scale_factor, got ", options_.size ? "both" : "neither");
    }
    const bool mixes = options_.mode == InterpolateMode::bilinear || is_cubic();
    if (!mixes && options_.mode != InterpolateMode::nearest && options_.mode != InterpolateMode::nearest_exact) {
      ops::fail<ValueError>(kName, "mode nearest, nearest-exact, bilinear or bicubic for images, got mode ",
                            to_string(options_.mode));
    }
    if (options_.align_corners && !mixes) {
      ops::fail<ValueError>(kName, "align_corners with a mode that mixes pixels, got mode ", to_string(options_.mode));
    }
    const Pair size = output_size(input);
    ops::check_pair(kName, "output size", size, 1);
    return {ops::check_output(kName, {input[0], input[1], size.height, size.width}), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if (is_cubic()) {
        ops::CubicResize axes = cubic(x.shape(), y.shape());
        return ops::resize_cubic(axes, x.data<T>(), y.data<T>());
      }
      with_sizes<T>(x.shape(), y.shape(), [&](const kernels::Resize2d<T>& sizes) {
        kernels::resize2d_kernels<T>().resize2d(sizes, x.data<T>(), y.data<T>());
      });
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    if (grad_x.numel() == 0) return {grad_x};
    ops::visit_computable(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if (is_cubic()) {
        ops::CubicResize axes = cubic(grad_x.shape(), grad.shape());
        return ops::resize_cubic_backward(axes, grad.data<T>(), grad_x.data<T>());
      }
      with_sizes<T>(grad_x.shape(), grad.shape(), [&](const kernels::Resize2d<T>& sizes) {
        kernels::resize2d_kernels<T>().resize2d_backward(sizes, grad.data<T>(), grad_x.data<T>());
      });
    });
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return false; }

  /// Of bilinear mixtures two rows are mixed before their columns.
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const auto values = static_cast<double>(numel(output.shape));
    if (options_.mode != InterpolateMode::bilinear && !is_cubic()) return values;
    return (is_cubic() ? 8 : 3) * values *
           (1 + static_cast<double>(inputs[0].shape[3]) / static_cast<double>(output.shape[3]));
  }

 private:
  bool is_cubic() const { return options_.mode == InterpolateMode::bicubic; }
  ops::CubicResize cubic(const Shape& input, const Shape& output) const {
    const ResizeAxis rows{input[2], output[2], options_.scale_height},
        columns{input[3], output[3], options_.scale_width};
    const bool corners = options_.align_corners;
    return {input[0] * input[1], ops::CubicAxis(rows.size, rows.out_size, step_of(rows, corners), corners),
            ops::CubicAxis(columns.size, columns.out_size, step_of(columns, corners), corners)};
  }

  Pair output_size(const Shape& input) const {
    if (options_.size) return *options_.size;
    return {scaled(input[2], *options_.scale_height), scaled(input[3], *options_.scale_width)};
  }

  static std::int64_t scaled(std::int64_t size, double scale) {
    const double result = std::floor(static_cast<double>(size) * scale);
    if (scale > 0 && result < static_cast<double>(ops::kMaxOption)) return static_cast<std::int64_t>(result);
    ops::fail<ValueError>(kName, "a scale_factor above 0 and a result below 2^31, got scale_factor ", scale,
                          " for images of size ", size);
  }

  template <class T, class Function>
  void with_sizes(const Shape& input, const Shape& output, const Function& function) const {
    Sources<T> rows({input[2], output[2], options_.scale_height}, options_);
    Sources<T> columns({input[3], output[3], options_.scale_width}, options_);
    function({.planes = input[0] * input[1], .rows = rows.axis(), .columns = columns.axis()});
  }
};

/// The sizes of the last dimensions, as many as the input has, from the option.
IntList sizes_of(const Tensor& x, const ImageSize& size) {
  IntList sizes = size.sizes();
  const std::size_t dims = x.shape().size() - 2;
  while (sizes.size() == 1 && sizes.size() < dims)
    sizes = dims == 2 ? IntList{sizes[0], sizes[0]} : IntList{sizes[0], sizes[0], sizes[0]};
  if (sizes.size() != dims) {
    ops::fail<ValueError>("interpolate", "a size of 1 or ", dims, " numbers for input ", x.shape(), ", got ", sizes);
  }
  return sizes;
}

void check_mode(const Tensor& x, const InterpolateOptions& options) {
  const std::size_t rank = x.shape().size();
  const std::size_t own = options.mode == InterpolateMode::linear      ? 3
                          : options.mode == InterpolateMode::trilinear ? 5
                          : options.mode == InterpolateMode::bilinear || options.mode == InterpolateMode::bicubic
                              ? 4
                              : rank;
  if (rank < 3 || rank > 5) {
    ops::fail<ShapeError>("interpolate", "input [N, C, L], [N, C, H, W] or [N, C, D, H, W], got input ", x.shape());
  }
  if (own != rank) {
    ops::fail<ValueError>("interpolate", "a mode for input ", x.shape(), " of ", rank, " dimensions, got mode ",
                          to_string(options.mode), ", which is for ", own);
  }
  if (options.size.has_value() == options.scale_factor.has_value()) {
    ops::fail<ValueError>("interpolate", "either a size or a scale_factor, got ", options.size ? "both" : "neither");
  }
}

std::int64_t scaled_down(std::int64_t size, double scale) {
  const double result = std::floor(static_cast<double>(size) * scale);
  if (result >= 1 && result < static_cast<double>(ops::kMaxOption)) return static_cast<std::int64_t>(result);
  ops::fail<ValueError>("interpolate", "a scale_factor above 0 and a result below 2^31, got scale_factor ", scale,
                        " for images of size ", size);
}

Tensor area(const Tensor& x, const InterpolateOptions& options) {
  if (options.align_corners) {
    ops::fail<ValueError>("interpolate", "align_corners with a mode that mixes pixels, got mode area");
  }
  IntList sizes;
  if (options.size) {
    sizes = sizes_of(x, *options.size);
  } else {
    const double scales[] = {options.scale_factor->width, options.scale_factor->height, options.scale_factor->depth};
    for (std::int64_t dim = x.dim() - 1; dim >= 2; --dim) {
      sizes.insert(0, scaled_down(x.size(dim), scales[x.dim() - 1 - dim]));
    }
  }
  if (sizes.size() == 1) return adaptive_avg_pool1d(x, sizes[0]);
  if (sizes.size() == 2) return adaptive_avg_pool2d(x, {sizes[0], sizes[1]});
  return adaptive_avg_pool3d(x, {sizes[0], sizes[1], sizes[2]});
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  if (!x.defined()) ops::fail<TypeError>("interpolate", "a defined input, got an undefined one");
  check_mode(x, options);
  if (options.mode == InterpolateMode::area) return detail::with_name("interpolate", [&] { return area(x, options); });
  const bool mixes = options.mode != InterpolateMode::nearest && options.mode != InterpolateMode::nearest_exact;
  InterpolateFields fields;
  fields.mode = mixes && options.mode != InterpolateMode::bicubic ? InterpolateMode::bilinear : options.mode;
  fields.align_corners = options.align_corners;
  // One dimension or two of an image: with a size for both, or with a factor.
  const auto resize = [&](const Tensor& images, std::optional<Pair> size, std::optional<double> height,
                          std::optional<double> width) {
    fields.size = size;
    fields.scale_height = height;
    fields.scale_width = width;
    return teff::apply(Interpolate(fields), {images});
  };
  const std::optional<ScaleFactor>& scale = options.scale_factor;
  const IntList sizes = options.size ? sizes_of(x, *options.size) : IntList();
  if (x.dim() == 3) {
    return ops::on_one_row("interpolate", x, [&](const Tensor& rows) {
      return scale ? resize(rows, {}, 1, scale->width) : resize(rows, Pair(1, sizes[0]), {}, {});
    });
  }
  if (x.dim() == 4) {
    return scale ? resize(x, {}, scale->height, scale->width) : resize(x, Pair(sizes[0], sizes[1]), {}, {});
  }
  return ops::on_image_then_depth(
      "interpolate", x,
      [&](const Tensor& images) {
        return scale ? resize(images, {}, scale->height, scale->width)
                     : resize(images, Pair(sizes[1], sizes[2]), {}, {});
      },
      [&](const Tensor& columns) {
        return scale ? resize(columns, {}, scale->depth, 1) : resize(columns, Pair(sizes[0], columns.size(3)), {}, {});
      });
}

namespace {

constexpr std::string_view kResizeModes[] = {"nearest", "bilinear", "linear",       "trilinear",
                                             "bicubic", "area",     "nearest-exact"};

}  // namespace

std::string_view to_string(InterpolateMode mode) { return kResizeModes[static_cast<std::size_t>(mode)]; }

void from_string(std::string_view name, InterpolateMode& mode) {
  for (std::size_t i = 0; i < std::size(kResizeModes); ++i) {
    if (kResizeModes[i] != name) continue;
    mode = static_cast<InterpolateMode>(i);
    return;
  }
  ops::fail<ValueError>("interpolation mode",
                        "\"nearest\", \"nearest-exact\", \"linear\", \"bilinear\", \"trilinear\", \"bicubic\" or "
                        "\"area\", got \"",
                        name, '"');
}

std::span<const OpEntry> ops::interpolate_ops() {
  static const OpEntry entries[] = {op_entry<Interpolate>()};
  return entries;
}

}  // namespace teff
