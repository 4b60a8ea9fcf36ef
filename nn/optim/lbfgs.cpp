// SPDX-License-Identifier: MIT
#include "teff/nn/optim/lbfgs.h"

#include <algorithm>
#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/optim/line_search.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

constexpr const char* kName = "LBFGS";

double inner_product(const Tensor& a, const Tensor& b) { return matmul(a, b).item<double>(); }
double greatest(const Tensor& x) { return amax(abs(x)).item<double>(); }

double to_number(const Value& value) { return value.is_tensor() ? value.as_tensor().item<double>() : value.as_float(); }

/// PyTorch's state dicts have the number.
LBFGSOptions with_max_eval(LBFGSOptions options) {
  options.max_eval = options.max_eval.value_or(options.max_iter * 5 / 4);
  return options;
}

}  // namespace

std::string_view to_string(LineSearch) { return "strong_wolfe"; }

void from_string(std::string_view text, LineSearch& search) {
  nn::detail::expect(text == "strong_wolfe", kName, "line_search_fn \"strong_wolfe\" or none",
                     nn::detail::quoted(text));
  search = LineSearch::strong_wolfe;
}

void LBFGSOptions::check(std::string_view owner) const {
  detail::expect_non_negative(owner, "lr", lr);
  nn::detail::expect_at_least(1, owner, "max_iter", max_iter);
  if (max_eval) nn::detail::expect_at_least(1, owner, "max_eval", *max_eval);
  detail::expect_non_negative(owner, "tolerance_grad", tolerance_grad);
  detail::expect_non_negative(owner, "tolerance_change", tolerance_change);
  nn::detail::expect_at_least(1, owner, "history_size", history_size);
}

LBFGS::LBFGS(ParameterList parameters, const LBFGSOptions& options)
    : OptimizerOf(kName, {}, std::vector<Group>{{std::move(parameters), with_max_eval(options)}}) {
  const DType dtype = this->parameters()[0].dtype();
  for (const Tensor& parameter : this->parameters()) {
    if (parameter.dtype() == dtype) continue;
    throw TypeError("LBFGS: expected parameters of one dtype, got " + std::string(teff::to_string(dtype)) + " and " +
                    std::string(teff::to_string(parameter.dtype())));
  }
}

void LBFGS::on_new_group(std::size_t) { throw ValueError("LBFGS: expected one group of parameters, got another"); }

void LBFGS::step() { throw Error("LBFGS: expected step(closure), which computes the loss anew, got step()"); }

Tensor LBFGS::flat_gradient() const {
  std::vector<Tensor> parts;
  for (const Tensor& parameter : parameters()) {
    const Tensor& grad = parameter.grad();
    parts.push_back((grad.defined() ? grad.detach() : zeros_like(parameter.detach())).view({-1}));
  }
  return cat(parts);
}

LBFGS::Point LBFGS::evaluate(const Closure& closure) const {
  const GradModeGuard recording(true);
  const Tensor loss = closure();
  const NoGradGuard no_grad;
  return {loss.item<double>(), flat_gradient()};
}

/// p = p + step * direction
void LBFGS::move(double step, const Tensor& direction) const {
  std::int64_t begin = 0;
  for (const Tensor& parameter : parameters()) {
    const std::int64_t end = begin + parameter.numel();
    parameter.add_(direction.slice(0, begin, end).view(parameter.shape()), step);
    begin = end;
  }
}

void LBFGS::remember(const Tensor& gradient) {
  const Tensor gradients = gradient - memory_.gradient, moved = memory_.direction * memory_.step;
  const double product = inner_product(gradients, moved);
  if (!(product > 1e-10)) return;
  std::vector<Pair>& pairs = memory_.pairs;
  if (std::ssize(pairs) >= options().history_size) pairs.erase(pairs.begin());
  pairs.push_back({gradients, moved, 1 / product});
  memory_.scale = product / inner_product(gradients, gradients);
}

/// -H g by the two loops over the pairs.
Tensor LBFGS::direction_at(const Tensor& gradient) const {
  const std::vector<Pair>& pairs = memory_.pairs;
  std::vector<double> alpha(pairs.size());
  Tensor q = neg(gradient.clone());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = inner_product(pairs[i].parameters, q) * pairs[i].inverse_product;
    q.sub_(pairs[i].gradients, alpha[i]);
  }
  const Tensor direction = q * memory_.scale;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = inner_product(pairs[i].gradients, direction) * pairs[i].inverse_product;
    direction.add_(pairs[i].parameters, alpha[i] - beta);
  }
  return direction;
}

Tensor LBFGS::step(const Closure& closure) {
  if (!closure) throw TypeError("LBFGS: expected a closure, got an empty one");
  const NoGradGuard no_grad;
  const LBFGSOptions& o = options();
  const std::int64_t most_evaluations = *with_max_eval(o).max_eval;
  Tensor first_loss;
  {
    const GradModeGuard recording(true);
    first_loss = closure();
  }
  Point here{first_loss.item<double>(), flat_gradient()};
  std::int64_t evaluations = 1;
  ++memory_.func_evals;
  if (here.gradient.numel() == 0 || greatest(here.gradient) <= o.tolerance_grad) return first_loss;
  for (std::int64_t iteration = 1; iteration <= o.max_iter; ++iteration) {
    const bool is_first = ++memory_.n_iter == 1;
    if (is_first) {
      memory_.pairs.clear();
      memory_.scale = 1;
    } else {
      remember(here.gradient);
    }
    memory_.direction = is_first ? neg(here.gradient.clone()) : direction_at(here.gradient);
    memory_.gradient = here.gradient;
    memory_.loss = here.loss;
    memory_.step = is_first ? std::min(1.0, 1 / sum(abs(here.gradient)).item<double>()) * o.lr : o.lr;
    const double slope = inner_product(here.gradient, memory_.direction);
    if (slope > -o.tolerance_change) break;
    std::int64_t used = 0;
    if (o.line_search_fn) {
      used = search(closure, slope, here);
    } else {
      move(memory_.step, memory_.direction);
      if (iteration != o.max_iter) {
        here = evaluate(closure);
        used = 1;
      }
    }
    evaluations += used;
    memory_.func_evals += used;
    if (evaluations >= most_evaluations || greatest(here.gradient) <= o.tolerance_grad ||
        greatest(memory_.direction * memory_.step) <= o.tolerance_change ||
        std::abs(here.loss - memory_.loss) < o.tolerance_change) {
      break;
    }
  }
  return first_loss;
}

/// Goes to the point that it finds, which becomes `here`. Returns the number of evaluations.
std::int64_t LBFGS::search(const Closure& closure, double slope, Point& here) {
  std::vector<Tensor> start;
  for (const Tensor& parameter : parameters()) start.push_back(parameter.detach().clone());
  const auto look = [&](double t) {
    move(t, memory_.direction);
    const Point point = evaluate(closure);
    for (std::size_t i = 0; i < start.size(); ++i) parameters()[i].copy_(start[i]);
    return detail::LinePoint{t, point.loss, inner_product(point.gradient, memory_.direction), point.gradient};
  };
  const auto [point, evaluations] = detail::strong_wolfe(look, {0, here.loss, slope, here.gradient}, memory_.step,
                                                         greatest(memory_.direction), options().tolerance_change);
  memory_.step = point.t;
  here = {point.loss, point.gradient};
  move(memory_.step, memory_.direction);
  return evaluations;
}

/// As PyTorch has it: with the first parameter, and with the coefficients of the last direction, which nobody reads.
void LBFGS::add_own_state(Dict& state) const {
  if (memory_.func_evals == 0) return;
  Dict own{{"func_evals", memory_.func_evals}, {"n_iter", memory_.n_iter}};
  if (memory_.n_iter > 0) {
    List gradients, moved, products;
    for (const Pair& pair : memory_.pairs) {
      gradients.emplace_back(pair.gradients);
      moved.emplace_back(pair.parameters);
      products.emplace_back(pair.inverse_product);
    }
    own.insert("d", memory_.direction);
    own.insert("t", memory_.step);
    own.insert("old_dirs", std::move(gradients));
    own.insert("old_stps", std::move(moved));
    own.insert("ro", std::move(products));
    own.insert("H_diag", memory_.scale);
    own.insert("prev_flat_grad", memory_.gradient);
    own.insert("prev_loss", memory_.loss);
    own.insert("al", List(static_cast<std::size_t>(options().history_size)));
  }
  state.insert("0", std::move(own));
}

/// A tensor of all parameters.
Tensor LBFGS::to_flat(const Value& value) const {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  const Tensor& tensor = value.as_tensor();
  if (!tensor.defined() || tensor.shape() != Shape{count}) {
    throw ValueError("expected tensors of shape " + to_string(Shape{count}) + " for all parameters, got " +
                     (tensor.defined() ? to_string(tensor.shape()) : "an undefined one"));
  }
  return tensor.detach().to(parameters()[0].dtype()).clone();
}

Commit LBFGS::take_own_state(Dict& state) {
  Memory memory;
  if (const Value* saved = state.find("0")) {
    const Dict own = saved->as_dict();
    state.erase("0");
    memory.func_evals = own.at("func_evals").as_int();
    memory.n_iter = own.at("n_iter").as_int();
    if (memory.n_iter > 0) {
      memory.direction = to_flat(own.at("d"));
      memory.gradient = to_flat(own.at("prev_flat_grad"));
      memory.step = to_number(own.at("t"));
      memory.scale = to_number(own.at("H_diag"));
      memory.loss = to_number(own.at("prev_loss"));
      const List &gradients = own.at("old_dirs").as_list(), &moved = own.at("old_stps").as_list(),
                 &products = own.at("ro").as_list();
      if (gradients.size() != moved.size() || gradients.size() != products.size()) {
        throw ValueError("expected old_dirs, old_stps and ro of one length");
      }
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        memory.pairs.push_back({to_flat(gradients[i]), to_flat(moved[i]), to_number(products[i])});
      }
    }
  }
  return [this, memory = std::move(memory)]() mutable { memory_ = std::move(memory); };
}

}  // namespace teff::optim
