// SPDX-License-Identifier: MIT
#include "teff/engine/autograd.h"

#include "teff/engine/backward_pass.h"
#include "teff/engine/error.h"
#include "teff/engine/hooks.h"

namespace teff {
namespace {

/// What the tensor's gradient is watched by, which is with its node; a new one if there is none.
GradientWatch& watch_of(const Tensor& tensor) {
  const TensorImpl& impl = *tensor.impl();
  std::vector<GradientWatch>& watches = impl.node->with_extras().watches;
  for (GradientWatch& watch : watches) {
    if (watch.result == impl.result) return watch;
  }
  watches.push_back({.result = impl.result});
  return watches.back();
}

void check_requires_grad(const char* function, const Tensor& tensor) {
  if (!tensor.defined()) {
    throw TypeError(std::string(function) + ": expected a defined tensor, got an undefined one");
  }
  if (!tensor.requires_grad()) {
    throw Error(std::string(function) + ": expected a tensor that requires grad, got one that does not");
  }
}

}  // namespace

void Tensor::backward(const Tensor& gradient, const BackwardOptions& options) const {
  detail::run_backward({.function = "backward",
                        .outputs = {this, 1},
                        .gradients = {&gradient, 1},
                        .retain_graph = options.retain_graph});
}

void backward(const Tensor& loss, const GradientFunction& on_gradient) {
  detail::run_backward({.function = "backward",
                        .outputs = {&loss, 1},
                        .gradients = {},
                        .on_gradient = on_gradient ? &on_gradient : nullptr});
}

void Tensor::retain_grad() const {
  check_requires_grad("retain_grad", *this);
  if (!is_leaf()) watch_of(*this).retained_by = impl_;
}

HookGuard Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  check_requires_grad("register_hook", *this);
  if (!hook) throw TypeError("register_hook: expected a function, got an empty one");
  std::shared_ptr<detail::GradientHooks>& hooks = is_leaf() ? impl_->hooks : watch_of(*this).hooks;
  if (hooks == nullptr) hooks = std::make_shared<detail::GradientHooks>();
  return {hooks, hooks->add(std::move(hook))};
}

}  // namespace teff
