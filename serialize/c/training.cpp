// SPDX-License-Identifier: MIT
#include <memory>

#include "teff/engine/losses.h"
#include "teff/engine/modes.h"
#include "teff/nn/clip_grad.h"
#include "teff/nn/optim/adam.h"
#include "teff/nn/optim/sgd.h"
#include "teff/serialize/c/guard.h"
#include "teff/serialize/c/model.h"

using namespace teff;
using namespace teff::c;

struct teff_optimizer {
  std::unique_ptr<optim::Optimizer> optimizer;
};

namespace {

Reduction reduction_of(teff_reduction reduction, const char* function) {
  switch (reduction) {
    case TEFF_REDUCTION_NONE:
      return Reduction::none;
    case TEFF_REDUCTION_MEAN:
      return Reduction::mean;
    case TEFF_REDUCTION_SUM:
      return Reduction::sum;
  }
  throw ValueError(std::string(function) + ": expected a reduction, got number " + std::to_string(reduction));
}

/// Calls function(input, target, reduction), recorded.
template <class Function>
teff_status loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction, teff_tensor** result,
                 const char* name, Function&& function) {
  return guarded([&] {
    const GradModeGuard guard(true);
    teff_tensor*& place = at(result, name, "result");
    place = made(function(in(at(input, name, "input")), in(at(target, name, "target")), reduction_of(reduction, name)));
  });
}

optim::SGDOptions convert(const teff_sgd_options& options) {
  return {.lr = options.lr,
          .momentum = options.momentum,
          .dampening = options.dampening,
          .weight_decay = options.weight_decay,
          .nesterov = options.nesterov != 0,
          .maximize = options.maximize != 0};
}

template <class Options>
Options convert(const teff_adam_options& options) {
  return {.lr = options.lr,
          .betas = {options.beta1, options.beta2},
          .eps = options.eps,
          .weight_decay = options.weight_decay,
          .amsgrad = options.amsgrad != 0,
          .maximize = options.maximize != 0};
}

template <class Optimizer, class Options>
void make_optimizer(teff_model* model, const Options& options, teff_optimizer** result, const char* function) {
  teff_optimizer*& place = at(result, function, "result");
  place = new teff_optimizer{std::make_unique<Optimizer>(at(model, function, "model").module.parameters(), options)};
}

}  // namespace

teff_status teff_cross_entropy(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                               teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_cross_entropy",
              [](const Tensor& x, const Tensor& y, Reduction r) { return cross_entropy(x, y, r); });
}

teff_status teff_nll_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                          teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_nll_loss",
              [](const Tensor& x, const Tensor& y, Reduction r) { return nll_loss(x, y, r); });
}

teff_status teff_mse_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                          teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_mse_loss",
              [](const Tensor& x, const Tensor& y, Reduction r) { return mse_loss(x, y, r); });
}

teff_status teff_l1_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                         teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_l1_loss",
              [](const Tensor& x, const Tensor& y, Reduction r) { return l1_loss(x, y, r); });
}

teff_status teff_smooth_l1_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                                teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_smooth_l1_loss",
              [](const Tensor& x, const Tensor& y, Reduction r) { return smooth_l1_loss(x, y, r); });
}

teff_status teff_huber_loss(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                            teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_huber_loss",
              [](const Tensor& x, const Tensor& y, Reduction r) { return huber_loss(x, y, r); });
}

teff_status teff_binary_cross_entropy(const teff_tensor* input, const teff_tensor* target, teff_reduction reduction,
                                      teff_tensor** result) {
  return loss(
      input, target, reduction, result, "teff_binary_cross_entropy",
      [](const Tensor& x, const Tensor& y, Reduction r) { return binary_cross_entropy(x, y, {.reduction = r}); });
}

teff_status teff_binary_cross_entropy_with_logits(const teff_tensor* input, const teff_tensor* target,
                                                  teff_reduction reduction, teff_tensor** result) {
  return loss(input, target, reduction, result, "teff_binary_cross_entropy_with_logits",
              [](const Tensor& x, const Tensor& y, Reduction r) {
                return binary_cross_entropy_with_logits(x, y, {.reduction = r});
              });
}

teff_status teff_tensor_backward(const teff_tensor* loss) {
  return guarded([&] { in(at(loss, "teff_tensor_backward", "loss")).backward(); });
}

teff_status teff_tensor_grad(const teff_tensor* tensor, teff_tensor** result) {
  return guarded([&] {
    const Tensor& grad = in(at(tensor, "teff_tensor_grad", "tensor")).grad();
    if (!grad.defined()) throw ValueError("teff_tensor_grad: expected a tensor with a gradient, got one without");
    put(result, "teff_tensor_grad", [&] { return made(grad); });
  });
}

teff_status teff_clip_grad_norm(teff_model* model, double max_norm, double* norm) {
  return guarded([&] {
    const nn::Module& module = at(model, "teff_clip_grad_norm", "model").module;
    const double before = nn::clip_grad_norm_(module.parameters(), max_norm);
    if (norm) *norm = before;
  });
}

teff_status teff_sgd_new(teff_model* model, const teff_sgd_options* options, teff_optimizer** result) {
  return guarded([&] {
    const auto given = options_of(options, teff_sgd_options TEFF_SGD_OPTIONS, "teff_sgd_new");
    make_optimizer<optim::SGD>(model, convert(given), result, "teff_sgd_new");
  });
}

teff_status teff_adam_new(teff_model* model, const teff_adam_options* options, teff_optimizer** result) {
  return guarded([&] {
    const auto given = options_of(options, teff_adam_options TEFF_ADAM_OPTIONS, "teff_adam_new");
    make_optimizer<optim::Adam>(model, convert<optim::AdamOptions>(given), result, "teff_adam_new");
  });
}

teff_status teff_adamw_new(teff_model* model, const teff_adam_options* options, teff_optimizer** result) {
  return guarded([&] {
    const auto given = options_of(options, teff_adam_options TEFF_ADAMW_OPTIONS, "teff_adamw_new");
    make_optimizer<optim::AdamW>(model, convert<optim::AdamWOptions>(given), result, "teff_adamw_new");
  });
}

void teff_optimizer_free(teff_optimizer* optimizer) { delete optimizer; }

teff_status teff_optimizer_step(teff_optimizer* optimizer) {
  return guarded([&] { at(optimizer, "teff_optimizer_step", "optimizer").optimizer->step(); });
}

teff_status teff_optimizer_zero_grad(teff_optimizer* optimizer) {
  return guarded([&] { at(optimizer, "teff_optimizer_zero_grad", "optimizer").optimizer->zero_grad(); });
}

teff_status teff_optimizer_lr(const teff_optimizer* optimizer, double* result) {
  return guarded([&] {
    const double lr = at(optimizer, "teff_optimizer_lr", "optimizer").optimizer->lr();
    at(result, "teff_optimizer_lr", "result") = lr;
  });
}

teff_status teff_optimizer_set_lr(teff_optimizer* optimizer, double lr) {
  return guarded([&] { at(optimizer, "teff_optimizer_set_lr", "optimizer").optimizer->set_lr(lr); });
}

teff_status teff_optimizer_state_dict(const teff_optimizer* optimizer, teff_dict** result) {
  return guarded([&] {
    constexpr const char* kName = "teff_optimizer_state_dict";
    teff_dict*& place = at(result, kName, "result");
    place = made(at(optimizer, kName, "optimizer").optimizer->state_dict());
  });
}

teff_status teff_optimizer_load_state_dict(teff_optimizer* optimizer, const teff_dict* state_dict) {
  return guarded([&] {
    constexpr const char* kName = "teff_optimizer_load_state_dict";
    at(optimizer, kName, "optimizer").optimizer->load_state_dict(in(at(state_dict, kName, "state_dict")));
  });
}
