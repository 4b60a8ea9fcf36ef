// SPDX-License-Identifier: MIT
#include "teff/engine/optim_steps.h"

#include <cmath>

#include "teff/engine/autograd.h"
#include "teff/engine/build.h"
#include "teff/engine/error.h"
#include "teff/engine/kernels/optim/optim_kernels.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// One step on one parameter: what all of them check, and what they mark as changed.
class Update {
 public:
  Update(const char* function, const Tensor& parameter, const Tensor& grad)
      : function_(function), parameter_(parameter) {
    if (!kHasTraining) {
      throw Error(std::string(function) + ": expected a build of Teff with TEFF_TRAINING, got one without");
    }
    if (!parameter.defined()) {
      throw TypeError(std::string(function) + ": expected a defined parameter, got an undefined one");
    }
    if (!is_computable(parameter.dtype())) {
      throw TypeError(std::string(function) + ": expected a parameter of float32 or float64, got " +
                      detail::describe(parameter.type()));
    }
    check_like(grad, "a gradient");
  }

  /// A tensor of state, which the step changes.
  void check_state(const Tensor& state, const char* name) const { check_like(state, name); }

  void check_count(std::int64_t t) const {
    if (t < 1) throw ValueError(std::string(function_) + ": expected a step count >= 1, got " + std::to_string(t));
  }

  /// compute(T()) with the parameter's type, when the tensors that it changes have been marked.
  template <class Compute>
  void run(std::initializer_list<const Tensor*> states, const Compute& compute) const {
    const NoGradGuard no_grad;
    for (const Tensor* state : states) {
      if (state->defined()) detail::check_in_place(function_, *state);
    }
    detail::begin_in_place(function_, parameter_);
    for (const Tensor* state : states) {
      if (state->defined()) detail::begin_in_place(function_, *state);
    }
    ops::visit_computable(parameter_.dtype(), compute);
  }

 private:
  void check_like(const Tensor& other, const char* name) const {
    if (other.defined() && other.type() == parameter_.type()) return;
    const std::string text = std::string(function_) + ": expected " + name + ' ' + detail::describe(parameter_.type()) +
                             " as the parameter, got " +
                             (other.defined() ? detail::describe(other.type()) : "an undefined tensor");
    if (other.defined() && other.dtype() == parameter_.dtype()) throw ShapeError(text);
    throw TypeError(text);
  }

  const char* function_;
  const Tensor& parameter_;
};

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

}  // namespace

void sgd_step_(const Tensor& parameter, const Tensor& grad, const Tensor& momentum_buffer, const SgdStep& step) {
  const Update update("sgd_step_", parameter, grad);
  const Tensor buffer = step.momentum == 0 ? Tensor() : momentum_buffer;
  if (step.momentum != 0) update.check_state(buffer, "a momentum buffer");
  const kernels::SgdFactors options{step.lr,       step.momentum, step.dampening, step.weight_decay,
                                    step.nesterov, step.maximize, step.first_step};
  update.run({&buffer}, [&]<class T>(T) {
    kernels::sgd_kernels<T>().sgd_step(options, parameter.numel(), grad.data<T>(), data_or_null<T>(buffer),
                                       parameter.data<T>());
  });
}

void adam_step_(const Tensor& parameter, const Tensor& grad, const AdamState& state, const AdamStep& step) {
  const Update update("adam_step_", parameter, grad);
  update.check_state(state.exp_avg, "exp_avg");
  update.check_state(state.exp_avg_sq, "exp_avg_sq");
  if (state.max_exp_avg_sq.defined()) update.check_state(state.max_exp_avg_sq, "max_exp_avg_sq");
  update.check_count(step.t);
  const double t = static_cast<double>(step.t);
  const kernels::AdamFactors options{.step_size = step.lr / (1 - std::pow(step.beta1, t)),
                                     .root_correction = std::sqrt(1 - std::pow(step.beta2, t)),
                                     .beta1 = step.beta1,
                                     .beta2 = step.beta2,
                                     .eps = step.eps,
                                     .weight_decay = step.decoupled ? 0 : step.weight_decay,
                                     .shrink = step.decoupled ? 1 - step.lr * step.weight_decay : 1,
                                     .maximize = step.maximize};
  update.run({&state.exp_avg, &state.exp_avg_sq, &state.max_exp_avg_sq}, [&]<class T>(T) {
    kernels::adam_kernels<T>().adam_step(options, parameter.numel(), grad.data<T>(), state.exp_avg.data<T>(),
                                         state.exp_avg_sq.data<T>(), data_or_null<T>(state.max_exp_avg_sq),
                                         parameter.data<T>());
  });
}

void rmsprop_step_(const Tensor& parameter, const Tensor& grad, const RmspropState& state, const RmspropStep& step) {
  const Update update("rmsprop_step_", parameter, grad);
  update.check_state(state.square_avg, "square_avg");
  if (state.grad_avg.defined()) update.check_state(state.grad_avg, "grad_avg");
  const Tensor buffer = step.momentum == 0 ? Tensor() : state.momentum_buffer;
  if (step.momentum != 0) update.check_state(buffer, "a momentum buffer");
  const kernels::RmspropFactors options{step.lr, step.alpha, step.eps, step.weight_decay, step.momentum, step.maximize};
  update.run({&state.square_avg, &state.grad_avg, &buffer}, [&]<class T>(T) {
    kernels::adam_kernels<T>().rmsprop_step(options, parameter.numel(), grad.data<T>(), state.square_avg.data<T>(),
                                            data_or_null<T>(state.grad_avg), data_or_null<T>(buffer),
                                            parameter.data<T>());
  });
}

void adagrad_step_(const Tensor& parameter, const Tensor& grad, const Tensor& sum, const AdagradStep& step) {
  const Update update("adagrad_step_", parameter, grad);
  update.check_state(sum, "sum");
  update.check_count(step.t);
  const double lr = step.lr / (1 + static_cast<double>(step.t - 1) * step.lr_decay);
  const kernels::AdagradFactors options{lr, step.eps, step.weight_decay, step.maximize};
  update.run({&sum}, [&]<class T>(T) {
    kernels::adam_kernels<T>().adagrad_step(options, parameter.numel(), grad.data<T>(), sum.data<T>(),
                                            parameter.data<T>());
  });
}

}  // namespace teff
