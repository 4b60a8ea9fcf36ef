// SPDX-License-Identifier: MIT
#pragma once

// Part of module.h: functions that are called with a module.

#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "teff/engine/hooks.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace nn {

class Module;

namespace detail {

using ForwardPreHook = std::function<std::vector<Tensor>(Module&, std::span<const Tensor> inputs)>;
using ForwardHook =
    std::function<std::vector<Tensor>(Module&, std::span<const Tensor> inputs, std::span<const Tensor> outputs)>;

/// Calls the hook. Nothing, or an undefined tensor, is an empty vector.
template <class Hook, class... Arguments>
std::vector<Tensor> call_hook(Hook& hook, Module& module, Arguments... arguments) {
  using Result = std::invoke_result_t<Hook&, Module&, Arguments...>;
  if constexpr (std::is_void_v<Result>) {
    hook(module, arguments...);
    return {};
  } else if constexpr (std::is_convertible_v<Result, Tensor>) {
    const Tensor result = hook(module, arguments...);
    return result.defined() ? std::vector<Tensor>{result} : std::vector<Tensor>();
  } else {
    return hook(module, arguments...);
  }
}

template <class Hook>
ForwardHook forward_hook(Hook hook) {
  return [hook = std::move(hook)](Module& module, std::span<const Tensor> inputs,
                                  std::span<const Tensor> outputs) mutable {
    return call_hook(hook, module, inputs, outputs);
  };
}
template <class Hook>
ForwardPreHook forward_pre_hook(Hook hook) {
  return [hook = std::move(hook)](Module& module, std::span<const Tensor> inputs) mutable {
    return call_hook(hook, module, inputs);
  };
}

/// The hooks of one module object. Copies have none.
class ModuleHooks {
 public:
  ModuleHooks() = default;
  ModuleHooks(const ModuleHooks&) noexcept {}
  ModuleHooks(ModuleHooks&&) = default;
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): it assigns nothing
  ModuleHooks& operator=(const ModuleHooks&) noexcept { return *this; }
  ModuleHooks& operator=(ModuleHooks&&) = default;
  ~ModuleHooks() = default;

  /// Whether none was ever registered.
  bool empty() const { return lists_ == nullptr; }
  HookGuard add_before(ForwardPreHook hook);
  HookGuard add_after(ForwardHook hook);

  std::vector<Tensor> before(Module& module, std::span<const Tensor> inputs) const;
  std::vector<Tensor> after(Module& module, std::span<const Tensor> inputs, std::vector<Tensor> outputs) const;

 private:
  struct Lists;
  Lists& lists();

  std::shared_ptr<Lists> lists_;
};

}  // namespace detail
}  // namespace nn
}  // namespace teff
