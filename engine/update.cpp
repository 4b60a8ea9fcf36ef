// SPDX-License-Identifier: MIT
#include "teff/engine/update.h"

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/kernels/kernels.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

void check_like(const Tensor& parameter, const Tensor& other, const char* name) {
  if (other.defined() && other.type() == parameter.type()) return;
  const std::string text = std::string("sgd_step_: expected ") + name + " " + detail::describe(parameter.type()) +
                           " as the parameter, got " +
                           (other.defined() ? detail::describe(other.type()) : "an undefined tensor");
  if (other.defined() && other.dtype() == parameter.dtype()) throw ShapeError(text);
  throw TypeError(text);
}

template <class T>
void run(const Tensor& parameter, const Tensor& grad, const Tensor& momentum_buffer, const SgdStep& step) {
  const kernels::SgdStep options{step.lr,       step.momentum, step.dampening, step.weight_decay,
                                 step.nesterov, step.maximize, step.first_step};
  kernels::table<T>().sgd_step(options, parameter.numel(), grad.data<T>(),
                               step.momentum == 0 ? nullptr : momentum_buffer.data<T>(), parameter.data<T>());
}

}  // namespace

void sgd_step_(const Tensor& parameter, const Tensor& grad, const Tensor& momentum_buffer, const SgdStep& step) {
  if (!is_computable(parameter.dtype())) {
    throw TypeError("sgd_step_: expected a parameter of float32 or float64, got " +
                    detail::describe(parameter.type()));
  }
  check_like(parameter, grad, "a gradient");
  if (step.momentum != 0) check_like(parameter, momentum_buffer, "a momentum buffer");
  const NoGradGuard no_grad;
  detail::begin_in_place("sgd_step_", parameter);
  if (step.momentum != 0) detail::begin_in_place("sgd_step_", momentum_buffer);
  if (parameter.dtype() == DType::float32) {
    run<float>(parameter, grad, momentum_buffer, step);
  } else {
    run<double>(parameter, grad, momentum_buffer, step);
  }
}

}  // namespace teff
