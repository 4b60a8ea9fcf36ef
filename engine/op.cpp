// SPDX-License-Identifier: MIT
#include "teff/engine/op.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/modes.h"
#include "teff/engine/node.h"
#include "teff/engine/op_timer.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/widening.h"

namespace teff {
namespace {

std::atomic<std::uint64_t> following_sequence{0};

}  // namespace

std::uint64_t detail::next_sequence() { return following_sequence.load(std::memory_order_relaxed); }

std::uint32_t detail::version_of(const Tensor& tensor) {
  const std::shared_ptr<Storage>& storage = tensor.impl()->storage;
  return storage == nullptr ? 0 : storage->version.load(std::memory_order_relaxed);
}

Tensor detail::without_values(const Tensor& input) {
  const TensorImpl& source = *input.impl();
  if (source.node == nullptr && (source.requires_grad || is_capturing())) return input;
  auto impl = std::allocate_shared<TensorImpl>(CachingAllocator<TensorImpl>());
  impl->type = source.type;
  impl->numel = source.numel;
  impl->requires_grad = source.requires_grad;
  impl->node = source.node;
  impl->result = source.result;
  return Tensor(std::move(impl));
}

namespace {

using detail::version_of;
using detail::without_values;

/// Long chains of nodes are let go one after the other, not by recursion: the stack would not hold it. A node that
/// dies while another is being destroyed waits in a list through the nodes themselves, so nothing is allocated here.
void delete_node(Node* node) noexcept {
  static thread_local Node* waiting = nullptr;
  static thread_local bool busy = false;
  node->next_to_delete = waiting;
  waiting = node;
  if (busy) return;
  busy = true;
  while (waiting != nullptr) {
    Node* next = waiting;
    waiting = next->next_to_delete;
    next->~Node();
    deallocate(next, sizeof(Node));
  }
  busy = false;
}

std::shared_ptr<Node> new_node() { return {new (allocate(sizeof(Node))) Node, delete_node, CachingAllocator<Node>()}; }

std::shared_ptr<Node> make_node(std::shared_ptr<const Op> op, std::span<const Tensor> inputs, TensorList saved,
                                const TensorType& type, bool requires_grad) {
  auto node = new_node();
  node->inputs.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // A record for capture alone needs no values.
    node->inputs.push_back(requires_grad && op->saves_input(i) ? inputs[i] : without_values(inputs[i]));
  }
  node->saved = std::move(saved);
  node->versions.reserve(node->inputs.size() + node->saved.size());
  for (const Tensor& input : node->inputs) node->versions.push_back(version_of(input));
  for (const Tensor& kept : node->saved) node->versions.push_back(version_of(kept));
  node->op = std::move(op);
  node->result.type = type;
  node->sequence = following_sequence.fetch_add(1, std::memory_order_relaxed);
  node->scope = detail::modes().scope;
  node->requires_grad = requires_grad;
  return node;
}

/// A result becomes part of a record: it must be nobody else's tensor, but for the destination if there is one.
void check_result(const Op& op, const Tensor& result, const TensorType& expected, std::span<const Tensor> inputs,
                  const Tensor* destination) {
  const auto refuse = [&](const std::string& got) {
    throw Error(std::string(op.name()) + ": expected forward to return a new tensor " + detail::describe(expected) +
                ", as output_type said, got " + got);
  };
  if (!result.defined()) refuse("none");
  if (result.type() != expected) refuse(detail::describe(result.type()));
  if (destination != nullptr && result.is(*destination)) return;
  constexpr const char* kCure = "; return a clone() or, to share its elements, a detach() of it";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (result.is(inputs[i])) refuse("its input " + std::to_string(i) + kCure);
  }
  if (result.impl().use_count() > 1 || result.impl()->node != nullptr || result.requires_grad()) {
    refuse(std::string("one that is held or recorded elsewhere") + kCure);
  }
}

/// What forward does inside is its own affair: nothing of it is recorded.
template <class Forward>
void call_forward(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs,
                  Forward&& forward) {
  const NoGradGuard no_grad;
  const detail::NotCapturing not_capturing;
  const detail::CallerOnly caller_only(detail::threads_are_far() && detail::is_short(op, inputs, outputs));
  const detail::OpTimer timer;
  try {
    forward();
  } catch (const Error& error) {
    detail::name_memory(op.name(), error);
  }
  if (timer.on()) {
    timer.report(op.name(), false, detail::modes().scope, op.flop(inputs, outputs[0]),
                 detail::moved_bytes(inputs, outputs));
  }
}

/// What training changes in place must be what it was given, not what that was converted to.
void check_evaluation(const Op& op, const detail::Conversion& conversion, std::size_t inputs) {
  for (std::size_t i = 0; i < inputs; ++i) {
    if (!op.updates_input(i) || !op.is_training()) continue;
    throw TypeError(std::string(op.name()) + ": expected float32 or float64 in training, got " +
                    std::string(to_string(conversion.narrow)) + "; convert with to(DType::float32)");
  }
}

/// forward, where inputs of another dtype are converted first and results after.
Tensor forward(const Op& op, const ForwardContext& context, std::span<const TensorType> types) {
  const std::optional<detail::Conversion> conversion = detail::conversion_for(op, types);
  if (!conversion || op.is_view(types)) return op.forward(context);
  check_evaluation(op, *conversion, types.size());
  const TensorList inputs = detail::widened(context.inputs, *conversion);
  const TensorType output = op.output_type(detail::widened(types, *conversion));
  const bool is_wide = output == context.output;
  const Tensor wide = op.forward({inputs, output, nullptr, is_wide ? context.destination : nullptr});
  check_result(op, wide, output, inputs, is_wide ? context.destination : nullptr);
  if (is_wide) return wide;
  const Tensor result = context.make_result();
  detail::narrow_into(wide, result);
  return result;
}

/// The same for all results.
void forward_all(const MultiOp& op, const MultiForwardContext& context, std::span<const TensorType> types) {
  const std::optional<detail::Conversion> conversion = detail::conversion_for(op, types);
  if (!conversion) return op.forward_all(context);
  check_evaluation(op, *conversion, types.size());
  const TensorList inputs = detail::widened(context.inputs, *conversion);
  const std::vector<TensorType> outputs = op.output_types(detail::widened(types, *conversion));
  TensorList wide(outputs.size());
  op.forward_all({inputs, outputs, nullptr, wide});
  for (std::size_t i = 0; i < wide.size(); ++i) {
    check_result(op, wide[i], outputs[i], inputs, nullptr);
    if (outputs[i] == context.outputs[i] && !context.results[i].defined()) {
      context.results[i] = std::move(wide[i]);
    } else {
      detail::narrow_into(wide[i], context.make_result(i));
    }
  }
}

Tensor call_forward(const Op& op, const ForwardContext& context, std::span<const TensorType> types) {
  Tensor result;
  call_forward(op, types, {&context.output, 1}, [&] { result = forward(op, context, types); });
  check_result(op, result, context.output, context.inputs, context.destination);
  return result;
}

void call_forward(const MultiOp& op, const MultiForwardContext& context, std::span<const TensorType> types) {
  const std::span<Tensor> results = context.results;
  const bool are_given =
      std::any_of(results.begin(), results.end(), [](const Tensor& result) { return result.defined(); });
  call_forward(op, types, context.outputs, [&] { forward_all(op, context, types); });
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!are_given && results[i].defined() && results[i].impl().use_count() > 1) {
      const auto first =
          std::find_if(results.begin(), results.end(), [&](const Tensor& other) { return other.is(results[i]); });
      if (const auto again =
              std::find_if(first + 1, results.end(), [&](const Tensor& other) { return other.is(*first); });
          again != results.end()) {
        throw Error(std::string(op.name()) + ": expected forward_all to set different tensors, got result " +
                    std::to_string(first - results.begin()) + " again as result " +
                    std::to_string(again - results.begin()));
      }
    }
    check_result(op, results[i], context.outputs[i], context.inputs, are_given ? &results[i] : nullptr);
  }
}

struct Arguments {
  detail::TensorTypes types;
  bool require_grad = false;  // one of them does
};

Arguments look_at(const Op& op, std::span<const Tensor> inputs) {
  Arguments arguments;
  arguments.types.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    if (!input.defined()) {
      throw TypeError(std::string(op.name()) + ": expected defined tensors, got an undefined one as input " +
                      std::to_string(arguments.types.size()));
    }
    arguments.types.push_back(input.type());
    arguments.require_grad = arguments.require_grad || input.impl()->requires_grad;
  }
  return arguments;
}

bool types_only() { return detail::modes().types_only && is_capturing(); }
/// The inputs, but copies of those that the op updates in place, which are not to change when a checkpoint's function
/// is run again.
std::span<const Tensor> unchanging(const Op& op, std::span<const Tensor> inputs, TensorList& copies) {
  copies.assign(inputs.begin(), inputs.end());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (op.updates_input(i)) copies[i] = copies[i].clone();
  }
  return copies;
}

/// `share` gives the op as the node will hold it.
template <class Share>
Tensor apply_op(const Op& op, std::span<const Tensor> inputs, Share&& share, const Tensor* destination = nullptr) {
  TensorList copies;
  if (detail::modes().recomputing) inputs = unchanging(op, inputs, copies);
  const Arguments arguments = look_at(op, inputs);
  const TensorType type = detail::output_type(op, arguments.types);
  if (destination != nullptr && destination->type() != type) destination = nullptr;
  const bool requires_grad =
      arguments.require_grad && is_grad_enabled() && op.differentiable() && is_computable(type.dtype);
  if (!requires_grad && !is_capturing()) {
    return call_forward(op, {inputs, type, nullptr, destination}, arguments.types);
  }
  TensorList saved;
  Tensor result =
      types_only() ? detail::make_without_values(type)
                   : call_forward(op, {inputs, type, requires_grad ? &saved : nullptr, destination}, arguments.types);
  result.impl()->node = make_node(share(), inputs, std::move(saved), type, requires_grad);
  result.impl()->requires_grad = requires_grad;
  return result;
}

/// Makes the tensor a result of the node. Where only backward() will look, a result without a gradient needs no node.
void hang(const Tensor& tensor, const std::shared_ptr<Node>& node, std::size_t result) {
  TensorImpl& impl = *tensor.impl();
  impl.requires_grad = node->requires_grad && is_computable(impl.type.dtype);
  if (!impl.requires_grad && !is_capturing()) return;
  impl.node = node;
  impl.result = static_cast<std::uint32_t>(result);
}

template <class Share>
TensorList apply_multi_op(const MultiOp& op, std::span<const Tensor> inputs, Share&& share) {
  TensorList copies;
  if (detail::modes().recomputing) inputs = unchanging(op, inputs, copies);
  const Arguments arguments = look_at(op, inputs);
  const std::vector<TensorType> types = detail::output_types(op, arguments.types);
  const bool requires_grad =
      arguments.require_grad && is_grad_enabled() && op.differentiable() &&
      std::any_of(types.begin(), types.end(), [](const TensorType& type) { return is_computable(type.dtype); });
  const bool recording = requires_grad || is_capturing();
  TensorList results(types.size()), saved;
  if (types_only()) {
    for (std::size_t i = 0; i < types.size(); ++i) results[i] = detail::make_without_values(types[i]);
  } else {
    call_forward(op, {inputs, types, requires_grad ? &saved : nullptr, results}, arguments.types);
  }
  if (!recording) return results;
  const std::shared_ptr<Node> node = make_node(share(), inputs, std::move(saved), types[0], requires_grad);
  node->more_results.reserve(types.size() - 1);
  for (std::size_t i = 1; i < types.size(); ++i) node->more_results.push_back({types[i], {}});
  for (std::size_t i = 0; i < results.size(); ++i) hang(results[i], node, i);
  return results;
}

}  // namespace

Tensor apply(const Op& op, std::span<const Tensor> inputs) {
  return apply_op(op, inputs, [&] { return op.share(); });
}

Tensor apply(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs) {
  return apply_op(*op, inputs, [&] { return op; });
}

TensorList apply_all(const Op& op, std::span<const Tensor> inputs) {
  if (op.several() == nullptr) return {teff::apply(op, inputs)};
  return apply_multi_op(*op.several(), inputs, [&] { return op.share(); });
}

TensorList apply_all(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs) {
  if (op->several() == nullptr) return {teff::apply(op, inputs)};
  return apply_multi_op(*op->several(), inputs, [&] { return op; });
}

Tensor detail::apply_in_place(const Op& op, Tensor x) {
  // Who else may see them: a graph that is captured, a leaf that gets a gradient, and the op's own backward().
  const bool unseen = x.defined() && owned_alone(x) && !is_capturing() &&
                      !(x.requires_grad() && (x.is_leaf() || (is_grad_enabled() && op.saves_input(0))));
  const Tensor destination = unseen ? alias(x, x.shape()) : Tensor();
  return apply_op(
      op, {&x, 1}, [&] { return op.share(); }, unseen ? &destination : nullptr);
}

Tensor BackwardContext::make_gradient() const {
  return detail::owned_alone(grad) ? grad : detail::make_tensor(grad.type());
}

Tensor ForwardContext::make_result() const {
  return destination != nullptr ? *destination : detail::make_tensor(output);
}

void detail::forward_into(const Op& op, std::span<const Tensor> inputs, std::span<const TensorType> types,
                          const Tensor& result) {
  const TensorType type = result.type();
  const Tensor actual = call_forward(op, {inputs, type, nullptr, &result}, types);
  if (!actual.is(result) && result.nbytes() > 0) std::memcpy(result.raw_data(), actual.raw_data(), result.nbytes());
}

void detail::forward_into(const MultiOp& op, std::span<const Tensor> inputs, std::span<const TensorType> types,
                          std::span<const TensorType> outputs, std::span<const Tensor> results, std::span<Tensor> set) {
  std::copy(results.begin(), results.end(), set.begin());
  call_forward(op, {inputs, outputs, nullptr, set}, types);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (set[i].is(results[i]) || results[i].nbytes() == 0) continue;
    std::memcpy(results[i].raw_data(), set[i].raw_data(), results[i].nbytes());
    set[i] = Tensor();
  }
}

std::vector<TensorType> detail::output_types(const Op& op, std::span<const TensorType> inputs) {
  if (op.several() == nullptr) return {output_type(op, inputs)};
  const std::optional<Conversion> conversion = conversion_for(op, inputs);
  std::vector<TensorType> types =
      conversion ? op.several()->output_types(widened(inputs, *conversion)) : op.several()->output_types(inputs);
  if (types.empty())
    throw Error(std::string(op.name()) + ": expected output_types to give at least one type, got none");
  for (std::size_t i = 0; conversion && i < types.size(); ++i) types[i] = conversion->back(types[i], i);
  return types;
}

std::vector<TensorType> detail::output_types(const Op& op, std::span<const TensorType> inputs, std::size_t expected) {
  if (op.several() == nullptr) {
    check_result_count(op.name(), 1, expected);
  } else {
    const std::optional<Conversion> conversion = conversion_for(op, inputs);
    const std::size_t count =
        conversion ? op.several()->result_count(widened(inputs, *conversion)) : op.several()->result_count(inputs);
    check_result_count(op.name(), count, expected);
  }
  return output_types(op, inputs);
}

void detail::check_result_count(std::string_view op, std::size_t actual, std::size_t expected) {
  if (actual == expected) return;
  throw ShapeError(std::string(op) + ": expected " + std::to_string(expected) + " results, as the graph has, got " +
                   std::to_string(actual));
}

const Tensor& MultiForwardContext::make_result(std::size_t i) const {
  if (!results[i].defined()) results[i] = detail::make_tensor(outputs[i]);
  return results[i];
}

double MultiOp::flop(std::span<const TensorType> inputs, const TensorType&) const {
  double sum = 0;
  for (const TensorType& input : inputs) sum += static_cast<double>(numel(input.shape));
  return sum;
}

namespace {
[[noreturn]] void refuse_single(const Op& op) {
  throw Error(std::string(op.name()) + ": expected apply_all, which gives all results of an op, got apply");
}
}  // namespace

TensorType MultiOp::output_type(std::span<const TensorType>) const { refuse_single(*this); }
Tensor MultiOp::forward(const ForwardContext&) const { refuse_single(*this); }
TensorList MultiOp::backward(const BackwardContext&) const { refuse_single(*this); }

bool Op::is_training() const {
  const Dict options = attributes();
  const Value* const training = options.find("training");
  return training != nullptr && training->as_bool();
}

double Op::flop(std::span<const TensorType>, const TensorType& output) const {
  return static_cast<double>(numel(output.shape));
}

double detail::moved_bytes(std::span<const TensorType> inputs, std::span<const TensorType> outputs) {
  const auto bytes = [](const TensorType& type) {
    return static_cast<double>(numel(type.shape)) * static_cast<double>(size_of(type.dtype));
  };
  double sum = 0;
  for (const auto& types : {inputs, outputs}) {
    for (const TensorType& type : types) sum += bytes(type);
  }
  return sum;
}

bool detail::is_short(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs) {
  // Roughly what one core does in a nanosecond. Beyond this time two threads win although they wait for each other's
  // data.
  constexpr double kFlop = 100, kBytes = 20, kBrief = 150'000;
  return op.flop(inputs, outputs[0]) / kFlop + moved_bytes(inputs, outputs) / kBytes < kBrief;
}

void detail::check_arity(std::string_view op, std::span<const TensorType> inputs, std::size_t expected) {
  if (inputs.size() == expected) return;
  throw ShapeError(std::string(op) + ": expected " + std::to_string(expected) + " inputs, got " +
                   std::to_string(inputs.size()));
}

}  // namespace teff
