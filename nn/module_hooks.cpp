// SPDX-License-Identifier: MIT
#include "teff/nn/module_hooks.h"

namespace teff::nn::detail {

struct ModuleHooks::Lists {
  std::shared_ptr<teff::detail::HookList<ForwardPreHook>> before =
      std::make_shared<teff::detail::HookList<ForwardPreHook>>();
  std::shared_ptr<teff::detail::HookList<ForwardHook>> after = std::make_shared<teff::detail::HookList<ForwardHook>>();
};

ModuleHooks::Lists& ModuleHooks::lists() {
  if (lists_ == nullptr) lists_ = std::make_shared<Lists>();
  return *lists_;
}

HookGuard ModuleHooks::add_before(ForwardPreHook hook) {
  const auto& list = lists().before;
  return {list, list->add(std::move(hook))};
}

HookGuard ModuleHooks::add_after(ForwardHook hook) {
  const auto& list = lists().after;
  return {list, list->add(std::move(hook))};
}

std::vector<Tensor> ModuleHooks::before(Module& module, std::span<const Tensor> inputs) const {
  std::vector<Tensor> current(inputs.begin(), inputs.end());
  const auto list = lists_->before;  // a hook may replace the module
  list->for_each([&](const ForwardPreHook& hook) {
    if (std::vector<Tensor> other = hook(module, current); !other.empty()) current = std::move(other);
  });
  return current;
}

std::vector<Tensor> ModuleHooks::after(Module& module, std::span<const Tensor> inputs,
                                       std::vector<Tensor> outputs) const {
  const auto list = lists_->after;
  list->for_each([&](const ForwardHook& hook) {
    if (std::vector<Tensor> other = hook(module, inputs, outputs); !other.empty()) outputs = std::move(other);
  });
  return outputs;
}

}  // namespace teff::nn::detail
