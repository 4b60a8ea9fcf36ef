// SPDX-License-Identifier: MIT
#include "teff/engine/indexed_pool_ops.h"

#include <algorithm>
#include <limits>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows_and_volumes.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

// All of them are of volumes [N, C, D, H, W]: an image is a volume of depth 1, a row one of height 1.

namespace teff {
namespace {

/// Where the `count` windows of one axis are: window i has the places first(i), first(i) + step, ... below end(i).
class Axis {
 public:
  explicit Axis(std::int64_t windows) : count(windows), places_(2 * static_cast<std::size_t>(windows)) {}

  const std::int64_t count;
  std::int64_t step = 1;

  void set(std::int64_t i, std::int64_t first, std::int64_t end) {
    places_.data()[2 * i] = first;
    places_.data()[2 * i + 1] = end;
  }
  std::int64_t first(std::int64_t i) { return places_.data()[2 * i]; }
  std::int64_t end(std::int64_t i) { return places_.data()[2 * i + 1]; }

 private:
  kernels::Workspace<std::int64_t> places_;
};

/// Depth, height and width.
class Axes {
 public:
  explicit Axes(const Shape& output) : axes_{Axis(output[2]), Axis(output[3]), Axis(output[4])} {}
  Axis& operator[](std::size_t i) { return axes_[i]; }

 private:
  Axis axes_[3];
};

std::int64_t planes_of(const Shape& shape) { return shape[0] * shape[1]; }

template <class T>
void pool_plane(Axes& axes, const Shape& size, const T* x, T*& y, std::int64_t*& indices) {
  Axis &depth = axes[0], &rows = axes[1], &columns = axes[2];
  for (std::int64_t d = 0; d < depth.count; ++d) {
    for (std::int64_t r = 0; r < rows.count; ++r) {
      for (std::int64_t c = 0; c < columns.count; ++c) {
        T best = -std::numeric_limits<T>::infinity();
        std::int64_t place = -1;
        for (std::int64_t i = depth.first(d); i < depth.end(d); i += depth.step) {
          for (std::int64_t j = rows.first(r); j < rows.end(r); j += rows.step) {
            const std::int64_t row = (i * size[3] + j) * size[4], end = columns.end(c);
            for (std::int64_t k = columns.first(c); k < end; k += columns.step) {
              const T value = x[row + k];
              if (place >= 0 && !(value > best || (value != value && best == best))) continue;  // NaN wins
              best = value;
              place = row + k;
            }
          }
        }
        *y++ = best;
        *indices++ = place;
      }
    }
  }
}

/// to[indices] += from, plane by plane; or the other way.
template <class T>
void scatter(std::int64_t planes, std::int64_t count, std::int64_t volume, const std::int64_t* indices, const T* from,
             T* to) {
  for (std::int64_t plane = 0; plane < planes; ++plane, to += volume) {
    for (std::int64_t i = 0; i < count; ++i, ++indices, ++from) {
      if (*indices >= 0) to[*indices] += *from;
    }
  }
}

/// values = x[indices], dX[indices] += d values. Derived: sizes(x) -> {Do, Ho, Wo}, or the error; find(inputs,
/// plane, axes).
template <class Derived, class Options, bool kSamePlaces = true>
class IndexedPool : public OpWith<Derived, Options, MultiOp> {
 public:
  using OpWith<Derived, Options, MultiOp>::OpWith;

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, kSamePlaces ? 1 : 2);
    ops::check_computable(Derived::kName, inputs);
    const Shape& x = inputs[0].shape;
    ops::check_volumes(Derived::kName, x);
    const IntList sizes = derived().sizes(inputs);
    const Shape result = ops::check_result(Derived::kName, {x[0], x[1], sizes[0], sizes[1], sizes[2]});
    return {{result, inputs[0].dtype}, {result, DType::int64}};
  }

  void forward_all(const MultiForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &values = context.make_result(0), &indices = context.make_result(1);
    context.save(indices);
    const std::int64_t count = ops::volume_of(values.shape()), volume = ops::volume_of(x.shape());
    if (values.numel() == 0) return;
    Axes shared(values.shape());
    if (kSamePlaces) derived().find(context.inputs, 0, shared);
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = x.data<T>();
      T* to = values.data<T>();
      std::int64_t* places = indices.data<std::int64_t>();
      parallel_ranges(planes_of(x.shape()), 1 + 4096 / volume, [&](std::int64_t begin, std::int64_t end) {
        T* y = to + begin * count;
        std::int64_t* place = places + begin * count;
        for (std::int64_t plane = begin; plane < end; ++plane) {
          if constexpr (kSamePlaces) {
            pool_plane(shared, x.shape(), from + plane * volume, y, place);
          } else {
            Axes own(values.shape());
            derived().find(context.inputs, plane, own);
            pool_plane(own, x.shape(), from + plane * volume, y, place);
          }
        }
      });
    });
  }

  TensorList backward_all(const MultiBackwardContext& context) const override {
    const Tensor &grad = context.grads[0], &x = context.inputs[0];
    TensorList grads(context.inputs.size());
    if (context.wanted[0]) {
      grads[0] = ops::new_zeros(x.type());
      ops::visit_computable(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        if (grad.numel() == 0) return;
        scatter(planes_of(x.shape()), ops::volume_of(grad.shape()), ops::volume_of(x.shape()),
                context.saved[0].data<std::int64_t>(), grad.data<T>(), grads[0].data<T>());
      });
    }
    if (!kSamePlaces && context.wanted[1]) grads[1] = ops::new_zeros(context.inputs[1].type());
    return grads;
  }

  bool saves_input(std::size_t) const override { return false; }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    const Shape& x = inputs[0].shape;
    const IntList sizes = derived().sizes(inputs), reach = derived().reach(x);
    double work = static_cast<double>(planes_of(x));
    for (std::size_t i = 0; i < 3; ++i) {
      work *= static_cast<double>(sizes[i]) * static_cast<double>(std::min(reach[i], x[i + 2]));
    }
    return work;
  }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
};

struct MaxPoolFields {
  IntList kernel_size{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  bool ceil_mode = false;
  static void fields(auto& self, auto&& field) {
    field("kernel_size", self.kernel_size);
    field("stride", self.stride);
    field("padding", self.padding);
    field("dilation", self.dilation);
    field("ceil_mode", self.ceil_mode);
  }
};

class MaxPoolWithIndices : public IndexedPool<MaxPoolWithIndices, MaxPoolFields> {
 public:
  static constexpr std::string_view kName = "max_pool_with_indices";
  using IndexedPool::IndexedPool;

  IntList sizes(std::span<const TensorType> inputs) const {
    const MaxPoolFields& o = options_;
    ops::check_sides(kName, "kernel_size", o.kernel_size, 1);
    ops::check_sides(kName, "stride", o.stride, 1);
    ops::check_sides(kName, "padding", o.padding, 0);
    ops::check_sides(kName, "dilation", o.dilation, 1);
    IntList result;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int64_t size = inputs[0].shape[i + 2], extent = o.dilation[i] * (o.kernel_size[i] - 1) + 1;
      if (o.padding[i] > o.kernel_size[i] / 2) {
        ops::fail<ValueError>(kName, "padding of at most half of the kernel's size, got padding ", o.padding,
                              " and kernel_size ", o.kernel_size);
      }
      const std::int64_t room = size + 2 * o.padding[i] - extent + (o.ceil_mode ? o.stride[i] - 1 : 0);
      if (room < 0) {
        ops::fail<ShapeError>(kName, "a kernel not larger than the padded input, got kernel_size ", o.kernel_size,
                              " with dilation ", o.dilation, " and padding ", o.padding, " for input ",
                              inputs[0].shape);
      }
      std::int64_t count = room / o.stride[i] + 1;
      if (o.ceil_mode && (count - 1) * o.stride[i] >= size + o.padding[i]) --count;
      result.push_back(count);
    }
    return result;
  }

  void find(std::span<const Tensor> inputs, std::int64_t, Axes& axes) const {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int64_t size = inputs[0].shape()[i + 2], step = options_.dilation[i];
      axes[i].step = step;
      for (std::int64_t place = 0; place < axes[i].count; ++place) {
        const std::int64_t begin = place * options_.stride[i] - options_.padding[i];
        axes[i].set(place, begin < 0 ? begin + (-begin + step - 1) / step * step : begin,
                    std::min(begin + step * (options_.kernel_size[i] - 1) + 1, size));
      }
    }
  }

  const IntList& reach(const Shape&) const { return options_.kernel_size; }
};

struct OutputSizeFields {
  IntList output_size{1, 1, 1};
  static void fields(auto& self, auto&& field) { field("output_size", self.output_size); }
};

class AdaptiveMaxPoolWithIndices : public IndexedPool<AdaptiveMaxPoolWithIndices, OutputSizeFields> {
 public:
  static constexpr std::string_view kName = "adaptive_max_pool_with_indices";
  using IndexedPool::IndexedPool;

  const IntList& sizes(std::span<const TensorType>) const {
    ops::check_sides(kName, "output_size", options_.output_size, 1);
    return options_.output_size;
  }

  void find(std::span<const Tensor> inputs, std::int64_t, Axes& axes) const {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int64_t size = inputs[0].shape()[i + 2], count = axes[i].count;
      for (std::int64_t place = 0; place < count; ++place) {
        axes[i].set(place, place * size / count, ((place + 1) * size + count - 1) / count);
      }
    }
  }

  IntList reach(const Shape& x) const {
    IntList result;
    for (std::size_t i = 0; i < 3; ++i) result.push_back(x[i + 2] / options_.output_size[i] + 2);
    return result;
  }
};

struct FractionalFields {
  IntList kernel_size{1, 1, 1}, output_size{1, 1, 1};
  static void fields(auto& self, auto&& field) {
    field("kernel_size", self.kernel_size);
    field("output_size", self.output_size);
  }
};

/// The second input has u of each plane, for depth, height and width.
class FractionalMaxPool : public IndexedPool<FractionalMaxPool, FractionalFields, false> {
 public:
  static constexpr std::string_view kName = "fractional_max_pool";
  using IndexedPool::IndexedPool;

  const IntList& sizes(std::span<const TensorType> inputs) const {
    ops::check_sides(kName, "kernel_size", options_.kernel_size, 1);
    ops::check_sides(kName, "output_size", options_.output_size, 1);
    const Shape& x = inputs[0].shape;
    ops::check_matches(kName, "samples", inputs[1].shape, {x[0], x[1], 3}, "input", x);
    for (std::size_t i = 0; i < 3; ++i) {
      if (options_.output_size[i] + options_.kernel_size[i] - 1 <= x[i + 2]) continue;
      ops::fail<ShapeError>(kName, "output_size + kernel_size - 1 of at most the input's size, got output_size ",
                            options_.output_size, " and kernel_size ", options_.kernel_size, " for input ", x);
    }
    return options_.output_size;
  }

  void find(std::span<const Tensor> inputs, std::int64_t plane, Axes& axes) const {
    ops::visit_computable(inputs[1].dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* samples = inputs[1].data<T>() + plane * 3;
      for (std::size_t i = 0; i < 3; ++i) {
        const std::int64_t kernel = options_.kernel_size[i], last = inputs[0].shape()[i + 2] - kernel;
        const std::int64_t count = axes[i].count;
        if (!(samples[i] >= 0 && samples[i] < 1)) {
          ops::fail<ValueError>(kName, "samples of at least 0 and below 1, got ", static_cast<double>(samples[i]));
        }
        const T step = count > 1 ? static_cast<T>(last) / static_cast<T>(count - 1) : T(0);
        const auto offset = static_cast<std::int64_t>(samples[i] * step);
        for (std::int64_t place = 0; place < count; ++place) {
          const auto next = static_cast<std::int64_t>((static_cast<T>(place) + samples[i]) * step) - offset;
          const std::int64_t first = place == count - 1 ? last : std::min(next, last);
          axes[i].set(place, first, first + kernel);
        }
      }
    });
  }

  const IntList& reach(const Shape&) const { return options_.kernel_size; }
};

IntList all(const Triple& triple) { return {triple.depth, triple.height, triple.width}; }

/// Without `dims` dimensions of size 1 behind the channels.
ValuesAndIndices without(int dims, const TensorList& results) {
  ValuesAndIndices both{results[0], results[1]};
  for (; dims > 0; --dims) both = {squeeze(both.values, 2), squeeze(both.indices, 2)};
  return both;
}

ValuesAndIndices max_pool(std::string_view op, const Tensor& x, std::size_t rank, const MaxPoolFields& fields) {
  const Tensor volumes = ops::as_volumes(op, x, rank);
  return detail::with_name(
      op, [&] { return without(5 - static_cast<int>(rank), apply_all(MaxPoolWithIndices(fields), {volumes})); });
}

ValuesAndIndices adaptive(std::string_view op, const Tensor& x, std::size_t rank, const Triple& size) {
  const Tensor volumes = ops::as_volumes(op, x, rank);
  return detail::with_name(op, [&] {
    return without(5 - static_cast<int>(rank), apply_all(AdaptiveMaxPoolWithIndices({all(size)}), {volumes}));
  });
}

Tensor drawn(const Tensor& samples, const Tensor& x, std::int64_t count) {
  return samples.defined() ? samples : rand({x.size(0), x.size(1), count}, {.dtype = x.dtype()});
}

}  // namespace

ValuesAndIndices max_pool1d_with_indices(const Tensor& x, Integer kernel_size, const MaxPool1dFuncOptions& options) {
  return max_pool("max_pool1d_with_indices", x, 3,
                  {{1, 1, kernel_size},
                   {1, 1, options.stride.value_or(kernel_size)},
                   {0, 0, options.padding},
                   {1, 1, options.dilation},
                   options.ceil_mode});
}

ValuesAndIndices max_pool2d_with_indices(const Tensor& x, const Pair& kernel_size,
                                         const MaxPool2dFuncOptions& options) {
  const Pair stride = options.stride.value_or(kernel_size);
  return max_pool("max_pool2d_with_indices", x, 4,
                  {{1, kernel_size.height, kernel_size.width},
                   {1, stride.height, stride.width},
                   {0, options.padding.height, options.padding.width},
                   {1, options.dilation.height, options.dilation.width},
                   options.ceil_mode});
}

ValuesAndIndices max_pool3d_with_indices(const Tensor& x, const Triple& kernel_size,
                                         const MaxPool3dFuncOptions& options) {
  return max_pool("max_pool3d_with_indices", x, 5,
                  {all(kernel_size), all(options.stride.value_or(kernel_size)), all(options.padding),
                   all(options.dilation), options.ceil_mode});
}

ValuesAndIndices adaptive_max_pool1d_with_indices(const Tensor& x, Integer output_size) {
  return adaptive("adaptive_max_pool1d_with_indices", x, 3, {1, 1, output_size});
}

ValuesAndIndices adaptive_max_pool2d_with_indices(const Tensor& x, const Pair& output_size) {
  return adaptive("adaptive_max_pool2d_with_indices", x, 4, {1, output_size.height, output_size.width});
}

ValuesAndIndices adaptive_max_pool3d_with_indices(const Tensor& x, const Triple& output_size) {
  return adaptive("adaptive_max_pool3d_with_indices", x, 5, output_size);
}

ValuesAndIndices fractional_max_pool2d_with_indices(const Tensor& x, const Pair& kernel_size, const Pair& output_size,
                                                    const Tensor& samples) {
  constexpr const char* kName = "fractional_max_pool2d_with_indices";
  const Tensor volumes = ops::as_volumes(kName, x, 4), drawn_samples = drawn(samples, x, 2);
  return detail::with_name(kName, [&] {
    const Tensor width = slice(drawn_samples, -1, 0, 1), height = slice(drawn_samples, -1, 1);  // in PyTorch's order
    const FractionalMaxPool op(
        {{1, kernel_size.height, kernel_size.width}, {1, output_size.height, output_size.width}});
    return without(1, apply_all(op, {volumes, cat({width, height, width}, -1)}));
  });
}

ValuesAndIndices fractional_max_pool3d_with_indices(const Tensor& x, const Triple& kernel_size,
                                                    const Triple& output_size, const Tensor& samples) {
  constexpr const char* kName = "fractional_max_pool3d_with_indices";
  const Tensor volumes = ops::as_volumes(kName, x, 5);
  return detail::with_name(kName, [&] {
    const FractionalMaxPool op({all(kernel_size), all(output_size)});
    return without(0, apply_all(op, {volumes, drawn(samples, x, 3)}));
  });
}

std::span<const OpEntry> ops::indexed_pool_ops() {
  static const OpEntry entries[] = {op_entry<MaxPoolWithIndices>(), op_entry<AdaptiveMaxPoolWithIndices>(),
                                    op_entry<FractionalMaxPool>()};
  return entries;
}

}  // namespace teff
