// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/pool/pool_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
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
struct Axis {
  std::int64_t size, out_size;
  std::optional<double> scale;
};

/// The step in the input from one value of the result to the next.
double step_of(const Axis& axis, bool align_corners) {
  if (align_corners) {
    return axis.out_size > 1 ? static_cast<double>(axis.size - 1) / static_cast<double>(axis.out_size - 1) : 0;
  }
  return axis.scale ? 1 / *axis.scale : static_cast<double>(axis.size) / static_cast<double>(axis.out_size);
}

/// For each value of the result the two of the input that it is mixed of, and the part of the second.
template <class T>
class Sources {
 public:
  Sources(const Axis& axis, const InterpolateFields& options)
      : axis_(axis),
        first_(count()),
        second_(count()),
        part_(count()),
        mixed_(options.mode != InterpolateMode::nearest) {
    if (mixed_) {
      set_linear(options.align_corners);
    } else {
      set_nearest();
    }
  }

  kernels::ResizedAxis<T> axis() {
    return {axis_.size, axis_.out_size, first_.data(), mixed_ ? second_.data() : nullptr,
            mixed_ ? part_.data() : nullptr};
  }

 private:
  std::size_t count() const { return static_cast<std::size_t>(axis_.out_size); }
  void set_nearest();
  void set_linear(bool align_corners);

  Axis axis_;
  kernels::Workspace<std::int64_t> first_, second_;
  kernels::Workspace<T> part_;
  bool mixed_;
};

/// In single precision, whatever the dtype: where a product falls on a whole number another rounding would take another
/// pixel than PyTorch does.
template <class T>
void Sources<T>::set_nearest() {
  const Axis& a = axis_;
  const float step =
      a.scale ? static_cast<float>(1 / *a.scale) : static_cast<float>(a.size) / static_cast<float>(a.out_size);
  for (std::int64_t i = 0; i < a.out_size; ++i) {
    const auto place = a.size == a.out_size ? i : static_cast<std::int64_t>(static_cast<float>(i) * step);
    first_.data()[i] = std::min(place, a.size - 1);
  }
}

template <class T>
void Sources<T>::set_linear(bool align_corners) {
  const Axis& a = axis_;
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
    if (options_.align_corners && options_.mode == InterpolateMode::nearest) {
      ops::fail<ValueError>(kName, "align_corners with mode bilinear only, got mode nearest");
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
    if (options_.mode == InterpolateMode::nearest) return values;
    return 3 * values * (1 + static_cast<double>(inputs[0].shape[3]) / static_cast<double>(output.shape[3]));
  }

 private:
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

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  InterpolateFields fields;
  fields.size = options.size;
  fields.mode = options.mode;
  fields.align_corners = options.align_corners;
  if (options.scale_factor) {
    fields.scale_height = options.scale_factor->height;
    fields.scale_width = options.scale_factor->width;
  }
  return apply(Interpolate(fields), {x});
}

std::string_view to_string(InterpolateMode mode) { return mode == InterpolateMode::nearest ? "nearest" : "bilinear"; }

void from_string(std::string_view name, InterpolateMode& mode) {
  if (name != "nearest" && name != "bilinear") {
    ops::fail<ValueError>("interpolation mode", "\"nearest\" or \"bilinear\", got \"", name, '"');
  }
  mode = name == "nearest" ? InterpolateMode::nearest : InterpolateMode::bilinear;
}

std::span<const OpEntry> ops::interpolate_ops() {
  static const OpEntry entries[] = {op_entry<Interpolate>()};
  return entries;
}

}  // namespace teff
