// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// What Sequential, ModuleList and ModuleDict hold: a module, which is moved to the heap, or a pointer to one, which is
/// then shared.
template <class T>
concept ModuleOrPointer =
    std::derived_from<std::remove_cvref_t<T>, Module> || std::convertible_to<T, std::shared_ptr<Module>>;

/// A module and its name: `{"conv", nn::Conv2d(3, 6, 5)}`.
struct NamedModule {
  template <ModuleOrPointer M>
  NamedModule(std::string its_name, M value) : name(std::move(its_name)) {
    if constexpr (std::derived_from<M, Module>) {
      module = std::make_shared<M>(std::move(value));
    } else {
      module = std::move(value);
    }
  }
  std::string name;
  std::shared_ptr<Module> module;
};

/// Modules in a row that are made at run time: base of Sequential, ModuleList and ModuleDict. They are numbered "0",
/// "1", ... in the order in which they are added, unless they are given names. A copy shares them.
class ModuleSequence : public Module {
 public:
  class Iterator;

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  /// @throws IndexError for one that is not there; -1 is the last.
  Module& operator[](std::int64_t index) const;
  /// The same as its own class. @throws IndexError; TypeError if it is of another class.
  template <class M>
  M& get(std::int64_t index) const {
    Module& module = (*this)[index];
    if (auto* found = dynamic_cast<M*>(&module)) return *found;
    throw_wrong_class(std::to_string(index), module);
  }
  Iterator begin() const;
  Iterator end() const;

  void visit_members(MemberVisitor& visitor) override;

 protected:
  /// @throws ValueError for a name that is empty, has a dot or is there already, and for a module that holds this one;
  /// TypeError for a null pointer.
  void add_item(NamedModule item);
  std::string next_name() const { return std::to_string(items_.size()); }
  std::span<const NamedModule> items() const { return items_; }
  /// Null if there is none of that name.
  Module* find_item(std::string_view name) const;
  [[noreturn]] void throw_wrong_class(const std::string& place, const Module& module) const;

 private:
  std::vector<NamedModule> items_;
};

/// Goes through the modules: `for (nn::Module& layer : layers)`.
class ModuleSequence::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Module;

  Iterator() = default;
  explicit Iterator(const NamedModule* item) : item_(item) {}
  Module& operator*() const { return *item_->module; }
  Module* operator->() const { return item_->module.get(); }
  Iterator& operator++() {
    ++item_;
    return *this;
  }
  Iterator operator++(int) { return Iterator(item_++); }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const NamedModule* item_ = nullptr;
};

inline ModuleSequence::Iterator ModuleSequence::begin() const { return Iterator(items_.data()); }
inline ModuleSequence::Iterator ModuleSequence::end() const { return Iterator(items_.data() + items_.size()); }

}  // namespace nn
}  // namespace teff
