// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <span>

#include "teff/engine/convert.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct PadOptions {
  IntList padding;
  double value = 0;
  PadMode mode = PadMode::constant;
  static void fields(auto& self, auto&& field) {
    field("padding", self.padding);
    field("value", self.value);
    field("mode", self.mode);
  }

  /// Padding of dimension i; the option begins with the last one.
  std::int64_t before(const Shape& shape, std::size_t i) const { return amount(2 * (shape.size() - 1 - i)); }
  std::int64_t after(const Shape& shape, std::size_t i) const { return amount(2 * (shape.size() - 1 - i) + 1); }

 private:
  std::int64_t amount(std::size_t place) const { return place < padding.size() ? padding[place] : 0; }
};

/// The place in [0, size) whose value is at `place` of the padded dimension, counted from where the input begins.
std::int64_t source(PadMode mode, std::int64_t place, std::int64_t size) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(place, 0, size - 1);
  if (mode == PadMode::circular) return place < 0 ? place + size : place >= size ? place - size : place;
  return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
}

/// For each place of a padded dimension the place of the input that it repeats.
using Places = std::span<const std::int64_t>;

std::int64_t sum_of(const Shape& shape) {
  std::int64_t sum = 0;
  for (const std::int64_t size : shape) sum += size;
  return sum;
}

/// Where the values of a padded tensor come from, for the modes that repeat those of the input. The dimensions in front
/// that are not padded are joined: each of their entries is a task of its own, in both directions.
class Repetition {
 public:
  Repetition(const PadOptions& options, const Shape& input, const Shape& output)
      : memory_(static_cast<std::size_t>(sum_of(output))) {
    std::size_t first = 0;
    while (first + 1 < input.size() && input[first] == output[first]) tasks_ *= input[first++];
    std::int64_t* place = memory_.data();
    for (std::size_t i = first; i < input.size(); ++i) {
      places_[sizes_.size()] = {place, static_cast<std::size_t>(output[i])};
      for (std::int64_t k = 0; k < output[i]; ++k) {
        *place++ = source(options.mode, k - options.before(input, i), input[i]);
      }
      input_size_ *= input[i];
      output_size_ *= output[i];
      sizes_.push_back(input[i]);
    }
  }

  /// Calls function(input row, output row, places in the input row) for each row of the last dimension: rows by the
  /// index of their first elements.
  template <class Function>
  void for_each_row(const Function& function) const {
    using kernels::kGrain;
    const Places columns = places_[sizes_.size() - 1];
    const auto width = static_cast<std::int64_t>(columns.size());
    parallel_ranges(tasks_, std::max<std::int64_t>(1, kGrain / output_size_),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t task = begin; task < end; ++task) {
                        for (std::int64_t row = 0; row < output_size_ / width; ++row) {
                          function(task * input_size_ + input_row(row), task * output_size_ + row * width, columns);
                        }
                      }
                    });
  }

 private:
  std::int64_t input_row(std::int64_t row) const {
    std::int64_t begin = 0, stride = sizes_.back();
    for (std::size_t i = sizes_.size() - 1; i-- > 0;) {
      const auto count = static_cast<std::int64_t>(places_[i].size());
      begin += places_[i][static_cast<std::size_t>(row % count)] * stride;
      stride *= sizes_[i];
      row /= count;
    }
    return begin;
  }

  std::int64_t tasks_ = 1, input_size_ = 1, output_size_ = 1;
  IntList sizes_;  // of the input, from the first padded dimension on
  kernels::Workspace<std::int64_t> memory_;
  std::array<Places, kMaxRank> places_;  // in memory_, as sizes_
};

/// A constant around, or values of x again; each value of x gets the gradients of all its copies.
class Pad : public OpWith<Pad, PadOptions> {
 public:
  static constexpr std::string_view kName = "pad";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const Shape& shape = inputs[0].shape;
    check_padding(shape);
    if (options_.mode == PadMode::constant) detail::check_fill("pad", options_.value, inputs[0].dtype);
    Shape result = shape;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      check_repetition(shape, i);
      result[i] += options_.before(shape, i) + options_.after(shape, i);
      if (result[i] >= 0) continue;
      ops::fail<ShapeError>(kName, "padding that leaves sizes of at least 0, got padding ", options_.padding,
                            " for input ", shape);
    }
    return {ops::check_result(kName, result), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (options_.mode == PadMode::constant || x.shape().empty()) {
      detail::fill(y, options_.value);
      ops::strided_copy(shared_box(x.shape(), y.shape()), x, y);
    } else if (y.numel() > 0) {
      visit_moved(x.dtype(), [&](auto zero) {
        const auto* from = static_cast<const decltype(zero)*>(x.raw_data());
        auto* to = static_cast<decltype(zero)*>(y.raw_data());
        Repetition(options_, x.shape(), y.shape()).for_each_row([=](std::int64_t in, std::int64_t out, Places columns) {
          for (const std::int64_t column : columns) to[out++] = from[in + column];
        });
      });
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    if (options_.mode == PadMode::constant || grad.shape().empty()) {
      ops::strided_copy(shared_box(grad_x.shape(), grad.shape()).reversed(), grad, grad_x);
    } else if (grad.numel() > 0) {
      ops::visit_computable(grad.dtype(), [&](auto zero) {
        const auto* from = grad.data<decltype(zero)>();
        auto* to = grad_x.data<decltype(zero)>();
        Repetition(options_, grad_x.shape(), grad.shape())
            .for_each_row([=](std::int64_t in, std::int64_t out, Places columns) {
              for (const std::int64_t column : columns) to[in + column] += from[out++];
            });
      });
    }
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return false; }

 private:
  void check_padding(const Shape& shape) const {
    const IntList& padding = options_.padding;
    if (padding.size() % 2 != 0 || padding.size() > 2 * shape.size()) {
      ops::fail<ShapeError>(kName, "padding {before, after} for at most the ", shape.size(), " dimensions of input ",
                            shape, ", got ", padding);
    }
    for (const std::int64_t amount : padding) {
      if (amount > -ops::kMaxOption && amount < ops::kMaxOption) continue;
      ops::fail<ValueError>(kName, "padding between -2^31 and 2^31, got ", padding);
    }
  }

  /// What is around dimension i comes from it.
  void check_repetition(const Shape& shape, std::size_t i) const {
    if (options_.mode == PadMode::constant) return;
    const std::int64_t before = options_.before(shape, i), after = options_.after(shape, i);
    if (before == 0 && after == 0) return;
    const std::int64_t most = options_.mode == PadMode::circular  ? shape[i]
                              : options_.mode == PadMode::reflect ? shape[i] - 1
                              : shape[i] > 0                      ? ops::kMaxOption
                                                                  : -1;
    if (before >= 0 && after >= 0 && before <= most && after <= most) return;
    ops::fail<ValueError>(kName, "padding of at least 0 ",
                          options_.mode == PadMode::reflect    ? "and below the dimension's size"
                          : options_.mode == PadMode::circular ? "and at most the dimension's size"
                                                               : "around a dimension that is not empty",
                          " for mode ", to_string(options_.mode), ", got padding ", options_.padding, " for input ",
                          shape);
  }

  /// What input and output share.
  ops::StridedCopy shared_box(const Shape& input, const Shape& output) const {
    ops::StridedCopy copy{input, ops::contiguous_strides(input), ops::contiguous_strides(output)};
    for (std::size_t i = 0; i < input.size(); ++i) {
      copy.shape[i] -=
          std::max<std::int64_t>(0, -options_.before(input, i)) + std::max<std::int64_t>(0, -options_.after(input, i));
      if (copy.shape[i] <= 0) return {IntList(0), {}, {}};
    }
    for (std::size_t i = 0; i < input.size(); ++i) {
      const std::int64_t first = options_.before(input, i);
      copy.from_begin += std::max<std::int64_t>(0, -first) * copy.from_strides[i];
      copy.to_begin += std::max<std::int64_t>(0, first) * copy.to_strides[i];
    }
    return copy;
  }
};

}  // namespace

Tensor pad(const Tensor& x, const IntList& padding, double value) { return apply(Pad({padding, value}), {x}); }
Tensor pad(const Tensor& x, const IntList& padding, PadMode mode) { return apply(Pad({padding, 0, mode}), {x}); }

std::string_view to_string(PadMode mode) {
  switch (mode) {
    case PadMode::constant:
      return "constant";
    case PadMode::reflect:
      return "reflect";
    case PadMode::replicate:
      return "replicate";
    case PadMode::circular:
      return "circular";
  }
  return "";
}

void from_string(std::string_view name, PadMode& mode) {
  for (const PadMode known : {PadMode::constant, PadMode::reflect, PadMode::replicate, PadMode::circular}) {
    if (to_string(known) != name) continue;
    mode = known;
    return;
  }
  ops::fail<ValueError>("padding mode", "\"constant\", \"reflect\", \"replicate\" or \"circular\", got \"", name, '"');
}

std::span<const OpEntry> ops::pad_ops() {
  static const OpEntry entries[] = {op_entry<Pad>()};
  return entries;
}

}  // namespace teff
