// SPDX-License-Identifier: MIT
#pragma once

// Op, Node and Graph: one abstraction for compute, gradient, capture and file.
//
// An Op is one immutable operation: a name and options. It knows the type of its result (and refuses inputs that do
// not fit), how to compute it, and how to pass a gradient back. Every computation goes through apply(), which checks
// the inputs with the op, lets it compute and, where somebody may ask for a gradient, hangs a Node on the result: the
// op, its inputs, and what the op saved.
//
// backward() walks these nodes from the result to the leaves. Capturing a model walks the same nodes and writes them
// down as a Graph: plain data, each node an op by name with its options as a Dict. Running a graph makes the ops again
// by name (op_registry.h) and sends them through apply(), so a loaded graph is checked, trained, printed and captured
// by the same lines as the code that it came from.
//
// Nearly every op has one result. One of several (max with its indices, split) is a MultiOp: it lists the types of its
// results, writes a list of tensors, and gets a list of gradients. All its results hang on one Node, and each tensor
// knows which result of it it is; so backward() comes to the node once, with what has arrived for each of them. In a
// Graph every node is still one tensor of one type: the call is its first result, and nodes of kind `result` right
// behind it are the others, in their order. Whoever reads one refers to that node as to any other.
//
// To write an op of your own, derive from OpWith (below), and see examples/custom_op.cpp.

#include <bit>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "teff/engine/dict.h"
#include "teff/engine/fields.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// One call of Op::forward.
struct ForwardContext {
  std::span<const Tensor> inputs;
  const TensorType& output;             // what output_type said of these inputs
  TensorList* saved;                    // null if nobody will ask for a gradient
  const Tensor* destination = nullptr;  // where the result may be written, of type output

  /// The tensor to write the result to: the destination, or a new one.
  Tensor make_result() const;
  bool recording() const { return saved != nullptr; }
  /// Keeps a tensor for backward, if recording().
  void save(const Tensor& tensor) const {
    if (saved != nullptr) saved->push_back(tensor.detach());
  }
};

/// One call of Op::backward.
struct BackwardContext {
  const Tensor& grad;              // derivative with respect to the result, of its type
  std::span<const Tensor> inputs;  // of those that saves_input() declines only shape and dtype
  const TensorList& saved;         // in the order of ForwardContext::save
  std::span<const bool> wanted;    // by input: whether its gradient is asked for

  /// A tensor of grad's type to write a gradient to, element by element as grad is read: grad itself if nobody else
  /// will see it, or else a new one.
  Tensor make_gradient() const;
};

/// min(max(x, low), high) of each element x; NaN stays NaN.
struct Clamping {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// scale[c] * x + shift[c] of each element x of channel c, the place in dimension 1. Both float64 [C].
struct ChannelAffine {
  Tensor scale, shift;
};

class MultiOp;

/// What apply() does with inputs of dtypes that forward does not compute with: it converts them, which must be of one
/// dtype, and the result back. No gradient passes such dtypes, so backward never sees any of this.
enum class Widening {
  none,      // nothing: the op takes every dtype as it is, or refuses it. For what only moves elements.
  half,      // float16 and bfloat16 are computed in float32, and results of float32 rounded to them
  integers,  // also int32, int16, int8 and uint8 in int64; the first result, if of int64, wraps around to them
  bools,     // also bool in int64, the first result true where not 0
  floating,  // half, and whole numbers and bool in float32, which the result stays
};

class Op {
 public:
  virtual ~Op() = default;

  /// The function's name: prefix of errors, name in files.
  virtual std::string_view name() const = 0;
  /// Goes up when the meaning of the attributes changes; a file with a higher version is refused.
  virtual int version() const { return 1; }
  /// The options by name, enough to make an equal op.
  virtual Dict attributes() const = 0;

  /// Type of the result. All validation lives here.
  /// @throws ShapeError, TypeError or ValueError if inputs of these types do not fit the op.
  virtual TensorType output_type(std::span<const TensorType> inputs) const = 0;

  /// The result, of type context.output. It must not be one of the inputs (a detach() of one is fine). Written to
  /// context.make_result() it needs no memory in an InferenceSession; what is returned otherwise is copied there.
  virtual Tensor forward(const ForwardContext& context) const = 0;

  /// One gradient for each input, of the input's type; undefined where !wanted or where there is none.
  virtual TensorList backward(const BackwardContext& context) const = 0;

  /// Which dtypes are converted before output_type and forward see them.
  virtual Widening widening() const { return Widening::half; }
  /// Whether a gradient can pass. False for comparisons and the like.
  virtual bool differentiable() const { return true; }
  /// Whether backward reads the values of input i. Where not, they need not be kept alive.
  virtual bool saves_input(std::size_t) const { return true; }

  /// Floating-point operations of one forward call, for the profiler, and to tell what is too short for several threads
  /// whose cores are far from each other. Default: one for each element of the result.
  virtual double flop(std::span<const TensorType> inputs, const TensorType& output) const;

  // What others may do with the op. They ask it, and know none by name.

  /// Whether its options are those of training. Default: its attribute "training", if it has one.
  virtual bool is_training() const;
  /// Whether training changes input i in place: a running statistic.
  virtual bool updates_input(std::size_t) const { return false; }
  /// Whether the result shares the elements of input 0, for inputs of these types.
  virtual bool is_view(std::span<const TensorType>) const { return false; }
  /// Whether the result equals input 0, which may then stand for it where no gradient is asked for.
  virtual bool forwards_input() const { return false; }
  /// What it does to input 0, if it only clamps.
  virtual std::optional<Clamping> clamping() const { return std::nullopt; }
  /// What it does to input 0, if that is the same for all of a channel and known. `constants`: the inputs that never
  /// change; undefined for others.
  virtual std::optional<ChannelAffine> channel_affine(std::span<const Tensor>) const { return std::nullopt; }

  /// An op that does this one and then `next`, of one input, in one go; null if there is none.
  virtual std::shared_ptr<const Op> fuse(const Op&) const { return nullptr; }
  /// The inputs after the first with which this op does `next`, too; empty if there are none. `inputs`: the types.
  virtual TensorList fold(const ChannelAffine&, std::span<const TensorType>, std::span<const Tensor>) const {
    return {};
  }
  /// An op that does the same for inputs of these types and these constants: with packed weights. Null if there is
  /// none.
  virtual std::shared_ptr<const Op> prepare(std::span<const TensorType>, std::span<const Tensor>) const {
    return nullptr;
  }

  /// A copy that lives as long as somebody holds it.
  virtual std::shared_ptr<const Op> share() const = 0;

  /// This op if it is one of several results, else null.
  virtual const MultiOp* several() const { return nullptr; }
};

/// One call of MultiOp::forward_all.
struct MultiForwardContext {
  std::span<const Tensor> inputs;
  std::span<const TensorType> outputs;  // what output_types said of these inputs
  TensorList* saved;                    // null if nobody will ask for a gradient
  std::span<Tensor> results;            // for forward_all to set; one that is defined may be written to instead

  /// Result i, to write to: what is there, or a new tensor.
  const Tensor& make_result(std::size_t i) const;
  /// Keeps a tensor for backward_all, if somebody may ask for a gradient.
  void save(const Tensor& tensor) const {
    if (saved != nullptr) saved->push_back(tensor.detach());
  }
};

/// One call of MultiOp::backward_all.
struct MultiBackwardContext {
  std::span<const Tensor> grads;   // by result: of its type, or undefined where none came; at least one came
  std::span<const Tensor> inputs;  // of those that saves_input() declines only shape and dtype
  const TensorList& saved;         // in the order of MultiForwardContext::save
  std::span<const bool> wanted;    // by input: whether its gradient is asked for
};

/// An op of several results. Derive from OpWith<..., MultiOp>. A gradient can come to the results of float32 and
/// float64; others, such as indices, never require grad.
class MultiOp : public Op {
 public:
  /// Types of the results, at least one. All validation lives here.
  /// @throws ShapeError, TypeError or ValueError if inputs of these types do not fit the op.
  virtual std::vector<TensorType> output_types(std::span<const TensorType> inputs) const = 0;
  /// How many they are. Where options and sizes, as a file may hold them, can ask for any number, tell it without
  /// making them: a graph that has not as many is refused before memory is taken.
  virtual std::size_t result_count(std::span<const TensorType> inputs) const { return output_types(inputs).size(); }

  /// Sets context.results, of the types context.outputs. None may be one of the inputs or another result (a detach() is
  /// fine).
  virtual void forward_all(const MultiForwardContext& context) const = 0;
  /// One gradient for each input, of the input's type; undefined where !wanted or where there is none.
  virtual TensorList backward_all(const MultiBackwardContext& context) const = 0;

  /// One for each element of the inputs.
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override;

  // What an op of one result has. @throws Error that names apply_all.
  TensorType output_type(std::span<const TensorType> inputs) const final;
  Tensor forward(const ForwardContext& context) const final;
  TensorList backward(const BackwardContext& context) const final;

  const MultiOp* several() const final { return this; }
};

namespace detail {

/// The memory of a shared op, which its handles keep. It has a few sizes, and knows no class of ops: else a program
/// would hold the code that counts handles once for each of them.
template <std::size_t size>
struct OpBlock {
  OpBlock() = default;
  OpBlock(const OpBlock&) = delete;
  OpBlock& operator=(const OpBlock&) = delete;
  ~OpBlock() {
    if (op != nullptr) op->~Op();
  }
  Op* op = nullptr;  // once it is made
  alignas(std::max_align_t) std::byte bytes[size];
};

template <class Derived>
std::shared_ptr<const Op> share_copy(const Derived& op) {
  static_assert(alignof(Derived) <= alignof(std::max_align_t));
  using Block = OpBlock<std::bit_ceil(sizeof(Derived))>;
  std::shared_ptr<Block> block = std::allocate_shared<Block>(CachingAllocator<Block>());
  Op* const copy = new (block->bytes) Derived(op);
  block->op = copy;
  return {std::move(block), copy};
}

}  // namespace detail

/// Implements what follows from `static constexpr std::string_view kName` and the options' fields (fields.h):
///
///   class Scale : public OpWith<Scale, ScaleOptions> {
///    public:
///     static constexpr std::string_view kName = "scale";
///     using OpWith::OpWith;
///     ...
///
/// For an op of several results Base is MultiOp.
template <class Derived, class Options = NoOptions, class Base = Op>
class OpWith : public Base {
 public:
  OpWith() = default;
  explicit OpWith(const Options& options) : options_(options) {}

  const Options& options() const { return options_; }

  std::string_view name() const override { return Derived::kName; }
  Dict attributes() const override { return to_dict(options_); }
  std::shared_ptr<const Op> share() const override { return detail::share_copy(static_cast<const Derived&>(*this)); }

  /// @throws ValueError, TypeError if the attributes are not those of such an op.
  static std::shared_ptr<const Op> from_attributes(const Dict& attributes) {
    return Derived(from_dict<Options>(attributes, Derived::kName)).share();
  }

 protected:
  const Options options_{};
};

/// Checks the inputs with the op, computes, and records the call where recording is on and an input requires grad.
/// Write teff::apply for a span or vector of inputs: a bare apply may find std::apply first.
/// @throws what op.output_type throws; TypeError for an undefined input; Error for an op of several results.
Tensor apply(const Op& op, std::span<const Tensor> inputs);
inline Tensor apply(const Op& op, std::initializer_list<Tensor> inputs) {
  return apply(op, std::span<const Tensor>(inputs.begin(), inputs.size()));
}
/// The same for an op that is shared already, as in a graph.
Tensor apply(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs);

/// All results of an op of any number of them.
TensorList apply_all(const Op& op, std::span<const Tensor> inputs);
inline TensorList apply_all(const Op& op, std::initializer_list<Tensor> inputs) {
  return apply_all(op, std::span<const Tensor>(inputs.begin(), inputs.size()));
}
TensorList apply_all(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs);

namespace detail {
/// Computes without checks or record: the result is written to `result`, of the type that op.output_type gives for
/// inputs of these types.
void forward_into(const Op& op, std::span<const Tensor> inputs, std::span<const TensorType> types,
                  const Tensor& result);
/// The same for all results, of the types `outputs`; `set` is scratch of that size. Takes no memory if the op writes to
/// what it finds in context.results.
void forward_into(const MultiOp& op, std::span<const Tensor> inputs, std::span<const TensorType> types,
                  std::span<const TensorType> outputs, std::span<const Tensor> results, std::span<Tensor> set);
/// The type of the result for inputs as they are: what output_type says of them, once converted (Op::widening).
TensorType output_type(const Op& op, std::span<const TensorType> inputs);
/// The types of all results of any op, likewise.
std::vector<TensorType> output_types(const Op& op, std::span<const TensorType> inputs);
/// The same for a graph that has `expected` results. @throws ShapeError, before their types take memory, if there are
/// not as many.
std::vector<TensorType> output_types(const Op& op, std::span<const TensorType> inputs, std::size_t expected);
void check_result_count(std::string_view op, std::size_t actual, std::size_t expected);
/// apply(op, {x}) for an op that computes each element of the result from the same element of x, and can do so in
/// place: if nobody else will see the values of x, the result takes their memory.
Tensor apply_in_place(const Op& op, Tensor x);
/// @throws ShapeError unless there are exactly `expected` inputs.
void check_arity(std::string_view op, std::span<const TensorType> inputs, std::size_t expected);
}  // namespace detail

}  // namespace teff
