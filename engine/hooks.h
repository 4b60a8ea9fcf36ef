// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

namespace detail {

/// Where hooks are kept, for who takes one out again.
class Hooks {
 public:
  virtual ~Hooks() = default;
  virtual void remove(std::uint64_t id) = 0;
};

}  // namespace detail

/// Owns the registration of a hook: the hook is there until the guard goes, or is told to remove() it. It may outlive
/// what the hook was registered on. Threads: hooks come and go while nobody runs what they hang on.
class [[nodiscard]] HookGuard {
 public:
  HookGuard() = default;
  HookGuard(const std::shared_ptr<detail::Hooks>& hooks, std::uint64_t id) : hooks_(hooks), id_(id) {}
  ~HookGuard() { remove(); }
  HookGuard(HookGuard&& other) noexcept : hooks_(std::exchange(other.hooks_, {})), id_(other.id_) {}
  HookGuard& operator=(HookGuard&& other) noexcept {
    if (this == &other) return *this;
    remove();
    hooks_ = std::exchange(other.hooks_, {});
    id_ = other.id_;
    return *this;
  }

  /// Takes the hook away now. A second call does nothing.
  void remove() {
    if (const auto hooks = std::exchange(hooks_, {}).lock()) hooks->remove(id_);
  }
  /// Lets the hook stay as long as what it hangs on.
  void keep() { hooks_.reset(); }

 private:
  std::weak_ptr<detail::Hooks> hooks_;
  std::uint64_t id_ = 0;
};

namespace detail {

/// Hooks of one kind, in the order in which they came.
template <class Function>
class HookList : public Hooks {
 public:
  std::uint64_t add(Function hook) {
    hooks_.emplace_back(next_, std::make_shared<const Function>(std::move(hook)));
    return next_++;
  }
  void remove(std::uint64_t id) override {
    std::erase_if(hooks_, [id](const auto& hook) { return hook.first == id; });
  }
  bool empty() const { return hooks_.empty(); }

  /// Calls visit(hook) for each that is there now: a hook may remove itself.
  template <class Visit>
  void for_each(const Visit& visit) const {
    const auto hooks = hooks_;
    for (const auto& [id, hook] : hooks) visit(*hook);
  }

 private:
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const Function>>> hooks_;
  std::uint64_t next_ = 0;
};

}  // namespace detail
}  // namespace teff
