// SPDX-License-Identifier: MIT
#include "teff/engine/recurrent.h"

#include <algorithm>
#include <optional>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/op.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/recurrent_steps.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

constexpr std::string_view kCellNames[] = {"rnn_tanh", "rnn_relu", "lstm", "gru"};

/// What the op says of itself beside the cell: which inputs there are, in this order: x, weight_ih, weight_hh, bias_ih,
/// bias_hh, weight_hr, h, c, lengths.
struct RecurrentAttributes {
  RecurrentCell cell = RecurrentCell::lstm;
  bool reverse = false, has_bias = true, has_projection = false, has_state = false, has_lengths = false;

  static void fields(auto& self, auto&& field) {
    field("cell", self.cell);
    field("reverse", self.reverse);
    field("has_bias", self.has_bias);
    field("has_projection", self.has_projection);
    field("has_state", self.has_state);
    field("has_lengths", self.has_lengths);
  }

  bool is_lstm() const { return cell == RecurrentCell::lstm; }
  // Places of the inputs; of those that are not there, of what follows.
  std::size_t bias() const { return 3; }
  std::size_t projection() const { return has_bias ? 5 : 3; }
  std::size_t state() const { return projection() + has_projection; }
  std::size_t lengths() const { return state() + (has_state ? 1 + is_lstm() : 0); }
  std::size_t input_count() const { return lengths() + has_lengths; }
};

/// Null where there is no such input, or, for backward, its values were not kept.
template <class T>
const T* recurrent_data(bool there, std::span<const Tensor> inputs, std::size_t i) {
  return there && inputs[i].impl()->storage != nullptr ? inputs[i].data<T>() : nullptr;
}

/// The formulas are in recurrent.h and recurrent_steps.cpp. Results: output, h_n and, of an lstm, c_n. Saved: the
/// arrays of RecurrentMemory that the cell has, in their order.
class RecurrentLayer : public OpWith<RecurrentLayer, RecurrentAttributes, MultiOp> {
 public:
  static constexpr std::string_view kName = "recurrent_layer";
  using OpWith::OpWith;

  std::size_t result_count(std::span<const TensorType>) const override { return options_.is_lstm() ? 3 : 2; }

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, options_.input_count());
    ops::check_computable(kName, inputs.first(options_.lengths()));
    if (options_.has_projection && !options_.is_lstm()) {
      ops::fail<ValueError>(kName, "a projection with the cell lstm alone, got one with ", to_string(options_.cell));
    }
    const ops::RecurrentSizes s = check_sizes(inputs);
    check_affine(inputs, s);
    check_rest(inputs, s);
    ops::check_work(kName, {s.steps, s.batch, s.width(), s.input + s.state + s.hidden});
    const DType dtype = inputs[0].dtype;
    std::vector<TensorType> types{{{s.steps, s.batch, s.state}, dtype}, {{s.batch, s.state}, dtype}};
    if (s.is_lstm()) types.push_back({{s.batch, s.hidden}, dtype});
    for (const TensorType& type : types) ops::check_result(kName, type.shape);
    return types;
  }

  void forward_all(const MultiForwardContext& context) const override {
    const std::span<const Tensor> inputs = context.inputs;
    const ops::RecurrentSizes s = sizes_of(inputs[0].shape(), inputs[1].shape(), inputs[2].shape());
    if (options_.has_lengths) check_lengths(inputs[options_.lengths()], s.steps);
    for (std::size_t i = 0; i < context.outputs.size(); ++i) context.make_result(i);
    if (s.batch == 0) return;
    ops::visit_computable(inputs[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      ops::RecurrentArrays<T> arrays = arrays_of<T>(inputs, s);
      std::optional<kernels::Workspace<T>> scratch;
      if (context.saved == nullptr) {
        lay_out(arrays, scratch);
      } else {
        save_arrays(context, arrays);
      }
      T* const c_n = s.is_lstm() ? context.results[2].template data<T>() : nullptr;
      ops::recurrent_forward(arrays, context.results[0].template data<T>(), context.results[1].template data<T>(), c_n);
    });
  }

  TensorList backward_all(const MultiBackwardContext& context) const override {
    const std::span<const Tensor> inputs = context.inputs;
    const ops::RecurrentSizes s = sizes_of(inputs[0].shape(), inputs[1].shape(), inputs[2].shape());
    TensorList grads(inputs.size());
    for (std::size_t i = 0; i < options_.lengths(); ++i) {
      if (!context.wanted[i]) continue;
      grads[i] = s.batch == 0 ? ops::new_zeros(inputs[i].type()) : detail::make_tensor(inputs[i].type());
    }
    if (s.batch == 0) return grads;
    ops::visit_computable(inputs[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      ops::RecurrentArrays<T> arrays = arrays_of<T>(inputs, s);
      std::size_t next = 0;
      each_array(arrays, [&](ops::PerStep<T>& array, std::int64_t width, std::int64_t) {
        array = {context.saved[next++].template data<T>(), s.batch * width};
      });
      const auto came = [&](std::size_t i) {
        return i < context.grads.size() && context.grads[i].defined() ? context.grads[i].template data<T>() : nullptr;
      };
      const auto wanted = [&](bool there, std::size_t i) {
        return there && grads[i].defined() ? grads[i].template data<T>() : nullptr;
      };
      const std::size_t bias = options_.bias(), state = options_.state();
      ops::recurrent_backward<T>(
          arrays, {came(0), came(1), came(2), wanted(true, 0), wanted(true, 1), wanted(true, 2),
                   wanted(options_.has_bias, bias), wanted(options_.has_bias, bias + 1),
                   wanted(options_.has_projection, options_.projection()), wanted(options_.has_state, state),
                   wanted(options_.has_state && options_.is_lstm(), state + 1)});
    });
    return grads;
  }

  bool saves_input(std::size_t i) const override {
    return i < 3 || (options_.has_projection && i == options_.projection()) ||
           (options_.has_lengths && i == options_.lengths());
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const ops::RecurrentSizes s = sizes_of(inputs[0].shape, inputs[1].shape, inputs[2].shape);
    const auto rows = static_cast<double>(s.steps) * static_cast<double>(s.batch);
    const double projection = options_.has_projection ? static_cast<double>(s.state * s.hidden) : 0;
    return 2 * rows * (static_cast<double>(s.width()) * static_cast<double>(s.input + s.state) + projection) +
           10 * static_cast<double>(numel(output.shape));
  }

 private:
  ops::RecurrentSizes sizes_of(const Shape& x, const Shape& weight_ih, const Shape& weight_hh) const {
    return {options_.cell, options_.reverse, x[0], x[1], x[2], weight_ih[0] / gate_count(options_.cell), weight_hh[1]};
  }

  ops::RecurrentSizes check_sizes(std::span<const TensorType> inputs) const {
    const Shape &x = inputs[0].shape, &weight = inputs[1].shape, &hidden = inputs[2].shape;
    if (x.size() != 3) ops::fail<ShapeError>(kName, "input [T, N, input], got input ", x);
    const std::int64_t gates = gate_count(options_.cell);
    if (weight.size() != 2 || weight[1] != x[2] || weight[0] < gates || weight[0] % gates != 0) {
      ops::fail<ShapeError>(kName, "weight_ih [", gates, " * hidden, ", x[2], "] to match input ", x,
                            ", got weight_ih ", weight);
    }
    if (hidden.size() != 2) ops::fail<ShapeError>(kName, "weight_hh [gates, state], got weight_hh ", hidden);
    if (x[0] < 1 || x[2] < 1 || hidden[1] < 1) {
      ops::fail<ShapeError>(kName, "at least 1 step, 1 feature and 1 place of state, got input ", x, " and weight_hh ",
                            hidden);
    }
    return sizes_of(x, weight, hidden);
  }

  void check_affine(std::span<const TensorType> inputs, const ops::RecurrentSizes& s) const {
    const Shape& weight = inputs[1].shape;
    const std::int64_t state = options_.has_projection ? s.state : s.hidden;
    ops::check_matches(kName, "weight_hh", inputs[2].shape, {s.width(), state}, "weight_ih", weight);
    if (options_.has_bias) {
      ops::check_matches(kName, "bias_ih", inputs[3].shape, {s.width()}, "weight_ih", weight);
      ops::check_matches(kName, "bias_hh", inputs[4].shape, {s.width()}, "weight_ih", weight);
    }
    if (options_.has_projection) {
      ops::check_matches(kName, "weight_hr", inputs[options_.projection()].shape, {s.state, s.hidden}, "weight_hh",
                         inputs[2].shape);
    }
  }

  void check_rest(std::span<const TensorType> inputs, const ops::RecurrentSizes& s) const {
    const Shape& x = inputs[0].shape;
    if (options_.has_state) {
      ops::check_matches(kName, "state h", inputs[options_.state()].shape, {s.batch, s.state}, "input", x);
    }
    if (options_.has_state && s.is_lstm()) {
      ops::check_matches(kName, "state c", inputs[options_.state() + 1].shape, {s.batch, s.hidden}, "input", x);
    }
    if (!options_.has_lengths) return;
    const TensorType& lengths = inputs[options_.lengths()];
    ops::check_matches(kName, "lengths", lengths.shape, {s.batch}, "input", x);
    if (lengths.dtype != DType::int64) {
      ops::fail<TypeError>(kName, "lengths of int64, got ", to_string(lengths.dtype),
                           "; convert them with to(DType::int64)");
    }
  }

  static void check_lengths(const Tensor& lengths, std::int64_t steps) {
    for (const std::int64_t length : lengths.span<std::int64_t>()) {
      if (length < 1 || length > steps) {
        ops::fail<ValueError>(kName, "lengths from 1 to the ", steps, " steps of the input, got ", length);
      }
    }
  }

  template <class T>
  ops::RecurrentArrays<T> arrays_of(std::span<const Tensor> inputs, const ops::RecurrentSizes& s) const {
    const RecurrentAttributes& o = options_;
    return {s,
            inputs[0].data<T>(),
            inputs[1].data<T>(),
            inputs[2].data<T>(),
            recurrent_data<T>(o.has_bias, inputs, o.bias()),
            recurrent_data<T>(o.has_bias, inputs, o.bias() + 1),
            recurrent_data<T>(o.has_projection, inputs, o.projection()),
            recurrent_data<T>(o.has_state, inputs, o.state()),
            recurrent_data<T>(o.has_state && o.is_lstm(), inputs, o.state() + 1),
            recurrent_data<std::int64_t>(o.has_lengths, inputs, o.lengths()),
            {s.steps, {}, {}, {}, {}, {}}};
  }

  /// use(array, width of a row, how many steps more than the sequence) for each array that the cell has.
  template <class T, class Use>
  void each_array(ops::RecurrentArrays<T>& arrays, const Use& use) const {
    const ops::RecurrentSizes& s = arrays.sizes;
    ops::RecurrentMemory<T>& memory = arrays.memory;
    use(memory.gates, s.width(), 0);
    use(memory.states, s.state, 1);
    if (s.is_lstm()) use(memory.cells, s.hidden, 1);
    if (s.is_lstm() || s.is_gru()) use(memory.inner, s.hidden, 0);
    if (options_.has_projection) use(memory.projected, s.hidden, 0);
  }

  template <class T>
  void save_arrays(const MultiForwardContext& context, ops::RecurrentArrays<T>& arrays) const {
    const ops::RecurrentSizes& s = arrays.sizes;
    each_array(arrays, [&](ops::PerStep<T>& array, std::int64_t width, std::int64_t more) {
      const Shape shape = ops::check_result(kName, {s.steps + more, s.batch, width});
      const Tensor tensor = detail::make_tensor({shape, detail::DTypeOf<T>::value});
      context.save(tensor);
      array = {tensor.data<T>(), s.batch * width};
    });
  }

  /// One step of each, but of the gates as many as fit into the second level cache.
  template <class T>
  void lay_out(ops::RecurrentArrays<T>& arrays, std::optional<kernels::Workspace<T>>& scratch) const {
    constexpr std::int64_t kGates = 1 << 16;
    const ops::RecurrentSizes& s = arrays.sizes;
    const std::int64_t step = kernels::scratch_size({s.batch, s.width()});
    arrays.memory.gate_steps = std::clamp<std::int64_t>(kGates / step, 1, s.steps);
    std::int64_t count = (arrays.memory.gate_steps - 1) * step;
    each_array(arrays, [&](ops::PerStep<T>&, std::int64_t width, std::int64_t) {
      count += kernels::scratch_size({s.batch, width});
    });
    T* next = scratch.emplace(static_cast<std::size_t>(count)).data();
    each_array(arrays, [&](ops::PerStep<T>& array, std::int64_t width, std::int64_t) {
      const bool gates = &array == &arrays.memory.gates;
      array = {next, gates ? step : 0};
      next += (gates ? arrays.memory.gate_steps : 1) * s.batch * width;
    });
  }
};

}  // namespace

std::string_view to_string(RecurrentCell cell) { return kCellNames[static_cast<std::size_t>(cell)]; }

void from_string(std::string_view name, RecurrentCell& cell) {
  const auto* const found = std::find(std::begin(kCellNames), std::end(kCellNames), name);
  if (found == std::end(kCellNames)) {
    throw ValueError("recurrent cell: expected rnn_tanh, rnn_relu, lstm or gru, got " + std::string(name));
  }
  cell = static_cast<RecurrentCell>(found - std::begin(kCellNames));
}

std::int64_t gate_count(RecurrentCell cell) {
  return cell == RecurrentCell::lstm ? 4 : cell == RecurrentCell::gru ? 3 : 1;
}

RecurrentResult recurrent_layer(const Tensor& x, const RecurrentWeights& weights, const RecurrentState& initial,
                                const RecurrentLayerOptions& options) {
  const bool is_lstm = options.cell == RecurrentCell::lstm;
  if (weights.bias_ih.defined() != weights.bias_hh.defined()) {
    ops::fail<TypeError>("recurrent_layer", "both bias_ih and bias_hh or none, got one of them");
  }
  if (initial.c.defined() != (is_lstm && initial.h.defined())) {
    ops::fail<TypeError>("recurrent_layer", is_lstm ? "a state of h and c or none, got one of them"
                                                    : "a state of h alone, got one with c");
  }
  TensorList inputs{x, weights.weight_ih, weights.weight_hh};
  for (const Tensor* tensor :
       {&weights.bias_ih, &weights.bias_hh, &weights.weight_hr, &initial.h, &initial.c, &options.lengths}) {
    if (tensor->defined()) inputs.push_back(*tensor);
  }
  const RecurrentLayer op({options.cell, options.reverse, weights.bias_ih.defined(), weights.weight_hr.defined(),
                           initial.h.defined(), options.lengths.defined()});
  TensorList results = apply_all(op, inputs);
  return {results[0], {results[1], is_lstm ? results[2] : Tensor()}};
}

std::span<const OpEntry> ops::recurrent_ops() {
  static const OpEntry entries[] = {op_entry<RecurrentLayer>()};
  return entries;
}

}  // namespace teff
