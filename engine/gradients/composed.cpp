// SPDX-License-Identifier: MIT

// Ops whose results other functions give, too, if slower: the gradient is that of these functions.

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

/// The gradients of function(inputs), which equals the op's result.
template <class Function>
TensorList gradients_of(const RecordedCall& call, const Function& function) {
  const GradModeGuard recorded(true);
  TensorList inputs(call.inputs.begin(), call.inputs.end()), asked;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!call.wanted[i] || !inputs[i].requires_grad()) continue;
    inputs[i] = view(inputs[i], inputs[i].shape());  // of its own, if one tensor is given twice
    asked.push_back(inputs[i]);
    places.push_back(i);
  }
  TensorList grads(inputs.size());
  const Tensor y = function(std::span<const Tensor>(inputs));
  if (!y.requires_grad()) return grads;
  const std::vector<Tensor> found = autograd::grad(
      {y}, std::span<const Tensor>(asked), {.grad_outputs = {call.grad()}, .create_graph = true, .allow_unused = true});
  for (std::size_t i = 0; i < places.size(); ++i) grads[places[i]] = found[i];
  return grads;
}

// --- ctc_loss: the sum over paths, step by step

constexpr double kNever = -1e30;  // log(0), but with differences that are numbers

/// What is `by` states before, for states [N, S].
Tensor states_before(const Tensor& alpha, std::int64_t by) {
  const std::int64_t kept = std::max<std::int64_t>(alpha.size(1) - by, 0);
  return pad(slice(alpha, 1, 0, kept), {alpha.size(1) - kept, 0}, kNever);
}

/// The labels of each sequence with blanks between and around them: int64 [N, 2 * longest + 1]
Tensor states_of(const Tensor& targets, const Tensor& lengths, std::int64_t blank) {
  const std::int64_t n = lengths.numel();
  std::int64_t most = 0, begin = 0;
  for (const std::int64_t length : lengths.span<std::int64_t>()) most = std::max(most, length);
  const Tensor states = full({n, 2 * most + 1}, static_cast<double>(blank), {.dtype = DType::int64});
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t length = lengths.data<std::int64_t>()[i];
    const std::int64_t* labels = targets.data<std::int64_t>() + (targets.dim() == 1 ? begin : i * targets.size(1));
    std::int64_t* to = states.data<std::int64_t>() + i * states.size(1);
    for (std::int64_t k = 0; k < length; ++k) to[2 * k + 1] = labels[k];
    begin += length;
  }
  return states;
}

Tensor ctc(const RecordedCall& call, const Tensor& log_probs) {
  const Tensor &steps = call.inputs[2], &lengths = call.inputs[3];
  const std::int64_t blank = integer(call, "blank"), n = log_probs.size(1);
  const Tensor states = states_of(call.inputs[1], lengths, blank);
  const std::int64_t count = states.size(1), all_steps = log_probs.size(0);
  if (all_steps == 0) return sum(log_probs, {0, 2});
  const Tensor probs = clamp(gather(log_probs, 2, expand(unsqueeze(states, 0), {all_steps, n, count})), kNever);
  // A path may come over a blank from another label.
  Tensor skips = zeros({n, count}, {.dtype = DType::bool_});
  if (count > 2) {
    const Tensor other = ne(slice(states, 1, 2), slice(states, 1, 0, count - 2));
    skips = cat({slice(skips, 1, 0, 2), bitwise_and(other, ne(slice(states, 1, 2), blank))}, 1);
  }
  const Tensor place = expand(arange(count), {n, count});
  Tensor alpha = where(lt(place, 2), probs[0], kNever);
  for (std::int64_t t = 1; t < all_steps; ++t) {
    const Tensor skipped = where(skips, states_before(alpha, 2), kNever);
    const Tensor next = logaddexp(logaddexp(alpha, states_before(alpha, 1)), skipped) + probs[t];
    alpha = where(unsqueeze(gt(steps, t), 1), next, alpha);
  }
  // The last blank, or the last label before it.
  const Tensor end = unsqueeze(lengths * 2, 1);
  const Tensor is_end = bitwise_or(eq(place, end), eq(place, end - 1));
  const Tensor loss = neg(logsumexp(where(is_end, alpha, kNever), 1));
  const Tensor possible = bitwise_and(lt(loss, -kNever / 2), gt(steps, 0));
  const double otherwise = flag(call, "zero_infinity") ? 0 : std::numeric_limits<double>::quiet_NaN();
  const Tensor factor = where(possible, Scalar(1.0), where(gt(steps, 0), Scalar(otherwise), Scalar(0.0)));
  return loss * factor.to(loss.dtype());
}

TensorList ctc_grads(const RecordedCall& call) {
  return gradients_of(call, [&](std::span<const Tensor> inputs) { return ctc(call, inputs[0]); });
}

// --- embedding_bag

/// For each index that counts: its place among the indices, its row of the weight, and its bag.
struct Bags {
  std::vector<std::int64_t> places, rows, bags, counts;

  explicit Bags(const RecordedCall& call) : counts(static_cast<std::size_t>(call.grad().size(0))) {
    const Dict options = call.op.attributes();
    const Tensor& indices = call.inputs[0];
    const bool has_offsets = options.at("has_offsets").as_bool();
    const std::int64_t vocabulary = call.inputs[1].size(0), total = indices.numel();
    const Value& padding = options.at("padding_idx");
    const std::int64_t left_out = padding.is_none()      ? -1
                                  : padding.as_int() < 0 ? padding.as_int() + vocabulary
                                                         : padding.as_int();
    const auto begin_of = [&](std::int64_t bag) {
      if (!has_offsets) return bag * indices.size(1);
      return bag < call.inputs[2].numel() ? call.inputs[2].data<std::int64_t>()[bag] : total;
    };
    for (std::int64_t bag = 0; bag < call.grad().size(0); ++bag) {
      for (std::int64_t i = begin_of(bag); i < begin_of(bag + 1); ++i) {
        const std::int64_t row = indices.data<std::int64_t>()[i];
        if (row == left_out) continue;
        places.push_back(i);
        rows.push_back(row);
        bags.push_back(bag);
        ++counts[static_cast<std::size_t>(bag)];
      }
    }
  }
};

/// Where in the weight the greatest of each bag's column stands, of equals the first: [B, D] as indices of bags' rows.
TensorList maxima_grads(const RecordedCall& call, const Bags& bags) {
  const Tensor weight = call.inputs[1].detach().to(DType::float64);
  const std::int64_t size = weight.size(1), count = call.grad().size(0);
  const double* from = weight.data<double>();
  std::vector<std::int64_t> best(static_cast<std::size_t>(count * size), -1);
  for (std::size_t i = 0; i < bags.rows.size(); ++i) {
    for (std::int64_t d = 0; d < size; ++d) {
      std::int64_t& place = best[static_cast<std::size_t>(bags.bags[i] * size + d)];
      const double value = from[bags.rows[i] * size + d];
      const bool better = place < 0 || value > from[place] || (value != value && from[place] == from[place]);
      if (better) place = bags.rows[i] * size + d;
    }
  }
  // An empty bag has none: its gradient, 0 times, goes to the first.
  const Tensor places = tensor(best, {count, size}), is_there = ge(places, 0);
  TensorList grads(call.inputs.size());
  if (weight.numel() == 0) return {Tensor(), zeros(weight.shape(), {.dtype = call.inputs[1].dtype()})};
  grads[1] = put(where(is_there, call.grad(), 0.0), clamp(places, 0), call.inputs[1].type());
  return grads;
}

TensorList embedding_bag_grads(const RecordedCall& call) {
  const Bags bags(call);
  const Dict options = call.op.attributes();
  const std::string& mode = options.at("mode").as_text();
  if (mode == "max") return maxima_grads(call, bags);
  const Tensor& weight = call.inputs[1];
  const auto list = [](const std::vector<std::int64_t>& numbers) {
    return tensor(numbers, {static_cast<std::int64_t>(numbers.size())});
  };
  const Tensor rows = list(bags.rows), places = list(bags.places);
  Tensor grad = index_select(call.grad(), 0, list(bags.bags));
  TensorList grads(call.inputs.size());
  if (options.at("has_weights").as_bool()) {
    const Tensor& factors = call.inputs.back();
    const Tensor products = sum(index_select(weight, 0, rows) * grad, 1);
    grads.back() = view(put(products, places, {{factors.numel()}, factors.dtype()}), factors.shape());
    grad = grad * unsqueeze(index_select(flatten(factors), 0, places), 1);
  }
  if (mode == "mean") {
    const Tensor counts = index_select(list(bags.counts), 0, list(bags.bags)).to(grad.dtype());
    grad = grad / unsqueeze(counts, 1);
  }
  grads[1] = index_add(zeros(weight.shape(), {.dtype = weight.dtype()}), 0, rows, grad);
  return grads;
}

// --- multi_margin_loss

/// Of every other class c of each target class y: dX[c] += g, dX[y] -= g, g = dL * w[y] * p * excess^(p - 1) / C.
TensorList multi_margin_grads(const RecordedCall& call) {
  const Tensor& x = call.inputs[0];
  const std::int64_t rows = x.size(0), classes = x.size(1);
  const bool several = flag(call, "several"), has_weight = flag(call, "has_weight");
  const Tensor targets = view(call.inputs[1], {rows, several ? classes : 1});
  // Up to the first negative one.
  const Tensor counts = eq(cumsum(lt(targets, 0).to(DType::int64), 1), 0), places = clamp(targets, 0);
  const Tensor none = zeros({rows, classes}, {.dtype = DType::int64});
  const Tensor is_target = gt(scatter_add(none, 1, places, counts.to(DType::int64)), 0);
  TensorList grads(call.inputs.size());
  Tensor sum_of_all = zeros(x.shape(), {.dtype = x.dtype()});
  for (std::int64_t i = 0; i < targets.size(1); ++i) {
    const Tensor place = slice(places, 1, i, i + 1), is_there = slice(counts, 1, i, i + 1);
    const Tensor excess = number(call, "margin") - gather(x, 1, place) + x;
    const Tensor active = bitwise_and(bitwise_and(gt(excess, 0), logical_not(is_target)), is_there);
    const Tensor slope = integer(call, "p") == 1 ? mask(active, x) : where(active, excess * 2.0, 0.0);
    Tensor share = unsqueeze(call.grad(), 1) / static_cast<double>(classes);
    if (has_weight) share = share * index_select(call.inputs[2], 0, flatten(place)).view({rows, 1});
    const Tensor parts = share * slope;
    sum_of_all = scatter_add(sum_of_all + parts, 1, place, neg(sum(parts, 1, true)));
  }
  grads[0] = sum_of_all;
  if (has_weight) grads[2] = zeros({classes}, {.dtype = x.dtype()});  // as PyTorch
  return grads;
}

// --- instance_norm

TensorList instance_norm_grads(const RecordedCall& call) {
  return gradients_of(call, [&](std::span<const Tensor> inputs) {
    const bool has_weight = flag(call, "has_weight"), has_bias = flag(call, "has_bias");
    const Tensor weight = has_weight ? inputs[3] : Tensor(), bias = has_bias ? inputs[has_weight ? 4 : 3] : Tensor();
    const double eps = number(call, "eps");
    if (flag(call, "training")) return group_norm(inputs[0], inputs[0].size(1), weight, bias, eps);
    return batch_norm(inputs[0], inputs[1], inputs[2], weight, bias, {.training = false, .eps = eps});
  });
}

}  // namespace

std::span<const FormulaEntry> composed_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"ctc_loss", ctc_grads},
      {"embedding_bag", embedding_bag_grads},
      {"instance_norm", instance_norm_grads},
      {"multi_margin_loss", multi_margin_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients
